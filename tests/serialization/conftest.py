"""The world of ``world.py``, on SQLite and on each server of TOOLKIT_TEST_DATABASES."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.models.conftest import empty
from tests.serialization.world import URLS, City, Country, Note, Restaurant, Seat, Ticket, Topic, make
from tests.servers import made_once
from toolkit import models
from toolkit.trace import Scope, entered


@pytest.fixture(scope="session")
def find_shared() -> Iterator[Callable[[str], Any]]:
    with made_once(make) as find:
        yield find


@pytest.fixture(scope="session", params=URLS, ids=[url.partition(":")[0] for url in URLS])
def shared(request: pytest.FixtureRequest, find_shared: Callable[[str], Any]) -> Any:
    return find_shared(request.param)


@pytest.fixture
def clear(shared: Any) -> Iterator[Callable[[], None]]:
    """Take all rows away."""
    with shared.counted() as queries:

        def cleared() -> None:
            empty(shared, list(queries))
            queries.clear()

        yield cleared
        cleared()


@pytest.fixture
def scope(shared: Any, clear: Callable[[], None]) -> Iterator[Scope]:
    with entered(Scope(None, shared)) as found:
        yield found


@pytest.fixture
def world(scope: Scope) -> SimpleNamespace:
    """A few rows of everything that refers to others."""
    root = Topic.objects.create(slug="root", name="Root", facts={"a": [1, True, None]})
    leaf = Topic.objects.create(slug="leaf", parent=root, name="Leaf", facts=models.JSONNull())
    root.translate("es", name="Raíz", facts={"a": 1})
    root.translate("ar", name="جذر", facts=None)
    root.akin.set([leaf])
    with scope.database.atomic(), scope.database.references_held():
        City(id=7, name="Lima", country_id=3).save(force_insert=True)
        Country(id=3, name="Peru", capital_id=7).save(force_insert=True)
    City.objects.get(pk=7).topics.set([root, leaf])
    seat = Seat.objects.create(hall="A", number=1, padded=True)
    Ticket.objects.create(seat=seat)
    inn = Restaurant.objects.create(name="Inn", stars=5, dish="Soup")
    inn.topics.set([leaf])
    Note.objects.create(about=inn, text='Good,\n"really"\r\n[good]')
    return SimpleNamespace(root=root, leaf=leaf, seat=seat, inn=inn)
