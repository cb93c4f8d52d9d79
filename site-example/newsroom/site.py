"""The site: which apps it is made of. Its settings are in ../toolkit.toml."""

from toolkit import Site

from . import app

site = Site(__file__, apps=[app])
wsgi = site.wsgi  # for any WSGI server: gunicorn newsroom.site:wsgi
