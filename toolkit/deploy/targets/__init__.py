"""The places that a build can be put to."""
