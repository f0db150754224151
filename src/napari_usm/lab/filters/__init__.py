"""Terms of the comparison methods, each on one block of pixels."""
