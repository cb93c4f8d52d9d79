"""The Alder Bay Courier, a newspaper for a town that does not exist."""

from toolkit import App

app = App("newsroom")
