"""The page of the gain: a curve, a mark on it, and a result that follows the mark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel

from napari_usm._widgets.dock.layout import button
from napari_usm._widgets.dock.live_button import LiveButton
from napari_usm._widgets.lab.gain_mark import GainMark
from napari_usm._widgets.lab.pages import PlotPage
from napari_usm._widgets.lab.plots import draw_gain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from napari_usm._widgets.lab.palette import Palette


class GainPage(PlotPage):
    """S over the gains, with a mark."""

    #: The gain that is marked now.
    marked = Signal(float)

    def __init__(self) -> None:
        super().__init__("gain", draw_gain)
        self.mark = GainMark(self.canvas)
        self.mark.moved.connect(self._on_moved)
        self._is_users = False
        self._said = QLabel()
        self.live = LiveButton(
            "Show a result that follows the mark: adaptive unsharp mask with its gain."
        )
        self.back = button("To estimate", "Move the mark back to the estimated gain.")
        self.back.clicked.connect(self._go_back)
        row = QHBoxLayout()
        row.addWidget(self._said, 1)
        row.addWidget(self.back)
        row.addWidget(self.live)
        self.layout().addLayout(row)
        self._say()

    @property
    def gain(self) -> float | None:
        """Return the marked gain, once there is a curve."""
        return self.mark.value

    def show_findings(self, findings: Any) -> None:
        """Draw the curve; a mark that was not moved goes to the estimate."""
        super().show_findings(findings)
        self.mark.lie_over(self.figure.axes, self._colours.mark)
        if findings is not None:
            self.mark.range = float(findings.gains[0]), float(findings.gains[-1])
            if not (self._is_users or self.live.isChecked()) or self.gain is None:
                self.mark.place(findings.chosen)
                self.marked.emit(findings.chosen)
        self._say()

    def start_over(self) -> None:
        """Remove curve and mark: there is another image."""
        self._is_users = False
        self.mark.place(None)
        self.empty("")

    def print_into(self, figure: Figure, colours: Palette) -> None:
        """With the mark, which lies over the plot that is shown."""
        super().print_into(figure, colours)
        for axes in figure.axes:
            axes.axvline(self.gain, color=colours.mark, linewidth=1.5)

    def _on_moved(self, gain: float) -> None:
        self._is_users = True
        self._say()
        self.marked.emit(gain)

    def _go_back(self) -> None:
        self._is_users = False
        self.mark.place(self.findings.chosen)
        self._say()
        self.marked.emit(self.findings.chosen)

    def _say(self) -> None:
        is_ready = self.findings is not None and self.gain is not None
        self.live.setEnabled(is_ready)
        self.back.setEnabled(is_ready)
        text = f"λ {self.gain:.2f} → amount {1 / self.gain:.3g}" if is_ready else ""
        self._said.setText(text)
