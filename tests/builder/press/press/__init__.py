"""A small press."""

from toolkit import App

app = App("press")
