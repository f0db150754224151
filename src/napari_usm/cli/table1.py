"""``napari-usm table1``: the experiment of the paper."""

from napari_usm.lab.table1 import DESCRIPTION, add_arguments, run

__all__ = ["DESCRIPTION", "add_arguments", "run"]
