"""What was done, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_usm.api import Sharpened


def status_line(found: Sharpened, lazy: bool, seconds: float) -> str:
    """Gain, clipped pixels, noise and time of a finished run."""
    parts = []
    if found.gain is not None:
        gain, amount = _span(found.gain), _span(found.amount)
        parts.append(f"λ {gain} → amount {amount}")
    if lazy:
        parts.append("computed as it is shown")
    else:
        report = found.report
        clipped = 100 * float(np.mean(report.clipped_low + report.clipped_high))
        parts.append(f"clipped {_percent(clipped)}")
        parts.append(f"noise × {_span(report.noise_factor)}")
        if report.inverts_detail:
            parts.append("inverts detail")
    parts.append(f"{seconds:.2f} s")
    # Lines break between the parts and not inside them.
    return " · ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)


def _span(values: Any) -> str:
    low, high = f"{np.min(values):.3g}", f"{np.max(values):.3g}"
    return low if low == high else f"{low} to {high}"


def _percent(value: float) -> str:
    return f"{value:.2g} %" if value == 0 or value >= 0.01 else "< 0.01 %"
