"""Metrics of a sharpened image, and of the change by sharpening."""

from napari_usm.metrics.clipping import Clipped, clipped
from napari_usm.metrics.edges import figure_of_merit
from napari_usm.metrics.estimates import estimate_blur, estimate_noise
from napari_usm.metrics.excess import Overshoot, overshoot
from napari_usm.metrics.noise_growth import noise_factor
from napari_usm.metrics.peak_ratio import peak_signal_to_noise_ratio
from napari_usm.metrics.profiles import acutance, edge_width
from napari_usm.metrics.similarity import structural_similarity

__all__ = [
    "Clipped",
    "Overshoot",
    "acutance",
    "clipped",
    "edge_width",
    "estimate_blur",
    "estimate_noise",
    "figure_of_merit",
    "noise_factor",
    "overshoot",
    "peak_signal_to_noise_ratio",
    "structural_similarity",
]
