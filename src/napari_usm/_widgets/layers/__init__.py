"""Layers in, layers out: runs, results and kept layers."""
