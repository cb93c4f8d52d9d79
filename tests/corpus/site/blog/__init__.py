"""A blog whose posts nobody tidied before they came here."""

from toolkit import App

app = App("blog")
"""Stories, and the authors and tags that they name."""
