"""From detail that is kept to the result: what is left when only the strength moves."""

from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.finish import finish_row, unpacked


@kernel
def finish_pixels(image, detail, span, result, edges, numbers):
    """Do the last steps of a one-pass kernel, for pixels that lie in a row.

    image, detail : (n,), detail in float32 and before any threshold
    span          : the first pixel, and the last + 1
    result, edges : (n,), of the image's type and float32; one of no pixels is not
                    wanted
    numbers       : see `finish.unpacked`
    """
    first, last = span
    finish, count = unpacked(numbers), last - first
    finish_row(image, first, detail, first, count, result, edges, first, finish)
