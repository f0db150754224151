"""Write units cover an image once, in whole chunks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_usm.batch.units import cut, part_of


@st.composite
def images(draw):
    """A shape, chunks, axes that are never cut, filtered axes and a size."""
    shape = draw(st.lists(st.integers(1, 20), min_size=1, max_size=3))
    axes = range(len(shape))
    stored = [draw(st.integers(1, 12)) for _ in shape]
    some = st.sets(st.sampled_from(list(axes)))
    return shape, stored, draw(some), draw(some), draw(st.integers(1, 5000))


@settings(max_examples=200, deadline=None)
@given(images())
def test_units_cover_an_image_once_in_whole_chunks(drawn):
    """No two units write to one chunk."""
    shape, stored, whole, filtered, most = drawn
    seen = np.zeros(shape, int)
    for unit in cut(shape, stored, whole, filtered, most):
        seen[unit] += 1
        for axis, span in enumerate(unit):
            assert (
                span.start % stored[axis] == 0 or span.stop - span.start == shape[axis]
            )
            if axis in whole:
                assert (span.start, span.stop) == (0, shape[axis])
        size = np.prod([span.stop - span.start for span in unit])
        least = [
            n if a in whole else min(n, s)
            for a, (n, s) in enumerate(zip(shape, stored, strict=True))
        ]
        assert size <= max(most, np.prod(least))
    assert (seen == 1).all()


@pytest.mark.parametrize("count", [0, 1, 7, 64])
@pytest.mark.parametrize("parts", [1, 3, 10])
def test_parts_have_each_unit_once(count, parts):
    """The parts of an array job share the units among them."""
    mine = [part_of(count, (number, parts)) for number in range(1, parts + 1)]
    assert sorted(index for part in mine for index in part) == list(range(count))
