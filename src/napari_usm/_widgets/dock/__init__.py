"""The dock: controls, layout and status."""
