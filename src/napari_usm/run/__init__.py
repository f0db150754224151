"""Where a method runs: on numpy arrays block by block, on dask arrays lazily."""
