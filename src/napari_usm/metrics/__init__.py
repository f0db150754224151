"""How good a sharpened image is: numbers that compare it with a sharp one."""

from napari_usm.metrics.edges import figure_of_merit
from napari_usm.metrics.similarity import structural_similarity

__all__ = ["figure_of_merit", "structural_similarity"]
