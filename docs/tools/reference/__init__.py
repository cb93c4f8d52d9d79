"""Writes the parts of the reference that are made from the code. See ``__main__``."""
