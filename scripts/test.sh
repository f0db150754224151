#!/usr/bin/env bash
# Set everything up, then run every check. Arguments go to pytest:
#     bash scripts/test.sh -k laplacian
set -euo pipefail
# shellcheck source=scripts/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

prepare test
cd "$root"

python="$venv/bin/python"
pytest=("$python" -m pytest)
if [ "$(uname -s)" = Linux ]; then
  # A screen of its own: napari needs OpenGL, and windows of a known size.
  pytest=(xvfb-run -a -s "-screen 0 1366x768x24" "${pytest[@]}")
fi

check() {
  printf '\n== %s\n' "$*"
  "$@"
}

check "$python" -m ruff check .
check "$python" -m ruff format --check .
check "$python" -m mypy
check "$venv/bin/lint-imports"
check "${pytest[@]}" "$@"
