"""What was done, in one line."""

from __future__ import annotations

from typing import Any

import numpy as np


def status_line(metadata: dict[str, Any], seconds: float) -> str:
    """Gain, clipped pixels, noise and time of a run, by its layers' metadata."""
    parts = []
    if metadata["gain"] is not None:
        gain, amount = _span(metadata["gain"]), _span(metadata["amount"])
        parts.append(f"λ {gain} → amount {amount}")
    report = metadata["report"]
    if report is None:
        parts.append("computed as it is shown")
    else:
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
