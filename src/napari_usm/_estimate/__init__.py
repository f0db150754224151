"""Numbers that need a whole image; each is a sum over blocks and a last step."""
