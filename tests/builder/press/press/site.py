"""The site."""

from toolkit import Site

from . import app

site = Site(__file__, apps=[app])
