"""Compare a result with its source, in place."""
