"""The same bits on an older processor."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "same_bits.py"


def test_same_bits_without_wide_vectors():
    """A plain mask on an x86-64 without AVX; the script by itself compares more."""
    options = ("--calls", "uint8, sigma 1", "--on", "alone")
    done = subprocess.run(
        [sys.executable, SCRIPT, *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 calls" in done.stdout
