#!/usr/bin/env bash
# Set everything up, then open napari with a sample and the sharpening widget.
set -euo pipefail
# shellcheck source=scripts/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

prepare all
# Not `exec`: started as the first process of a container, it would take this
# script's place there, and xvfb-run never gets word from the screen it starts.
"$venv/bin/napari-usm" demo "$@"
