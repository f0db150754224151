"""``napari-usm demo``: sharpen a sample in napari."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_usm.cli.parser import NAME

if TYPE_CHECKING:
    import argparse

DESCRIPTION = (
    "Open a sample in napari with the dock and sharpen it. Without a display, do the "
    "same under a virtual one and write pictures."
)

_SCREEN = "-screen 0 1366x768x24"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "--pictures",
        metavar="FOLDER",
        type=Path,
        help="write pictures into this folder instead of waiting for the user "
        "(default without a display: napari-usm-demo)",
    )


def run(options: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    pictures: Path | None = options.pictures
    if not _has_display():
        return _run_without_display(pictures or Path("napari-usm-demo"))
    from napari_usm._widgets import demo

    if pictures is None:
        demo.show()
        return 0
    for path in demo.write_pictures(pictures):
        print(path)
    return 0


def _has_display() -> bool:
    if sys.platform != "linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _run_without_display(pictures: Path) -> int:
    xvfb = shutil.which("xvfb-run")
    if xvfb is None:
        print(
            f"{NAME}: error: there is no display, and no virtual one. Please run:\n"
            "sudo apt-get install -y xvfb xauth",
            file=sys.stderr,
        )
        return 1
    print(
        "There is no display: drawing on a virtual one. The pictures are:", flush=True
    )
    command = [xvfb, "-a", "-s", _SCREEN, sys.executable, "-m", "napari_usm.cli"]
    # Here it is X that draws, whatever the environment says of other ways.
    environment = {**os.environ, "QT_QPA_PLATFORM": "xcb"}
    done = subprocess.run(
        [*command, "demo", "--pictures", str(pictures)], env=environment, check=False
    )
    return done.returncode
