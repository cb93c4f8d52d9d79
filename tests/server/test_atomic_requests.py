"""``atomic_requests``: what a view writes is written whole, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.database import non_atomic_requests
from toolkit.errors import SettingError
from toolkit.site.databases import Databases
from toolkit.trace import entered

VIEWS = """
from toolkit.database import atomic, non_atomic_requests, on_commit

def write():
    Section.objects.create(name="New", slug="new")

@app.view("/fail/", methods=["GET", "POST"])
def fail(request):
    write()
    raise ZeroDivisionError("after the write")

@app.view("/missing/")
def missing(request):
    write()
    raise NotFound("it is gone")

@app.view("/spoilt/")
def spoilt(request):
    write()
    return Response.template("broken.html", words="<b>")

@app.view("/refused/")
def refused(request):
    write()
    return Response("taken all the same", status=409)

@app.view("/told/")
def told(request):
    on_commit(lambda: Section.objects.create(name="Told", slug="told"))
    return str(Section.objects.count())

@app.view("/inner/")
def inner(request):
    try:
        with atomic():
            write()
            raise ValueError("the inner block alone")
    except ValueError:
        Section.objects.create(name="Outer", slug="outer")
    return "ok"

@app.view("/apart/")
@non_atomic_requests
def apart(request):
    write()
    raise ZeroDivisionError("after the write")

@app.view("/stream/all/")
def stream_all(request):
    return Response((section.slug for section in Section.objects.all()), mimetype="text/plain")
"""


@pytest.fixture
def desk(make_newsroom: Any) -> Any:
    return make_newsroom(pages=VIEWS, settings="atomic_requests = true\n")


def slugs(newsroom: Any) -> list[str]:
    with entered(newsroom.site.scope()):
        return sorted(newsroom.model("Section").objects.values_list("slug", flat=True))


@pytest.mark.parametrize(("path", "status"), [("/fail/", 500), ("/missing/", 404), ("/spoilt/", 500)])
def test_an_error_takes_back_what_the_view_wrote(desk: Any, path: str, status: int) -> None:
    assert (desk.get(path).status, slugs(desk)) == (status, [])
    assert desk.site.database.transaction is None


def test_without_the_setting_each_statement_is_committed(make_newsroom: Any) -> None:
    newsroom = make_newsroom(pages=VIEWS)
    assert (newsroom.get("/fail/").status, slugs(newsroom)) == (500, ["new"])


def test_an_answer_that_is_no_error_is_committed_whatever_its_status(desk: Any) -> None:
    assert (desk.get("/refused/").status, slugs(desk)) == (409, ["new"])


def test_a_function_is_called_after_the_views_commit(desk: Any) -> None:
    assert (desk.get("/told/").body, slugs(desk)) == (b"0", ["told"])


def test_a_block_in_the_view_is_a_savepoint(desk: Any) -> None:
    assert (desk.get("/inner/").status, slugs(desk)) == (200, ["outer"])


def test_a_view_may_be_left_out(desk: Any) -> None:
    assert (desk.get("/apart/").status, slugs(desk)) == (500, ["new"])


def test_a_generator_is_asked_after_the_commit(desk: Any) -> None:
    desk.get("/refused/")
    assert desk.get("/stream/all/").body == b"new"


def test_a_view_is_left_out_for_one_database_by_name() -> None:
    @non_atomic_requests(using="archive")
    def view() -> None: ...

    assert view.non_atomic_requests == {"archive"}


def test_a_further_database_has_a_setting_of_its_own(make_newsroom: Any) -> None:
    newsroom = make_newsroom(
        pages="""
        from toolkit.database import atomic, non_atomic_requests

        @app.view("/both/")
        def both(request):
            request.site.databases["log"].execute("INSERT INTO line VALUES ('read')")
            Section.objects.create(name="New", slug="new")
            raise ZeroDivisionError("after both")

        @app.view("/log/")
        @non_atomic_requests(using="log")
        def log(request):
            request.site.databases["log"].execute("INSERT INTO line VALUES ('apart')")
            raise ZeroDivisionError("after the write")

        @app.view("/named/")
        @non_atomic_requests
        def named(request):
            with atomic(using="log", durable=True):
                request.site.databases["log"].execute("INSERT INTO line VALUES ('named')")
            return "ok"

        @app.view("/unknown/")
        def unknown(request):
            with atomic(using="logs"):
                return "never"
        """,
        settings='databases.log = {url = "sqlite:///log.db", atomic_requests = true}\n',
    )
    log = newsroom.site.databases["log"]
    log.execute("CREATE TABLE line (text TEXT)")
    try:
        assert newsroom.get("/both/").status == 500
        assert (slugs(newsroom), log.fetch("SELECT text FROM line")) == (["new"], [])
        assert newsroom.get("/log/").status == 500
        assert newsroom.get("/named/").status == 200
        assert log.fetch("SELECT text FROM line") == [("apart",), ("named",)]
        assert newsroom.get("/unknown/").status == 500
    finally:
        log.close()


@pytest.mark.parametrize("other", [{"read_only": True}, {"replica_of": "default"}])
def test_a_database_that_is_not_written_has_no_atomic_requests(tmp_path: Any, other: dict[str, Any]) -> None:
    options = {"url": "sqlite://", "atomic_requests": True, **other}
    with pytest.raises(SettingError, match=r"databases\.copy\.atomic_requests: nothing is written there"):
        Databases("sqlite://", {"copy": options}, folder=tmp_path)
