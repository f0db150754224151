"""Finding the few that are flagged among many."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def nonzero_bits(context, flags, index):
    """Bit k of the result is set where ``flags[index + k]`` is not 0, k below 64.

    One to four instructions, where a loop over 64 flags takes 64 branches.
    """
    if flags != types.Array(types.uint8, 1, "C"):
        return None

    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(
            context, builder, arguments[0]
        ).data
        bytes64 = ir.VectorType(ir.IntType(8), 64)
        place = builder.bitcast(builder.gep(data, [arguments[1]]), bytes64.as_pointer())
        values = builder.load(place, align=1)
        nonzero = builder.icmp_unsigned("!=", values, ir.Constant(bytes64, [0] * 64))
        return builder.bitcast(nonzero, ir.IntType(64))

    return types.uint64(flags, types.intp), generate


@intrinsic
def lowest_bit(context, bits):
    """Number of the lowest bit that is set; 64 if there is none."""

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.intp(types.uint64), generate


@intrinsic
def count_bits(context, bits):
    """Return how many bits are set."""

    def generate(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.intp(types.uint64), generate
