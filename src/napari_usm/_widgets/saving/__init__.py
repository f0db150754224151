"""Layers and results that are written to files."""
