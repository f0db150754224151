"""Memory is asked for before it is taken."""

import psutil
import pytest

from napari_usm._widgets.layers.room import check_room


@pytest.mark.parametrize("available", [10, 1000, 16 * 10**9])
def test_a_tenth_stays_in_reserve(available):
    """What fits into nine tenths of the free memory passes, and not a byte more."""
    most = available * 9 // 10
    check_room(most, "results", available)
    with pytest.raises(ValueError, match="results need"):
        check_room(most + 1, "results", available)


def test_the_message():
    """It names what needs how much, how much there is, and the ways out."""
    what = "result and edge map of 'cells' (40000 × 40000 uint16)"
    needed = 40000**2 * (2 + 4)
    with pytest.raises(ValueError, match=r"need 9\.6 GB of memory") as raised:
        check_room(needed, what, 600_000_000)
    message = str(raised.value)
    assert message.startswith(what)
    assert "600.0 MB are free, of which 540.0 MB may be used" in message
    assert "crop the layer" in message
    assert "on disk" in message


def test_free_memory_is_asked_of_the_system(monkeypatch):
    """Without a number given, it is what the system says is available."""
    check_room(0, "results")
    with pytest.raises(ValueError, match="results need"):
        check_room(psutil.virtual_memory().total, "results")
