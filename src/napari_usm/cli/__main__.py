"""``python -m napari_usm.cli``."""

import sys

from napari_usm.cli import main

if __name__ == "__main__":
    sys.exit(main())
