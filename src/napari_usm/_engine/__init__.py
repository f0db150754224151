"""The engine: blocks of arrays in memory, of dask arrays, and of live results."""
