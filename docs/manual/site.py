"""The site; its settings are in ../toolkit.toml."""

from toolkit import Site

from . import app

site = Site(__file__, apps=[app])
wsgi = site.wsgi
