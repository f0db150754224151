"""The functions of the methods for the lab, made as the public ones of `api`."""
