"""For people who test their sites: a client, temporary sites, a stopped clock, recorded events, compared builds."""

from toolkit.site.code import forget_modules
from toolkit.testing.builds import assert_builds_equal, record_events
from toolkit.testing.client import Answer, Client
from toolkit.testing.clock import frozen
from toolkit.testing.sites import temporary_site

__all__ = [
    "Answer",
    "Client",
    "assert_builds_equal",
    "forget_modules",
    "frozen",
    "record_events",
    "temporary_site",
]
