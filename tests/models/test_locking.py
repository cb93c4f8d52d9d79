"""Two who write the same row: versions refuse the second, locks make it wait, and eight threads make one row."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.schema import CreateTable

from tests.tables import resolved
from toolkit import models
from toolkit.database import atomic
from toolkit.errors import (
    DeclarationError,
    FieldError,
    IntegrityError,
    LockedError,
    StaleInstanceError,
    ToolkitError,
    TransactionError,
)
from toolkit.models import Count, F
from toolkit.models.schema import Schema
from toolkit.models.sqltext import placeholder
from toolkit.trace import Scope, entered


class Desk(models.Model):
    name = models.CharField(max_length=20)


class Page(models.Model):
    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=50)
    views = models.IntegerField(default=0)
    desk = models.ForeignKey(Desk, on_delete=models.SET_NULL, null=True)
    body = models.MarkdownField(default="")
    version = models.VersionField()


class Shelf(models.Model):
    desks = models.ManyToManyField(Desk, related_name="shelves")


EVERY = resolved({"wiki": [Desk, Page, Shelf]})


@pytest.fixture(scope="module")
def wiki(
    request: pytest.FixtureRequest, shared_database: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    url = shared_database.url
    if shared_database.dialect == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('wiki')}/wiki.db"
    made: Any = request.getfixturevalue("newsroom_models").opened_apart(url)
    made.schema = Schema(EVERY, made.dialect)
    for table in made.schema.metadata.sorted_tables:
        made.execute(str(CreateTable(table).compile(dialect=made.sqlalchemy_dialect)))
    yield made
    made.drop()


@pytest.fixture
def page(wiki: Any) -> Iterator[Page]:
    with entered(Scope(None, wiki)):
        Page.objects.all().delete()
        Desk.objects.all().delete()
        Shelf.objects.all().delete()
        yield Page.objects.create(slug="flood", title="Flood")


def in_threads(database: Any, *work: Callable[[], Any]) -> list[Any]:
    """What each function gives, or its error; all start together."""
    start, answers = threading.Barrier(len(work)), [None] * len(work)

    def run(number: int) -> None:
        with entered(Scope(None, database)):
            start.wait(20)
            try:
                answers[number] = work[number]()
            except ToolkitError as error:
                answers[number] = error
            database.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def test_a_version_counts_every_write(page: Page) -> None:
    assert page.version == 1
    page.title = "The flood"
    page.save()
    Page.objects.update(views=F("views") + 1)
    page.refresh_from_db()
    Page.objects.bulk_update([page], ["title"])
    assert (page.version, Page.objects.get().version) == (4, 4)
    Page.objects.bulk_create(
        [Page(slug="flood", title="Again")],
        update_conflicts=True,
        update_fields=["slug", "title"],
        unique_fields=["slug"],
    )
    assert Page.objects.get().version == 5


def test_save_of_a_stale_instance_is_refused_and_tells_what_changed(page: Page) -> None:
    mine, theirs = Page.objects.get(), Page.objects.get()
    theirs.title = "Theirs"
    theirs.save()
    mine.title = "Mine"
    told = (
        rf"Page {mine.pk} was changed by somebody else since it was read: it has version 2 in the database, "
        r"and 1 here; title is 'Theirs' there and was 'Flood'\. Nothing was written"
    )
    with pytest.raises(StaleInstanceError, match=told) as refusal:
        mine.save()
    assert refusal.value.differences == {"title": ("Flood", "Theirs")}
    with pytest.raises(StaleInstanceError, match=r"delete\(even_if_stale=True\)"):
        mine.delete()
    with pytest.raises(StaleInstanceError):
        Page.objects.bulk_update([mine], ["title"])
    assert Page.objects.get().title == "Theirs"
    mine.save(even_if_stale=True)
    assert (Page.objects.get().title, mine.version) == ("Mine", 3)
    theirs.refresh_from_db()
    theirs.delete()
    assert Page.objects.count() == 0


def test_sql_that_raises_no_version_is_found_too(page: Page, wiki: Any) -> None:
    loaded = Page.objects.get()
    loaded.save()
    for stale in (loaded, Page.objects.get(), page):
        wiki.execute(f"UPDATE wiki_page SET title = {placeholder(wiki.dialect)}", [f"by hand {id(stale)}"])
        stale.views = 5
        with pytest.raises(StaleInstanceError, match="title is 'by hand" if stale is not page else "version"):
            stale.save()


def test_a_version_that_was_read_long_ago_is_refused(page: Page) -> None:
    page.save()
    fresh = Page.objects.get()
    fresh.version = 1  # as a form sends it back
    with pytest.raises(StaleInstanceError, match="version 2 in the database, and 1 here"):
        fresh.save()


def test_what_was_not_loaded_does_not_make_stale(page: Page) -> None:
    part = Page.objects.only("title").get()
    Page.objects.filter(pk=page.pk).update(views=9, version=1)
    part.title = "Part"
    part.save()
    again = Page.objects.get()
    assert (again.title, again.views, again.version) == ("Part", 9, 2)


def test_letting_go_of_a_deleted_row_raises_the_version(page: Page) -> None:
    desk = Desk.objects.create(name="City")
    page.desk = desk
    page.save()
    desk.delete()
    again = Page.objects.get()
    assert (again.desk_id, again.version) == (None, 3)


def test_a_model_has_one_version() -> None:
    with pytest.raises(DeclarationError, match="a model has one version"):

        class Twice(models.Model):
            first = models.VersionField()
            second = models.VersionField()


def test_of_eight_savers_one_wins(page: Page, wiki: Any) -> None:
    loaded = [Page.objects.get() for _ in range(8)]
    for number, each in enumerate(loaded):
        each.title = f"by {number}"
    answers = in_threads(wiki, *(each.save for each in loaded))
    assert sorted(str(type(answer).__name__) for answer in answers) == ["NoneType"] + ["StaleInstanceError"] * 7
    assert Page.objects.get().version == 2


def test_a_counter_with_f_loses_nothing(page: Page, wiki: Any) -> None:
    def count() -> None:
        for _ in range(10):
            Page.objects.filter(pk=page.pk).update(views=F("views") + 1)

    assert in_threads(wiki, count, count, count, count) == [None] * 4
    assert Page.objects.get().views == 40


def test_f_in_save_is_computed_by_the_database(page: Page) -> None:
    page.views = F("views") + 7
    page.save()
    assert page.views == 7


def test_eight_threads_get_or_create_one_row(page: Page, wiki: Any) -> None:
    def ask() -> bool:
        return Page.objects.get_or_create(slug="storm", defaults={"title": "Storm"})[1]

    answers = in_threads(wiki, *[ask] * 8)
    assert sorted(answers, key=str) == [False] * 7 + [True]
    assert Page.objects.filter(slug="storm").count() == 1


def test_eight_threads_update_or_create_one_row_and_no_change_is_lost(page: Page, wiki: Any) -> None:
    def ask() -> bool:
        return Page.objects.update_or_create(
            slug="storm", defaults={"views": F("views") + 1}, create_defaults={"title": "Storm", "views": 1}
        )[1]

    answers = in_threads(wiki, *[ask] * 8)
    assert sorted(answers, key=str) == [False] * 7 + [True]
    assert Page.objects.get(slug="storm").views == 8


def test_threads_that_add_and_remove_the_same_partners_are_in_nobodys_way(page: Page, wiki: Any) -> None:
    """MariaDB gives some of them up in a deadlock, and they are tried again."""
    desks = Desk.objects.bulk_create([Desk(name=name) for name in "abcde"])
    shelf = Shelf.objects.create()

    def arrange() -> None:
        mine = Shelf.objects.get(pk=shelf.pk)
        for kept in (2, 4, 3):
            mine.desks.add(*desks)
            mine.desks.set(desks[kept:])
        mine.desks.clear()
        mine.desks.add(*desks[::-1])

    assert in_threads(wiki, *[arrange] * 6) == [None] * 6
    assert sorted(shelf.desks.values_list("name", flat=True)) == list("abcde")


def test_a_lock_makes_the_other_wait_or_fail_or_pass_over(page: Page, wiki: Any) -> None:
    if wiki.dialect == "sqlite":
        with atomic():
            assert Page.objects.select_for_update(nowait=True).get() == page
        return
    other = Page.objects.create(slug="storm", title="Storm")

    def fail() -> Any:
        with atomic():
            return Page.objects.select_for_update(nowait=True).get(pk=page.pk)

    def skip() -> Any:
        with atomic():
            return list(Page.objects.select_for_update(skip_locked=True).values_list("slug", flat=True))

    with atomic():
        Page.objects.select_for_update().get(pk=page.pk)
        failed, passed = in_threads(wiki, fail, skip)
    assert isinstance(failed, LockedError)
    assert passed == [other.slug]


def test_a_delete_by_partners_waits_for_no_row_that_it_does_not_mean(page: Page, wiki: Any) -> None:
    """MariaDB read the whole table for it, and waited at each row that somebody had locked."""
    if wiki.dialect == "sqlite":
        pytest.skip("who writes is the only one")
    desk = Desk.objects.create(name="City")
    Page.objects.bulk_create([Page(slug=f"page-{i}", title="Page", desk=desk if i == 7 else None) for i in range(200)])
    mysql = wiki.dialect == "mysql"
    bound, seconds = ("innodb_lock_wait_timeout", "1") if mysql else ("lock_timeout", "'1s'")

    def change() -> Any:
        wiki.execute(f"SET {bound} = {seconds}")
        try:
            rows = Page.objects.filter(desk__name="City")
            return rows.update(views=F("views") + 1, title="Gone"), rows.delete()
        finally:
            wiki.execute(f"SET {bound} = DEFAULT")

    with atomic():
        Page.objects.select_for_update().get(pk=page.pk)
        assert in_threads(wiki, change) == [(1, {"wiki.Page": 1})]


def test_locking_outside_of_a_transaction_is_refused(page: Page, wiki: Any) -> None:
    with pytest.raises(TransactionError, match=r"outside of a transaction locks nothing.*atomic"):
        list(Page.objects.select_for_update())
    assert Page.objects.select_for_update().count() == 1
    with pytest.raises(FieldError, match="exclude each other"):
        Page.objects.select_for_update(nowait=True, skip_locked=True)
    if wiki.dialect != "sqlite":
        for rows in (Page.objects.values("slug").annotate(n=Count("pk")), Page.objects.values("slug").distinct()):
            with pytest.raises(FieldError, match="groups and distinct values are no rows"), atomic():
                list(rows.select_for_update())


def test_a_lock_of_some_tables_only(page: Page, wiki: Any) -> None:
    rows = Page.objects.select_related("desk").select_for_update(of=["self"], no_key=True)
    if wiki.dialect == "mysql":
        with pytest.raises(FieldError, match="this database has no such lock"), atomic():
            list(rows)
        return
    with atomic():
        assert list(rows) == [page]
        assert list(Page.objects.select_related("desk").select_for_update()) == [page]


def test_a_lock_of_what_is_not_selected_is_refused_everywhere(page: Page, wiki: Any) -> None:
    with pytest.raises(FieldError, match=r"'desk_' is not selected along\. Did you mean 'desk'"), atomic():
        list(Page.objects.select_related("desk").select_for_update(of=["desk_"]))
    with pytest.raises(FieldError, match=r"'desk' may be empty, .* Desk\.objects\.select_for_update"), atomic():
        list(Page.objects.select_related("desk").select_for_update(of=["desk"]))


def test_a_lock_of_one_table_leaves_the_other_free(page: Page, wiki: Any) -> None:
    if wiki.dialect != "postgresql":
        pytest.skip("of= and no_key= are PostgreSQL's")
    page.desk = Desk.objects.create(name="City")
    page.save()

    def lock_desk() -> Any:
        with atomic():
            return Desk.objects.select_for_update(nowait=True).get().name

    def lock_page() -> Any:
        with atomic():
            return Page.objects.select_for_update(nowait=True).get().slug

    with atomic():
        list(Page.objects.select_related("desk").select_for_update(of=["self"]))
        desk, other = in_threads(wiki, lock_desk, lock_page)
    assert (desk, type(other)) == ("City", LockedError)


def test_a_lock_without_the_key_lets_others_refer_to_the_row(page: Page, wiki: Any) -> None:
    if wiki.dialect != "postgresql":
        pytest.skip("of= and no_key= are PostgreSQL's")
    desk = Desk.objects.create(name="City")

    def refer() -> Any:
        with atomic():
            wiki.execute("SET LOCAL lock_timeout = '200ms'")
            return Page.objects.create(slug="storm", title="Storm", desk=desk).slug

    for options, expected in (({"no_key": True}, "storm"), ({}, LockedError)):
        with atomic():
            Desk.objects.select_for_update(**options).get()
            (answer,) = in_threads(wiki, refer)
        assert answer == expected or type(answer) is expected
        Page.objects.filter(slug="storm").delete()


def test_conflicts_are_passed_over_or_updated(page: Page, wiki: Any) -> None:
    rows = [Page(slug="flood", title="New flood"), Page(slug="storm", title="Storm")]
    assert [row.pk for row in Page.objects.bulk_create(rows, ignore_conflicts=True)] == [None, None]
    assert list(Page.objects.order_by("slug").values_list("slug", "title")) == [("flood", "Flood"), ("storm", "Storm")]
    rows = [
        Page(slug="storm", title="Big storm"),
        Page(slug="fire", title="Fire"),
        Page(slug="flood", title="Big flood"),
    ]
    found = Page.objects.bulk_create(rows, update_conflicts=True, update_fields=["title"], unique_fields=["slug"])
    assert [row.pk for row in found] == [Page.objects.get(slug=row.slug).pk for row in rows]
    assert list(Page.objects.order_by("slug").values_list("title", flat=True)) == ["Fire", "Big flood", "Big storm"]
    with pytest.raises(IntegrityError, match=r"(?i)null|a value is required"):
        Page.objects.bulk_create([Page(slug="x", title=None)], ignore_conflicts=True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"ignore_conflicts": True, "update_conflicts": True}, "exclude each other"),
        ({"unique_fields": ["slug"]}, "need update_conflicts=True"),
        ({"update_conflicts": True, "update_fields": ["title"]}, r'unique_fields=\["slug"\]'),
        ({"update_conflicts": True, "update_fields": ["titel"], "unique_fields": ["slug"]}, "Did you mean 'title'"),
        ({"update_conflicts": True, "update_fields": ["title"], "unique_fields": ["views"]}, "makes views unique"),
        ({"batch_size": 0}, "must be a whole number above 0"),
        (
            {"update_conflicts": True, "update_fields": ["slug"], "unique_fields": ["slug"]},
            "what tells rows apart, 'slug'",
        ),
    ],
)
def test_bulk_create_refuses_what_makes_no_sense(page: Page, options: dict[str, Any], told: str) -> None:
    with pytest.raises(FieldError, match=told):
        Page.objects.bulk_create([Page(slug="a", title="a")], **options)


def test_a_generator_is_asked_batch_by_batch_and_its_rows_may_be_let_go(page: Page, wiki: Any) -> None:
    made: list[int] = []

    def rows() -> Iterator[Page]:
        for number in range(25):
            made.append(number)
            yield Page(slug=f"p{number}", title="p")

    with wiki.counted() as queries:
        assert Page.objects.bulk_create(rows(), batch_size=10, collect=False) == []
    assert sum(query.startswith("INSERT") for query in queries) == 3
    assert (len(made), Page.objects.count()) == (25, 26)


def test_bulk_update_writes_each_its_own_and_counts_those_that_are_there(page: Page) -> None:
    pages = Page.objects.bulk_create([Page(slug=f"p{n}", title="p") for n in range(30)])
    for number, each in enumerate(pages):
        each.title, each.views = f"title {number}", number
    pages[3].views = F("id") + 1
    assert Page.objects.bulk_update(pages, ["title", "views"], batch_size=7) == 30
    assert Page.objects.bulk_update(pages, ["title"], batch_size=None) == 30
    assert len(Page.objects.bulk_create([Page(slug="last", title="p")], batch_size=None)) == 1
    assert Page.objects.get(slug="p29").title == "title 29"
    assert Page.objects.get(slug="p3").views == pages[3].pk + 1
    with pytest.raises(FieldError, match="is the key or computed"):
        Page.objects.bulk_update(pages, ["id"])
    with pytest.raises(IntegrityError, match="has no key yet"):
        Page.objects.bulk_update([Page(slug="x")], ["title"])


def test_save_says_what_it_is_told_to_do(page: Page, wiki: Any) -> None:
    with pytest.raises(FieldError, match="to insert and to update"):
        page.save(force_insert=True, force_update=True)
    with wiki.counted() as queries:
        page.save(update_fields=[])
    assert queries == []
    with pytest.raises(IntegrityError, match="there is no such row"):
        Page(pk=9999, slug="x", title="x").save(force_update=True)
    page.pk = None
    page.slug = "copy"
    page.save()
    assert Page.objects.count() == 2


def test_refresh_of_some_fields_leaves_the_others(page: Page) -> None:
    page.views = 99
    Page.objects.update(title="Other", views=1)
    page.refresh_from_db(fields=["title"])
    assert (page.title, page.views) == ("Other", 99)
