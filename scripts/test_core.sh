#!/usr/bin/env bash
# Test the core in an environment without Qt and napari. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

core="${USM_CORE_VENV:-.venv-core}"
[ -d "$core" ] || python3 -m venv "$core"
"$core/bin/python" -m pip install --quiet --no-deps -e .
"$core/bin/python" -m pip install --quiet numpy scipy numba scikit-image PyWavelets \
  pillow matplotlib "dask[array,distributed]" pint psutil pydantic typing_extensions \
  zarr yaozarrs tifffile imagecodecs filelock rich xarray \
  pytest pytest-xdist hypothesis jsonschema
"$core/bin/python" - <<'PYTHON'
import importlib.util
import sys

found = [name for name in ("napari", "qtpy", "magicgui") if importlib.util.find_spec(name)]
sys.exit(f"must not be installed: {found}" if found else 0)
PYTHON
"$core/bin/python" -m pytest -p no:pytest-qt --ignore=src/napari_usm/_widgets \
  tests/engine tests/methods tests/metrics tests/lab tests/io tests/batch tests/cli \
  tests/test_interface.py tests/test_recipe_file.py \
  tests/test_recipe.py tests/test_errors.py tests/test_masked.py src "$@"
