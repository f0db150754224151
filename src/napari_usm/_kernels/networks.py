"""Networks of exchanges: values put in order without a branch, in registers."""

from typing import Any

from numba import types
from numba.extending import intrinsic

from napari_usm._kernels.vectors import VectorType


def network(exchanges: str, kept: str) -> Any:
    """Make a function for kernels, from a tuple of values to those at `kept`.

    Parameters
    ----------
    exchanges : str
        Places "a,b" one after the other: the smaller value goes to a, the larger
        to b. What nothing kept depends on is never computed.
    kept : str
        Places of the results.
    """
    pairs, places = parsed(exchanges), [int(place) for place in kept.split()]

    @intrinsic
    def exchanged(context, values):
        kind = values.dtype
        returned = types.UniTuple(kind, len(places))

        def generate(context, builder, signature, arguments):
            held = [
                builder.extract_value(arguments[0], place)
                for place in range(values.count)
            ]
            for a, b in pairs:
                one, other = held[a], held[b]
                held[a] = _chosen(builder, "<", kind, one, other)
                held[b] = _chosen(builder, ">", kind, one, other)
            chosen = [held[place] for place in places]
            return context.make_tuple(builder, returned, chosen)

        return returned(values), generate

    return exchanged


def parsed(exchanges: str) -> list[tuple[int, int]]:
    """Exchanges as pairs of places."""
    pairs = (pair.split(",") for pair in exchanges.split())
    return [(int(a), int(b)) for a, b in pairs]


def _chosen(builder, sign, kind, one, other):
    """The smaller or the larger: a comparison that becomes one vector instruction."""
    if isinstance(kind, types.Float | VectorType):
        first = builder.fcmp_ordered(sign, one, other)
    elif kind.signed:
        first = builder.icmp_signed(sign, one, other)
    else:
        first = builder.icmp_unsigned(sign, one, other)
    return builder.select(first, one, other)
