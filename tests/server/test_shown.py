"""No file that only hidden stories use is given to readers; asked over a real socket."""

from __future__ import annotations

import http.client
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator

import pytest
from PIL import Image

from tests.servers import SERVERS
from toolkit.builder import Builder
from toolkit.database import Database
from toolkit.server.application import Application
from toolkit.server.likely import find_likely
from toolkit.server.shown import Shown
from toolkit.trace import EDITOR, entered

MODELS = """
class Country(models.Model):
    code = models.SlugField(unique=True)

class Report(models.Model):
    slug = models.SlugField(unique=True)
    photo = models.CharField(max_length=80, blank=True)
    body = models.MarkdownField(blank=True, translated=True)
    blocks = models.JSONField(default=list, blank=True)
    country = models.ForeignKey(Country, null=True, blank=True, on_delete=models.PROTECT)
    published = models.DateTimeField()
    expires = models.DateTimeField(null=True, blank=True)
    class Meta:
        ordering = ["slug"]
        public = Q(published__lte=Now()) & ~Q(expires__lte=Now())
        untranslated = "show"

class Brief(Report):
    class Meta:
        proxy = True
        public = Q(country=None)

class Shot(models.Model):
    path = models.CharField(max_length=80)
    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="shots")
"""
PAGES = """
from .models import Brief, Country, Report

@app.page("/reports/<slug>/", each=Report.objects.all(), template="report.html")
def report(report):
    return {}

@app.page("/in/<code>/", each=Country.objects.all(), template="country.html")
def country(country):
    return {}

@app.page("/brief/<slug>/", each=Brief.objects.all(), template="report.html")
def brief(report):
    return {}

@app.view("/gallery/")
def gallery(request):
    return Response.template("gallery.html", reports=Report.objects.all())

@app.view("/desk/")
def desk(request):
    return Response.template("gallery.html", reports=Report.objects.unrestricted())
"""
TEMPLATES = {
    "templates/report.html": '{{ stylesheet("css/report.css") }}{% if report.photo %}{{ image(report.photo, alt="") }}'
    "{{ asset(report.photo) }}{% endif %}{{ report.body|markdown }}{% for one in report.blocks %}{{ asset(one.src) }}"
    "{% endfor %}{% for shot in report.shots.all() %}{{ asset(shot.path) }} {% endfor %}",
    "templates/country.html": '{{ asset("flags/" ~ country.code ~ ".png") }}',
    "templates/gallery.html": '{% for one in reports %}{{ image(one.photo, alt="", widths=[7]) }}{% endfor %}',
    "static/css/report.css": "@font-face { font-family: a; src: url(a.woff2) } body { background: url(../paper.svg) }",
    "static/css/a.woff2": "font",
    "static/paper.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
}
SETTINGS = "image_widths = [10, 20]\nmarkdown_images = true\n"
PHOTOS = ("draft", "live", "later", "past", "both", "body", "shot", "json", "nobody")


def picture(name: str) -> bytes:
    file = BytesIO()
    Image.new("RGB", (20, 10), (len(name) * 9, ord(name[0]), ord(name[-1]))).save(file, "JPEG")
    return file.getvalue()


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        pass


