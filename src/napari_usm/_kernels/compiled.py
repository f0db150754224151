"""Options and locks of the compiler for all kernels."""

import os
from typing import Any

from numba import njit
from numba.core.compiler_lock import global_compiler_lock

# Compiled at the first call and kept on disk, until the kernel's own file changes:
# not when that of a kernel it calls does (docs/contributing.md). `fastmath` stays off:
# it would let the compiler assume that no pixel is infinite, and add in an order of
# its own; the loops are bound by loads, and it gained less than 3 %.
# `parallel` stays off: numba's own threads abort the process when two of ours enter.
kernel: Any = njit(nogil=True, error_model="numpy", cache=True)

# Long sums may be taken in any order: else they are not vectorised. What is made of
# them must not depend on their last bits.
summing: Any = njit(nogil=True, error_model="numpy", cache=True, fastmath={"reassoc"})

if hasattr(os, "register_at_fork"):
    # A process is not forked while a kernel is compiled: numba's lock would stay locked
    # in the child.
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )
