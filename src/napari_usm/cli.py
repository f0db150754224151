"""The command line: `napari-usm demo` and `napari-usm table1`."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_usm.lab import table1

if TYPE_CHECKING:
    from collections.abc import Sequence

_SCREEN = "-screen 0 1366x768x24"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    parser = argparse.ArgumentParser(
        prog="napari-usm", description="Unsharp masking for napari."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser(
        "demo",
        help="sharpen a sample in napari",
        description="Open a sample in napari with the dock and sharpen it. Without a "
        "display, do the same under a virtual one and write pictures.",
    )
    demo.add_argument(
        "--pictures",
        metavar="FOLDER",
        type=Path,
        help="write pictures into this folder instead of waiting for the user "
        "(default without a display: napari-usm-demo)",
    )
    demo.set_defaults(run=lambda options: _demo(options.pictures))
    experiment = commands.add_parser(
        "table1",
        help="repeat the experiment of the paper on your pictures",
        description=table1.DESCRIPTION,
    )
    table1.add_arguments(experiment)
    experiment.set_defaults(run=table1.run)
    options = parser.parse_args(arguments)
    status: int = options.run(options)
    return status


def _demo(pictures: Path | None) -> int:
    if not _has_display():
        return _demo_without_display(pictures or Path("napari-usm-demo"))
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


def _demo_without_display(pictures: Path) -> int:
    xvfb = shutil.which("xvfb-run")
    if xvfb is None:
        print(
            "napari-usm: there is no display, and no virtual one. Please run:\n"
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


if __name__ == "__main__":
    sys.exit(main())
