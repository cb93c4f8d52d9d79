"""The key of a row that is gone is given to no other: what is kept by key elsewhere would take one for the other."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.database import Database
from toolkit.errors import IntegrityError


def delete_last(m: Any) -> int:
    """Two tags, of which the last is deleted: its key."""
    m.Tag.objects.create(name="a", slug="a")
    last = m.Tag.objects.create(name="b", slug="b")
    key = int(last.pk)
    last.delete()
    return key


def test_save_gives_a_new_row_a_new_key(m: Any, scope: Any) -> None:
    gone = delete_last(m)
    assert m.Tag.objects.create(name="c", slug="c").pk > gone


def test_bulk_create_gives_new_rows_new_keys(m: Any, scope: Any) -> None:
    gone = delete_last(m)
    made = m.Tag.objects.bulk_create([m.Tag(name=f"t{n}", slug=f"t{n}") for n in range(45)])
    assert min(tag.pk for tag in made) > gone
    assert len({tag.pk for tag in made}) == m.Tag.objects.filter(pk__gt=gone).count() == 45


@pytest.mark.usefixtures("first_keys")
def test_a_key_of_ones_own_moves_the_counter(m: Any, scope: Any) -> None:
    m.Tag.objects.bulk_create([m.Tag(id=40 + n, name=f"t{n}", slug=f"t{n}") for n in range(25)])
    scope.database.backend.keys_were_given(scope.database, "news_tag", "id")
    m.Tag.objects.filter(pk=64).delete()
    assert m.Tag.objects.create(name="c", slug="c").pk == 65


@pytest.mark.usefixtures("first_keys")
def test_postgresql_says_how_to_count_on_behind_keys_of_ones_own(m: Any, scope: Any) -> None:
    m.Tag.objects.bulk_create([m.Tag(id=n, name=f"t{n}", slug=f"t{n}") for n in (1, 2, 3)])
    if scope.database.dialect != "postgresql":
        assert m.Tag.objects.create(name="c", slug="c").pk == 4
        return
    told = r"Tag: the key that the database gave is taken by a row that was written with a key of its own\. .*behind"
    for write in (m.Tag.objects.create, lambda **values: m.Tag.objects.bulk_create([m.Tag(**values)])):
        with pytest.raises(IntegrityError, match=told) as refusal, scope.database.atomic():
            write(name="c", slug="c")
    scope.database.fetch(refusal.value.hint.partition(": ")[2])
    assert m.Tag.objects.create(name="c", slug="c").pk == 4


def test_an_emptied_table_goes_on_counting(m: Any, scope: Any) -> None:
    gone = delete_last(m)
    m.Tag.objects.all().delete()
    assert m.Tag.objects.bulk_create([m.Tag(name="c", slug="c")])[0].pk > gone


@pytest.mark.parametrize("count", [1, 19, 20, 21, 60])
def test_rows_of_several_statements_are_all_written_or_none(m: Any, scope: Any, count: int) -> None:
    rows = [m.Tag(id=n, name=f"name {n}", slug=f"t{n}") for n in range(1, count + 1)]
    m.Tag.objects.bulk_create(rows)
    assert list(m.Tag.objects.order_by("pk").values_list("pk", "name")) == [(row.pk, row.name) for row in rows]
    with pytest.raises(IntegrityError):
        m.Tag.objects.bulk_create([m.Tag(id=n, name="x", slug=f"u{n}") for n in range(count + 30, count - 1, -1)])
    assert m.Tag.objects.count() == count


def test_a_table_without_a_counter_has_no_last_key() -> None:
    database = Database("sqlite://")
    database.execute("CREATE TABLE old (id INTEGER PRIMARY KEY)")
    assert database.backend.last_key(database, "old") == 0
    database.execute("CREATE TABLE new (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    database.execute("INSERT INTO old VALUES (7)")
    assert database.backend.last_key(database, "new") == 0
    database.execute("INSERT INTO new VALUES (7)")
    database.execute("DELETE FROM new")
    assert database.backend.last_key(database, "NEW") == 7
    assert database.backend.next_keys(database, "new", "id", 2) == range(8, 10)
    assert database.backend.next_keys(database, "old", "id", 2) == range(8, 10)
    database.close()
