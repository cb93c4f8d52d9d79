"""The blog's site."""

from toolkit import Site

from . import app

site = Site(__file__, apps=[app])
wsgi = site.wsgi
