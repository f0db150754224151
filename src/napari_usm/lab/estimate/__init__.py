"""Numbers of the comparison methods that need a whole image."""
