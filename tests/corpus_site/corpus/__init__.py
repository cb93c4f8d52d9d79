"""Real posts that nobody tidied, with everything a blog shows of them."""

from toolkit import App

app = App("corpus")
"""Stories, their authors and tags."""
