"""The site over HTTP: the same pages as the build's, on demand."""

from toolkit.server.application import Application
from toolkit.server.serve import serve

__all__ = ["Application", "serve"]
