"""The steps of the autodetector."""