class Served:
    """The newsroom behind a socket."""

    def __init__(self, room: Any, port: int) -> None:
        self.room, self.port = room, port

    def __call__(self, path: str, *, method: str = "GET", **headers: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        found = {name.lower(): value for name, value in response.getheaders() if name != "Date"}
        return response.status, found, body

    def status(self, path: str, **options: str) -> int:
        found: int = self(path, **options)[0]
        return found

    def report(self, slug: str, *, seconds: float = -60, expires: float | None = None, **values: Any) -> Any:
        """A report that is published this many seconds from now."""
        now = datetime.now(UTC)
        values["published"] = now + timedelta(seconds=seconds)
        if expires is not None:
            values["expires"] = now + timedelta(seconds=expires)
        with entered(self.room.site.scope(viewer=EDITOR)):
            return self.room.model("Report").objects.create(slug=slug, **values)

    def renditions(self, page: str) -> list[str]:
        body = self(page)[2].decode()
        return [word for word in body.replace('"', " ").replace(",", " ").split() if word.startswith("/renditions/")]

    def url(self, path: str) -> str:
        found: str = self.room.site.assets.asset(path)
        return found

    def start_anew(self) -> None:
        """Another process of the server."""
        self.room.application = Application(self.room.site)


@pytest.fixture
def served(make_newsroom: Callable[..., Any]) -> Iterator[Served]:
    room = make_newsroom(pages=PAGES, models=MODELS, settings=SETTINGS, files=TEMPLATES)
    for name in PHOTOS:
        room.write(f"static/photos/{name}.jpg", picture(name))
    for code in ("fr", "zz"):
        room.write(f"static/flags/{code}.png", picture(code))

    def application(environ: Any, start_response: Any) -> Any:
        return room.application(environ, start_response)

    with make_server("127.0.0.1", 0, validator(application), handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield Served(room, server.server_port)
        finally:
            server.shutdown()
            thread.join()


def test_a_drafts_file_does_not_exist(served: Served) -> None:
    served.report("draft", seconds=9000, photo="photos/draft.jpg")
    nothing = served("/static/photos/nothing.jpg")
    for path in ("/static/photos/draft.jpg", served.url("photos/draft.jpg"), "/static/photos/draft.0123456789ab.jpg"):
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            assert served.status(path, method=method) == 404, (path, method)
        assert served(path)[1:] == nothing[1:], "nothing tells it from a file that is not there"
        assert served.status(path, Range="bytes=0-9", If_None_Match="*") == 404
        assert served.status(f"{path}/index.html") == 404
    assert nothing[1]["cache-control"] in ("no-cache", "no-store")


def test_a_public_storys_file_is_there_though_nobody_read_the_story(served: Served) -> None:
    served.report("live", photo="photos/live.jpg")
    status, headers, body = served(served.url("photos/live.jpg"))
    assert (status, body) == (200, picture("live"))
    assert headers["cache-control"] == "public, max-age=31536000, s-maxage=0, immutable"
    assert served.status(served.url("photos/live.jpg"), Range="bytes=0-9") == 206
    assert served.status(served.url("photos/live.jpg"), If_None_Match=headers["etag"]) == 304
    assert served.status("/static/photos/live.jpg", method="POST") == 405
    assert served("/static/photos/live.jpg")[1]["cache-control"] == "no-cache"


def test_a_scheduled_storys_file_comes_at_its_time(served: Served, pass_seconds: Callable[[float], None]) -> None:
    served.report("later", seconds=90, photo="photos/later.jpg")
    assert served.status(served.url("photos/later.jpg")) == 404
    pass_seconds(91)
    assert served.status(served.url("photos/later.jpg")) == 200


def test_an_expired_storys_files_are_gone(served: Served, pass_seconds: Callable[[float], None]) -> None:
    served.report("past", photo="photos/past.jpg", expires=90)
    (rendition, *_) = served.renditions("/reports/past/")
    assert [served.status(served.url("photos/past.jpg")), served.status(rendition)] == [200, 200]
    pass_seconds(91)
    assert [served.status(served.url("photos/past.jpg")), served.status(rendition)] == [404, 404]


def test_a_file_of_a_draft_and_a_public_story_is_public(served: Served) -> None:
    served.report("a-draft", seconds=9000, photo="photos/both.jpg")
    public = served.report("public", photo="photos/both.jpg")
    assert served.status(served.url("photos/both.jpg")) == 200
    with entered(served.room.site.scope(viewer=EDITOR)):
        public.photo = ""
        public.save()
    assert served.status(served.url("photos/both.jpg")) == 404


def test_an_edit_that_publishes_is_seen_at_once(served: Served) -> None:
    served.report("draft", seconds=9000, photo="photos/draft.jpg")
    assert served.status(served.url("photos/draft.jpg")) == 404
    table = served.room.model("Report")._meta.table
    served.room.sql(f"UPDATE {table} SET published = '2020-01-01 00:00:00+00:00'")
    assert served.status("/reports/draft/") == 200
    assert served.status(served.url("photos/draft.jpg")) == 200


def test_renditions_of_every_format_are_hidden_with_their_story(served: Served) -> None:
    served.report("draft", seconds=9000, photo="photos/draft.jpg")
    served.report("live", photo="photos/live.jpg")
    preview = Application(served.room.site, preview=True)
    reader, served.room.application = served.room.application, preview
    try:
        hidden, shown = served.renditions("/reports/draft/"), served.renditions("/reports/live/")
        assert served.status(hidden[0]) == 200
        assert served("/static/photos/draft.jpg")[1]["cache-control"] == "private, no-cache"
    finally:
        served.room.application = reader
        preview.close()
    assert {url.rpartition(".")[2] for url in hidden} == {"avif", "webp", "jpg"}
    assert {served.status(url, method=method) for url in hidden for method in ("GET", "HEAD", "POST")} == {404}
    assert {served.status(url) for url in shown} == {200}


def test_of_two_equal_images_one_may_be_hidden(served: Served) -> None:
    for folder in ("a", "b"):
        served.room.write(f"static/{folder}/twin.jpg", picture("twin"))
    served.report("one", photo="a/twin.jpg")
    served.report("other", photo="b/twin.jpg")
    shown = served.renditions("/gallery/")
    served.room.sql(f"DELETE FROM {served.room.model('Report')._meta.table} WHERE slug = 'one'")
    assert shown and {*served.renditions("/gallery/")} == {*shown}
    assert {served.status(url) for url in shown} == {200}


def test_what_the_site_itself_names_is_always_there(served: Served) -> None:
    """Without any story, and without any page asked for."""
    for name in ("site.css", "css/report.css", "css/a.woff2", "paper.svg"):
        status, headers, _ = served(served.url(name))
        assert (status, headers["cache-control"]) == (200, "public, max-age=31536000, immutable"), name
    assert served.status("/favicon.svg") == served.status("/robots.txt") == 200


def test_a_file_that_nothing_uses_is_left_out_as_the_build_leaves_it_out(served: Served) -> None:
    assert served.status(served.url("photos/nobody.jpg")) == 404
    served.room.write("templates/about.html", "{{ asset('photos/nobody.jpg') }}")
    served.status("/about/")
    assert served.status(served.url("photos/nobody.jpg")) == 200


@pytest.mark.parametrize("seconds", [-60, 9000])
def test_files_are_found_by_what_rows_say(served: Served, seconds: float) -> None:
    """In Markdown, in JSON, in rows of others that have no page, and of no publicity of their own."""
    values = {"body": "![](photos/body.jpg)", "blocks": [{"src": "photos/json.jpg"}], "seconds": seconds}
    report = served.report("many", **values)
    with entered(served.room.site.scope(viewer=EDITOR)):
        served.room.model("Shot").objects.create(path="photos/shot.jpg", report=report)
    for name in ("json", "shot"):
        assert served.status(served.url(f"photos/{name}.jpg")) == (200 if seconds < 0 else 404), name
    preview = Application(served.room.site, preview=True)
    reader, served.room.application = served.room.application, preview
    urls = served.renditions("/reports/many/")
    served.room.application = reader
    preview.close()
    assert urls and {served.status(url) for url in urls} == {200 if seconds < 0 else 404}


def test_a_name_that_a_template_puts_together_is_found_by_its_row(served: Served) -> None:
    with entered(served.room.site.scope(viewer=EDITOR)):
        served.room.model("Country").objects.create(code="fr")
    assert served.status(served.url("flags/fr.png")) == 200
    assert served.status(served.url("flags/zz.png")) == 404


def test_all_pages_of_a_row_are_likely(served: Served) -> None:
    """Of proxies of its model, too, but not where these do not show it."""
    with entered(served.room.site.scope(viewer=EDITOR)):
        country = served.room.model("Country").objects.create(code="fr")
    served.report("both", photo="photos/both.jpg")
    served.report("live", photo="photos/live.jpg", country=country)
    with served.room.application.pages.snapshot() as (plan, _):
        assert {"/reports/both/", "/brief/both/", "/es/brief/both/"} <= {*find_likely(plan, "photos/both.jpg").pages}
        assert "/brief/live/" not in find_likely(plan, "photos/live.jpg").pages


def test_an_edition_has_its_own_files(served: Served) -> None:
    report = served.report("many", body="Words")
    with entered(served.room.site.scope(viewer=EDITOR)):
        report.translate("es", body="![](photos/body.jpg)")
    found = served.renditions("/es/reports/many/")
    assert found and {served.status(url) for url in found} == {200}
    assert served.renditions("/reports/many/") == []
    served.start_anew()
    assert served.status(found[0]) == 200


def test_other_processes_know_what_was_rendered(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    served.report("live", photo="photos/live.jpg")
    served.status("/reports/live/")
    served.start_anew()
    monkeypatch.setattr(Shown, "_is_found", lambda *_: False)
    assert served.status(served.url("photos/live.jpg")) == 200


def test_the_page_that_a_request_comes_from_is_asked(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind several machines that share no folder."""
    served.report("live", photo="photos/live.jpg")
    monkeypatch.setattr(Shown, "_is_found", lambda *_: False)
    url = served.url("photos/live.jpg")
    assert served.status(url) == 404
    assert served.status(url, Referer="https://elsewhere.example/reports/live/") == 404
    assert served.status(url, Referer=f"http://127.0.0.1:{served.port}/reports/live/") == 200


def test_a_view_lends_what_readers_may_see(served: Served) -> None:
    served.report("live", photo="photos/live.jpg")
    found = served.renditions("/gallery/")
    assert found and {served.status(url) for url in found} == {200}
    with entered(served.room.site.scope(viewer=EDITOR)):
        served.room.model("Report").objects.all().update(expires=datetime.now(UTC))
    assert {served.status(url) for url in found} == {404}


def test_a_view_for_the_desk_gives_nothing_away(served: Served) -> None:
    served.report("draft", seconds=9000, photo="photos/draft.jpg")
    served.room.write("static/others/draft.jpg", picture("live"))
    served.report("live", photo="others/draft.jpg")
    shown = served.renditions("/gallery/")
    found = sorted({*served.renditions("/desk/")} - {*shown})
    assert found and {served.status(url) for url in found} == {404}


def test_a_broken_memory_is_begun_anew(served: Served) -> None:
    served.report("live", photo="photos/live.jpg")
    served.room.site.state_folder.mkdir(exist_ok=True)
    (served.room.site.state_folder / "shown-1.db").write_bytes(b"no database" * 1000)
    assert served.status(served.url("photos/live.jpg")) == 200
    served.start_anew()
    assert served.status(served.url("photos/live.jpg")) == 200


def test_random_names_and_hidden_files_cost_no_rendering(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    served.report("draft", seconds=9000, photo="photos/draft.jpg")
    hidden = served.url("photos/draft.jpg")
    served.status(hidden)
    pages = served.room.application.pages
    asked: list[str] = []
    monkeypatch.setattr(pages, "_make", lambda path, *_: asked.append(path))
    for number in range(20):
        assert served.status(f"/static/photos/{number}.jpg") == 404
        assert served.status(hidden) == 404
    assert {path for path in asked if not path.endswith("404.html")} == set()


def test_more_searches_than_are_allowed_are_told_to_come_back(served: Served) -> None:
    served.report("live", photo="photos/live.jpg")
    shown = served.room.application.shown
    shown._searching = threading.Semaphore(0)
    status, headers, _ = served(served.url("photos/live.jpg"))
    assert (status, headers["retry-after"]) == (503, "1")


def test_a_build_and_the_server_have_the_same_files(served: Served) -> None:
    """The files of the build are asked for in the order of their names, before any page."""
    served.report("live", photo="photos/live.jpg", blocks=[{"src": "photos/json.jpg"}])
    served.report("draft", seconds=9000, photo="photos/draft.jpg", body="![](photos/body.jpg)")
    served.report("past", photo="photos/past.jpg", expires=-1)
    served.room.write("templates/broken.html", "whole")  # the page that is there to fail
    with entered(served.room.site.scope(viewer=EDITOR)):
        served.room.model("Country").objects.create(code="fr")
    Builder(served.room.site, output=served.room.folder / "built").build()
    built = {path.relative_to(served.room.folder / "built").as_posix() for path in _files(served.room.folder / "built")}
    assets = served.room.site.assets
    every = {assets.published(name)[0] for name in assets.iter_paths() if not name.startswith("gis/")}
    static = {path for path in built if path.startswith("static/")}
    assert {path for path in every if served.status(f"/{path}") == 200} == static
    for path in built:
        if path.endswith("index.html"):
            served.status(f"/{path.removesuffix('index.html')}")
    assert {path for path in built if path.startswith("renditions/") and served.status(f"/{path}") != 200} == set()


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_site_that_hides_nothing_gives_every_file(make_newsroom: Callable[..., Any]) -> None:
    room = make_newsroom(files={"static/any.txt": "any"})
    model = room.model("Story")
    model._meta.public = None
    room.application = Application(room.site)
    assert room.get("/static/any.txt").status == 200


@pytest.fixture(params=SERVERS or [""])
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty place on each database server."""
    if not request.param:
        pytest.skip("TOOLKIT_TEST_DATABASES names no server")
    url, name = request.param, f"toolkit_shown_{uuid.uuid4().hex[:8]}"
    database = Database(url)
    kind = "SCHEMA" if database.dialect == "postgresql" else "DATABASE"
    database.execute(f"CREATE {kind} {name}")
    own = f"{url}?options=-csearch_path%3D{name}" if kind == "SCHEMA" else f"{url.rpartition('/')[0]}/{name}"
    yield own
    database.execute(f"DROP {kind} {name} {'CASCADE' if kind == 'SCHEMA' else ''}")
    database.close()


def test_servers_tell_the_same(
    make_newsroom: Callable[..., Any], server: str, pass_seconds: Callable[[float], None]
) -> None:
    room = make_newsroom(pages=PAGES, models=MODELS, settings=f'{SETTINGS}database = "{server}"\n', files=TEMPLATES)
    for name in PHOTOS:
        room.write(f"static/photos/{name}.jpg", picture(name))
    now = datetime.now(UTC)
    with entered(room.site.scope(viewer=EDITOR)):
        create = room.model("Report").objects.create
        create(slug="json", blocks=[{"src": "photos/json.jpg"}], published=now - timedelta(seconds=60))
        rows = {
            slug: create(slug=slug, photo=f"photos/{slug}.jpg", published=now + timedelta(seconds=seconds))
            for slug, seconds in {"live": -60, "draft": 9000, "later": 9000}.items()
        }

    def status(name: str) -> int:
        found: int = room.get(room.site.assets.asset(f"photos/{name}.jpg")).status
        return found

    assert [status(name) for name in ("live", "draft", "later", "json", "nobody")] == [200, 404, 404, 200, 404]
    with entered(room.site.scope(viewer=EDITOR)):
        rows["later"].published = datetime.now(UTC) + timedelta(seconds=90)
        rows["later"].save()
    time.sleep(1.1)  # an answer of a server's rows is held for a second
    assert status("later") == 404
    pass_seconds(91)
    assert [status(name) for name in ("live", "draft", "later")] == [200, 404, 200]
    with entered(room.site.scope(viewer=EDITOR)):
        for name, published in (("live", 9000), ("draft", -60)):
            rows[name].published = now + timedelta(seconds=published)
            rows[name].save()
    time.sleep(1.1)
    assert [status(name) for name in ("live", "draft", "later")] == [404, 200, 200]
    room.site.database.close_all()


def test_two_sites_know_nothing_of_each_other(served: Served, make_newsroom: Callable[..., Any]) -> None:
    other = make_newsroom(pages=PAGES, models=MODELS, settings=SETTINGS, files=TEMPLATES)
    other.write("static/photos/live.jpg", picture("live"))
    served.report("live", photo="photos/live.jpg")
    assert served.status("/static/photos/live.jpg") == 200
    assert other.get("/static/photos/live.jpg").status == 404
