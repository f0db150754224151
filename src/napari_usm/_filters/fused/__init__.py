"""Fused filters: from pixels to the result in one pass."""
