"""Check that there is memory for a result."""

from __future__ import annotations

import psutil

# Of the free memory, this part (1/10) is left to everything else.
_RESERVE = 10


def check_room(nbytes: int, what: str, available: int | None = None) -> None:
    """Raise if memory cannot hold something.

    Parameters
    ----------
    nbytes : int
        Its size in bytes.
    what : str
        What it is, in the plural, for the message.
    available : int, optional
        Free memory in bytes, of which a tenth stays in reserve; by default what the
        system says now.

    Raises
    ------
    ValueError
        What needs how much, how much there is, and what to do instead.

    Examples
    --------
    >>> what = "result and edge map of 'cells' (40000 × 40000 uint16)"
    >>> check_room(9_600_000_000, what, available=16_000_000_000)
    >>> check_room(9_600_000_000, what, available=8_000_000_000)
    ... # doctest: +NORMALIZE_WHITESPACE
    Traceback (most recent call last):
    ValueError: result and edge map of 'cells' (40000 × 40000 uint16) need 9.6 GB of
    memory; 8.0 GB are free, of which 7.2 GB may be used: keep them on disk, or crop
    the layer first
    """
    if available is None:
        available = psutil.virtual_memory().available
    usable = available - available // _RESERVE
    if nbytes > usable:
        raise ValueError(
            f"{what} need {_size(nbytes)} of memory; {_size(available)} are free, "
            f"of which {_size(usable)} may be used: keep them on disk, or crop the "
            "layer first"
        )


def _size(nbytes: int) -> str:
    if nbytes < 10**9:
        return f"{nbytes / 1e6:.1f} MB"
    return f"{nbytes / 1e9:.1f} GB"
