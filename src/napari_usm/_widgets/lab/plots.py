"""The plots of the lab, drawn into a figure in the colours of a palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from napari_usm._widgets.lab.palette import Palette
    from napari_usm.lab.findings import Profile
    from napari_usm.lab.gain import GainCurve
    from napari_usm.lab.spectrum import PlaneSpectrum

_SMALL = 8  # points


def draw_gain(figure: Figure, curve: GainCurve, colours: Palette) -> Axes:
    """S over the gains, its gradient, and the gain that was chosen; the lower axes."""
    upper, lower = figure.subplots(2, sharex=True)
    upper.plot(curve.gains, curve.curve, ".-", color=colours.image)
    lower.plot(curve.gains, curve.gradient, ".-", color=colours.image)
    upper.set_ylabel("S")
    lower.set_ylabel("gradient of S")
    lower.set_xlabel("gain λ = 1 / amount")
    for axes in (upper, lower):
        _dress(axes, colours)
        axes.axvline(curve.chosen, color=colours.ink, linestyle=":", linewidth=1)
    figure.align_ylabels()
    return lower


def draw_spectrum(figure: Figure, spectrum: PlaneSpectrum, colours: Palette) -> Axes:
    """Power over the frequencies, with the fitted blur and noise."""
    axes = figure.subplots()
    axes.semilogy(
        spectrum.frequencies, spectrum.power, ".", color=colours.image, label="spectrum"
    )
    axes.semilogy(
        spectrum.frequencies,
        spectrum.fitted,
        color=colours.result,
        label=f"fit: blur σ {spectrum.blur:.2f} px",
    )
    axes.axhline(
        spectrum.noise**2,
        color=colours.mark,
        linestyle="--",
        linewidth=1,
        label=f"noise σ {spectrum.noise:.3g}",
    )
    axes.set_xlabel("frequency (cycles per pixel)")
    axes.set_ylabel("power (intensity²)")
    axes.set_xlim(0, spectrum.frequencies[-1])
    _dress(axes, colours)
    _explain(axes, colours)
    return axes


def draw_profile(figure: Figure, profile: Profile, colours: Palette) -> Axes:
    """Intensities along a line, before and after."""
    axes = figure.subplots()
    for name in ("reference", "image", "result"):
        values = getattr(profile, name)
        if values is not None:
            colour = getattr(colours, name)
            axes.plot(profile.distances, values, ".-", color=colour, label=name)
    axes.set_xlabel("distance (px)")
    axes.set_ylabel("intensity")
    _dress(axes, colours)
    if np.isfinite(profile.image).any():
        _explain(axes, colours)
    return axes


def _dress(axes: Axes, colours: Palette) -> None:
    axes.set_facecolor(colours.paper)
    axes.tick_params(colors=colours.ink, which="both", labelsize=_SMALL)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(colours.ink)
        label.set_fontsize(_SMALL)
    for name, spine in axes.spines.items():
        spine.set_color(colours.faint)
        spine.set_visible(name in ("left", "bottom"))


def _explain(axes: Axes, colours: Palette) -> None:
    """Say what each line is."""
    legend = axes.legend(fontsize=_SMALL, frameon=False, labelcolor=colours.ink)
    legend.set_in_layout(False)
