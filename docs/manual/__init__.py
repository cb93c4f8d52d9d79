"""The manual of publishing-toolkit, published by the toolkit itself."""

from toolkit import App

app = App("manual")
