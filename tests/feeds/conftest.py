from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from toolkit.feeds import Enclosure, Entry, FeedInfo, Person, tag_uri

MORNING = datetime(2026, 3, 1, 8, 0, 30, tzinfo=UTC)


@pytest.fixture
def info() -> FeedInfo:
    """The Courier's feed."""
    return FeedInfo(
        id=tag_uri("courier.example", "2026", "feed"),
        title="The Courier & friends",
        url="https://courier.example/",
        feed_url="https://courier.example/feed.xml",
        language="en",
    )


@pytest.fixture
def story() -> Entry:
    """An entry with everything an entry can have."""
    return Entry(
        id=tag_uri("courier.example", "2026", "story/41"),
        url="https://courier.example/news/flood/",
        title="Water < 2 m & rising",
        updated=MORNING,
        published=datetime(2026, 2, 28, 23, 0, tzinfo=UTC),
        summary="The river is <high> & rising.",
        content='<p>See <a href="/map/">the map</a>. <img src="f.jpg" alt=""></p><script>no()</script>',
        authors=(
            Person("Inés Roca", "ines@courier.example", "https://courier.example/people/ines/"),
            Person("B. Ode"),
        ),
        categories=("Weather", "Alder & Bay"),
        enclosures=(
            Enclosure("https://courier.example/flood.mp3", "audio/mpeg", 1234),
            Enclosure("https://courier.example/flood.pdf", "application/pdf", 99),
        ),
        language="es",
        point=(-3.5, 40.25),
    )


def other(entry: Entry, **changes: Any) -> Entry:
    """A second, plain entry."""
    plain = replace(entry, id="tag:courier.example,2026:story/42", url="https://courier.example/2/", title="Second")
    return replace(plain, content="", authors=(), enclosures=(), point=None, language=None, **changes)
