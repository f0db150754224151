"""How everything here is compiled."""

from typing import Any

from numba import njit

# Compiled at the first call and kept on disk, until the kernel's own file changes:
# not when that of a kernel it calls does (docs/contributing.md). `fastmath` stays off:
# it would let the compiler assume that no pixel is infinite, and add in an order of
# its own; the loops are bound by loads, and it gained less than 3 %.
# `parallel` stays off: numba's own threads abort the process when two of ours enter.
kernel: Any = njit(nogil=True, error_model="numpy", cache=True)

# Long sums may be taken in any order: else they are not vectorised. What is made of
# them must not depend on their last bits.
summing: Any = njit(nogil=True, error_model="numpy", cache=True, fastmath={"reassoc"})
