"""Build hook: let an editable install find the manifest at the root.

npe2 looks for `napari.yaml` next to the package's modules, which for an editable
install is `src/napari_usm`. There the hook puts a link to the real file, so that
editing the manifest needs no new install. Wheels do not use it: see
`force-include` in `pyproject.toml`.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManifestHook(BuildHookInterface):
    """Link `src/napari_usm/napari.yaml` to the manifest at the root."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the link, in editable installs alone."""
        if self.target_name != "wheel" or version != "editable":
            return
        manifest = Path(self.root, "napari.yaml")
        link = Path(self.root, "src", "napari_usm", "napari.yaml")
        link.unlink(missing_ok=True)
        # Windows allows symbolic links only to some users, and hard links only
        # within one drive; a copy always works, but then does not follow edits.
        try:
            link.symlink_to(os.path.relpath(manifest, link.parent))
        except OSError:
            try:
                os.link(manifest, link)
            except OSError:
                shutil.copyfile(manifest, link)
