"""Compiled inner loops: no checks, no policy, no threads.

Contract shared by every kernel:

* arrays are memory in one dimension, in this machine's byte order; pixels are writeable,
  taps and indices that are kept are not: for numba that makes two types;
* pixels are finite, unless a kernel says whether they were; what is written never
  overlaps what is read;
* nothing is validated or raised; `_filters/` has checked everything before;
* the GIL is released, and no kernel starts threads: the engine does.

One blur has one result: for every pixel, ``w[0] * centre`` and then, in order of
distance, one fused multiply-add of ``w[k]`` and the sum of the pair at distance k; to
a coarser grid and back one fused multiply-add for every pixel, or point, in order. So
the same bits come out of every kernel, block, direction of an axis and machine.
"""
