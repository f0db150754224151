"""A type checker sees the public functions: their parameters, and what those take."""

import os
import re
import subprocess
import sys
from pathlib import Path

import napari_usm as usm

# Only what the signatures refer to is read: all that they call would take half a minute.
CONFIGURATION = """
[mypy]
follow_imports = skip
[mypy-napari_usm,napari_usm.functions,napari_usm.api,numpy.*]
follow_imports = silent
"""
IMPORTS = """
from typing import Any
import numpy as np
from numpy.typing import NDArray
import napari_usm as usm
image = np.zeros((3, 3))
"""
#: Statements, and the error that mypy should find in each.
STATEMENTS = {
    "result: NDArray[Any] = usm.unsharp_mask(image=image, sigma=2)": None,
    "usm.unsharp_mask([[1, 2], [3, 4]], (1, 2.5), dtype='float32')": None,
    "usm.unsharp_mask(image=image, sgima=2)": "call-arg",
    "usm.unsharp_mask(image=image, amount='x')": "arg-type",
    "usm.unsharp_mask(image, out=[0.0])": "arg-type",
    "usm.unsharp_mask(image, 2, 1, 'box')": "call-arg",  # only by name
    "usm.unsharp_mask()": "call-arg",
    **{f"usm.{method}(image, mode='wrap')": None for method in usm.METHODS},
    **{f"usm.{method}(image, nothing=2)": "call-arg" for method in usm.METHODS},
    "usm.sharpen(image, 'unsharp_mask', sigma=2).edge_map": None,
    "usm.sharpen(image).edges": "attr-defined",
}


def test_mypy_sees_the_public_functions(tmp_path):
    """Right calls pass, and each wrong one is an error of its kind."""
    (tmp_path / "mypy.ini").write_text(CONFIGURATION)
    program = tmp_path / "program.py"
    program.write_text(IMPORTS + "\n".join(STATEMENTS))
    how = [
        "--strict",
        f"--config-file={tmp_path / 'mypy.ini'}",
        f"--cache-dir={tmp_path}",
    ]

    # In a process, as mypy tunes the garbage collector for good.
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *how, program],
        env={**os.environ, "MYPYPATH": str(Path(usm.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    errors = re.findall(r"program.py:(\d+): error: .* \[(.*)\]", done.stdout)
    first = IMPORTS.count("\n") + 1
    found = {int(line) - first: code for line, code in errors}
    assert found == {k: code for k, code in enumerate(STATEMENTS.values()) if code}
