"""Headers and redirects: what the server answers, every host answers, each by its own form of one list."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from werkzeug.test import Client

from toolkit.builder import Builder
from toolkit.builder.tables import bring_up
from toolkit.deploy.files import Build, make_file, read_build
from toolkit.deploy.hosts.choose import for_host
from toolkit.deploy.hosts.form import HostForm, encoded_path, ordered
from toolkit.errors import DeployError
from toolkit.pages.patterns import output_path
from toolkit.site import load_site
from toolkit.site.headers import url_of
from toolkit.site.redirects import Redirect
from toolkit.testing import forget_modules
from toolkit.testing.sites import write_site

from .servers import Said, apache, ask, caddy, nginx

MODELS = """
class Story(models.Model):
    title = models.CharField(max_length=80)
    slug = models.CharField(max_length=80)
"""
PAGES = """
from toolkit.feeds import Entry, Feed

@app.page("/", template="page.html")
def home(): return {"text": "home"}

@app.page("/<slug>/", each=Story.objects.all(), template="page.html", aliases=["/s/<slug>/"])
def story(story): return {"text": story.title}

@app.page("/old/kept/", template="page.html")
def kept(): return {"text": "it stays"}

@app.page("/data.json")
def data(): return "{}"

@app.feed("/feed.xml")
def feed(): return Feed(title="News", items=[])

app.error_page(404, template="missing.html")
"""
REDIRECTS = """from,to,status
/old/*,/archive/:splat,301
/archive/a/,/harbour/,
/gone/,,410
/away/*,https://elsewhere.example/x/:splat,302
/shop/,https://shop.example/?from=news,307
/number/?id=5&x=1,/harbour/,301
/number/?id=6,/tram/,302
/number/,/,303
/first/,/second/,308
/second/,/moved-slug/,301
/caf\u00e9/,/tram/#top,301
/plain.html,/tram/,301
/up/*,/:splat,301
"""
HEADERS = """
title = "News"
locales = ["en", "es"]
[headers."/*"]
X-Frame-Options = "DENY"
[headers."/harbour/"]
X-Frame-Options = ""
Cache-Control = "max-age=60"
[headers."/*.pdf"]
Cache-Control = "max-age=3600"
X-Robots-Tag = "noindex"
[headers."/static/*"]
Access-Control-Allow-Origin = "*"
"""
NAMES = (
    "content-type", "cache-control", "x-content-type-options", "referrer-policy", "x-frame-options", "x-robots-tag",
    "access-control-allow-origin",
)  # fmt: skip


@dataclass
class News:
    """A small site that was built twice, with a story that moved in between."""

    site: Any
    build: Build

    def urls(self) -> list[str]:
        """Every URL of the build, every old one, and some that are nothing."""
        pages = [path_url(path) for path in self.build.files if not path.endswith("404.html")]
        return sorted({*pages, *ASKED})

    def serve(self, url: str) -> Said:
        """What the WSGI server answers."""
        answer = Client(self.site.wsgi).get(url)
        try:
            return Said(answer.status_code, {name.lower(): value for name, value in answer.headers}, answer.data)
        finally:
            answer.close()


ASKED = (
    "/old/a/", "/old/", "/old", "/old/b/c.html?q=1", "/old/kept/", "/old/kept", "/old/kept/index.html",
    "/archive/a/", "/archive/b/", "/gone/", "/gone", "/away/", "/away/a/b?c=d", "/shop/", "/shop/?q=1",
    "/number/?id=5&x=1", "/number/?id=5", "/number/?id=6", "/number/", "/number/?page=2", "/first/", "/first",
    "/second/", "/moved-slug/", "/moved-slug", "/s/harbour/", "/s/harbour", "/caf%C3%A9/", "/caf%C3%A9/?q=1",
    "/first/?q=1", "/plain.html", "/harbour", "/harbour/index.html", "/index.html", "/nothing/", "/nothing",
    "/nothing.html", "/es/nothing/", "/es/nothing.html", "/es/", "/harbour/?a=b",
    "/up/x/", "/up/", "/up/harbour/?a=b", "/up/first/",
)  # fmt: skip


def path_url(path: str) -> str:
    return encoded_path(url_of(path))


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> Iterator[News]:
    with built_news(tmp_path_factory.mktemp("news"), HEADERS) as made:
        yield made


@contextmanager
def built_news(folder: Path, settings: str) -> Iterator[News]:
    files = {
        "templates/page.html": '<!doctype html><link rel="stylesheet" href="{{ asset("s.css") }}"><p>{{ text }}',
        "templates/missing.html": "<!doctype html><p>nothing is here in {{ locale }}",
        "static/s.css": "p { color: red }",
        "public/paper.pdf": b"%PDF-1.4",
        "public/logo.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "public/notes.txt": "notes",
        "redirects.csv": REDIRECTS,
    }
    write_site(folder, files, models=MODELS, pages=PAGES, settings=settings)
    site = load_site(folder).prepare()
    model = importlib.import_module("press.models").Story
    with site:
        bring_up(site)
        model.objects.create(title="Harbour", slug="harbour")
        moving = model.objects.create(title="Tram", slug="moved-slug")
        Builder(site, workers=1).build()
        moving.slug = "tram"
        moving.save()
        Builder(site, workers=1).build()
    yield News(site, read_build(site))
    site.databases.close()
    forget_modules(folder)


@pytest.fixture
def served() -> Iterator[Path]:
    """A folder that a server may read which does not run as root."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


Serve = Callable[[Path, HostForm, Path], AbstractContextManager[int]]


def same(expected: Said, found: Said, url: str) -> list[str]:
    """What differs between two answers, of what readers notice."""
    told = []
    if expected.status != found.status:
        return [f"{url}: status {found.status}, expected {expected.status}"]
    leads = re.sub(r"^http://127\.0\.0\.1:\d+/", "/", found.headers.get("location", ""))  # Apache makes it whole
    if leads != expected.headers.get("location", ""):
        told.append(f"{url}: leads to {leads}, expected {expected.headers.get('location')}")
    if expected.status == 200:
        for name in NAMES:
            if expected.headers.get(name) != found.headers.get(name):
                told.append(f"{url}: {name} is {found.headers.get(name)!r}, expected {expected.headers.get(name)!r}")
    if expected.status in (200, 404) and expected.body != found.body:
        told.append(f"{url}: the body differs: {found.body[:200]!r}")
    return told


@pytest.mark.parametrize("serve", [nginx, apache, caddy], ids=["nginx", "apache", "caddy"])
def test_a_real_server_answers_every_url_as_ours_does(
    serve: Serve, news: News, served: Path, request: pytest.FixtureRequest
) -> None:
    name = installed(request)
    assert differences(serve, name, news, served) == ""


def installed(request: pytest.FixtureRequest) -> str:
    """The server that a test is about; the test is left out where it is not there."""
    name: str = request.node.callspec.id
    if shutil.which({"apache": "apache2"}.get(name, name), path="/usr/sbin:/usr/bin:/usr/local/bin") is None:
        pytest.skip(f"{name} is not installed")
    return name


def differences(serve: Serve, name: str, news: News, served: Path) -> str:
    """In what the answers of a real server differ from ours; its root is above the site, if that is below a path."""
    build, form = for_host(news.build, name)
    base = news.site.base_path
    root = served / f"root{base}"
    for file in build.files.values():
        (root / file.path).parent.mkdir(parents=True, exist_ok=True)
        (root / file.path).write_bytes(file.read())
    (root / ".toolkit-deploy").mkdir()
    (root / ".toolkit-deploy/manifest.json.gz").write_bytes(b"ours alone")
    (served / "scratch").mkdir()
    urls = [base + url for url in news.urls()] + ([base] if base else [])
    with serve(served / "root", form, served / "scratch") as port:
        assert ask(port, f"{base}/.toolkit-deploy/manifest.json.gz").status == 404
        told = [line for url in urls for line in same(news.serve(url), ask(port, url), url)]
    return "\n".join(told)


@pytest.mark.parametrize("serve", [nginx, apache, caddy], ids=["nginx", "apache", "caddy"])
def test_slashes_behind_a_prefix_lead_to_no_other_site(
    serve: Serve, news: News, served: Path, request: pytest.FixtureRequest
) -> None:
    name = installed(request)
    _, form = for_host(news.build, name)
    (served / "root").mkdir()
    (served / "scratch").mkdir()
    with serve(served / "root", form, served / "scratch") as port:
        for slashes in ("/", "//", "%2F", "%5C", "/%2f", "%5c/", "\\", "/\\"):
            for said in (ask(port, f"/up/{slashes}evil.example/"), news.serve(f"/up/{slashes}evil.example/")):
                leads = re.sub(r"^http://127\.0\.0\.1:\d+/", "/", said.headers.get("location", "/"))
                assert re.match(r"/(?![/\\])", leads), (slashes, leads)
                assert said.status in (301, 400, 404)


# hosts that cannot be run here: their files are read back as their manuals say


def with_query(target: str, query: str) -> str:
    """As the URL of browsers and of JavaScript takes it: before the fragment."""
    before, mark, fragment = target.partition("#")
    return f"{before}?{query}{mark}{fragment}"


def redirected(lines: str, url: str) -> tuple[int, str] | None:
    """What a host answers by ``_redirects``: the first line that fits."""
    path, _, query = url.partition("?")
    asked = dict(parse_qsl(query))
    for line in lines.splitlines():
        if line.startswith("#") or line.endswith(" 404"):
            continue
        source, *wanted, target, status = line.split(" ")
        begins, star, _ = source.partition("*")
        fits = path.startswith(begins) if star else path == source
        if fits and all(asked.get(name) == value for name, _, value in (pair.partition("=") for pair in wanted)):
            target = target.replace(":splat", path[len(begins) :])
            passes = query and not wanted and "?" not in target
            return int(status), with_query(target, query) if passes else target
    return None


def headers_by_file(text: str, url: str, *, joins: bool) -> dict[str, str]:
    """What a host sends by ``_headers``: Cloudflare joins values of several rules, Netlify takes the last."""
    found: dict[str, str] = {}
    fits = False
    for line in text.splitlines():
        if not line.startswith(" "):
            begins, star, ends = line.partition("*")
            fits = url.startswith(begins) and url.endswith(ends) if star else url == line
        elif fits and line.startswith("  ! "):
            found.pop(line[4:].lower(), None)
        elif fits:
            name, _, value = line.strip().partition(": ")
            name = name.lower()
            found[name] = f"{found[name]}, {value}" if joins and name in found else value
    return found


def check_redirects(news: News, find: Callable[[str], tuple[int, str] | None], left_out: set[str]) -> None:
    for url in news.urls():
        said = news.serve(url)
        if url not in left_out and said.status in (301, 302, 303, 307, 410) and url not in FOLDERS:
            found = find(url)
            assert found is not None, url
            location = found[1].removeprefix(news.build.origin) if url.startswith("/up/") else found[1]
            assert (found[0], location) == (said.status, said.headers.get("location", "")), url
        elif said.status == 200:
            assert find(url) is None or url.startswith("/old/kept"), url


FOLDERS = {"/old/kept", "/old/kept/index.html", "/harbour", "/harbour/index.html", "/index.html"}
"""Where hosts go to the folder's own form by themselves."""


def test_netlify_redirects_and_sends_headers_as_the_server_does(news: News) -> None:
    build, form = for_host(news.build, "netlify")
    lines = form.files["_redirects"].decode()
    check_redirects(news, lambda url: redirected(lines, url), {"/gone/", "/gone"})
    assert "netlify cannot answer 410: /gone/ -> gone is left out" in form.notices
    assert not [path for path, file in build.files.items() if file.redirect], "no page is in the way of a redirect"
    text = form.files["_headers"].decode()
    assert not re.search(r"^/.*\*.+$", text, re.M), "a star stands at the end"
    check_headers(news, lambda url: headers_by_file(text, url, joins=False), without={"/harbour/": {"x-frame-options"}})


def test_cloudflare_detaches_what_another_rule_gave(news: News) -> None:
    _, form = for_host(news.build, "cloudflare")
    lines = form.files["_redirects"].decode()
    queries = {url for url in news.urls() if url.startswith("/number/?")}
    # its redirects pass no query on; a reader with one still gets to the page
    plain = {url for url in news.urls() if "?" in url}
    check_redirects(news, lambda url: redirected(lines, url), {"/gone/", "/gone", "/shop/?q=1", *queries, *plain})
    assert "cloudflare cannot look at queries: /number/?id=6 -> /tram/ is left out" in form.notices
    check_headers(news, lambda url: headers_by_file(form.files["_headers"].decode(), url, joins=True))


def check_headers(
    news: News, find: Callable[[str], dict[str, str]], without: dict[str, set[str]] | None = None
) -> None:
    for url in (url for url in news.urls() if "?" not in url):
        said = news.serve(url)
        if said.status != 200:
            continue
        found = find(url)
        for name in set(NAMES) - (without or {}).get(url, set()):
            if name != "content-type" or name in found:
                assert found.get(name) == said.headers.get(name), (url, name)


def test_vercel_redirects_and_sends_headers_as_the_server_does(news: News) -> None:
    _, form = for_host(news.build, "vercel")
    data = json.loads(form.files["vercel.json"])

    def regex(source: str) -> str:
        parts = re.split(r"(\\.|:splat\*|\(\.\*\))", source)
        return "".join(
            "(.*)" if part in (":splat*", "(.*)") else re.escape(part.lstrip("\\")) for part in parts if part
        )

    def redirect(url: str) -> tuple[int, str] | None:
        path, _, query = url.partition("?")
        asked = dict(parse_qsl(query))
        for one in data["redirects"]:
            found = re.fullmatch(regex(one["source"]), path)
            if found and all(asked.get(want["key"]) == want["value"] for want in one.get("has", ())):
                target = one["destination"].replace(":splat*", found[1] if found.groups() else "")
                passes = query and "has" not in one and "?" not in target
                return one["statusCode"], with_query(target, query) if passes else target
        return None

    def headers(url: str) -> dict[str, str]:
        rules = [rule for rule in data["headers"] if re.fullmatch(regex(rule["source"]), url)]
        return {pair["key"].lower(): pair["value"] for rule in rules for pair in rule["headers"]}

    check_redirects(news, redirect, {"/gone/", "/gone"})
    check_headers(news, headers, without={"/harbour/": {"x-frame-options"}})


def test_s3_keeps_redirects_with_objects_and_prefixes_in_rules(news: News) -> None:
    build, form = for_host(news.build, "s3")
    website = json.loads(form.config["website.json"])
    rules = website["RoutingRules"]

    def redirect(url: str) -> tuple[int, str] | None:
        path = url.partition("?")[0]
        file = build.files.get(output_path(path))
        if file is not None:
            return (301, file.redirect) if file.redirect else None
        for rule in rules:
            begins = "/" + rule["Condition"]["KeyPrefixEquals"]
            if path.startswith(begins):
                to = rule["Redirect"]
                host = f"{to['Protocol']}://{to['HostName']}" if "HostName" in to else ""
                return int(to["HttpRedirectCode"]), f"{host}/{to['ReplaceKeyPrefixWith']}{path[len(begins) :]}"
        return None

    other = {
        "/shop/",
        "/up/shop/",
        "/number/",
        "/up/number/",
        "/first/",
        "/gone/",
        "/gone",
        "/away/",
    }  # an object redirects with 301 only
    short = {url for url in news.urls() if "?" in url or not url.endswith(("/", ".html"))}
    check_redirects(news, redirect, other | short)
    assert redirect("/away/x") == (302, "https://elsewhere.example/x/x")
    assert redirect("/shop/") == (301, "https://shop.example/?from=news")
    assert website["ErrorDocument"] == {"Key": "404.html"}
    assert "s3 cannot answer 410: /gone/ -> gone is left out" in form.notices


def test_a_splat_at_the_root_never_leads_to_another_site(news: News) -> None:
    """A browser takes a path that begins with two slashes for the address of another host."""
    for host in ("netlify", "cloudflare"):
        lines = for_host(news.build, host)[1].files["_redirects"].decode()
        assert redirected(lines, "/up//evil.example/") == (301, f"{news.build.origin}//evil.example/")
    data = json.loads(for_host(news.build, "vercel")[1].files["vercel.json"])
    assert {"source": "/up/:splat*", "destination": f"{news.build.origin}/:splat*", "statusCode": 301} in [
        one for one in data["redirects"] if one["source"] == "/up/:splat*"
    ]
    _, form = for_host(news.build, "gitlab-pages")
    assert "gitlab-pages would let it lead to other sites: /up/* -> /:splat is left out" in form.notices
    assert "/up/* " not in form.files["_redirects"].decode()


def test_pages_hosts_get_their_marks(news: News) -> None:
    build, form = for_host(news.build, "github-pages", cname="news.example")
    assert build.files[".nojekyll"].read() == b""
    assert build.files["CNAME"].read() == b"news.example\n"
    assert b'content="0; url=/tram/"' in build.files["moved-slug/index.html"].read()
    assert "github-pages cannot redirect all below a path: /old/* -> /archive/:splat is left out" in form.notices
    build, form = for_host(news.build, "gitlab-pages")
    lines = form.files["_redirects"].decode()
    assert redirected(lines, "/first/") == (301, "/tram/")
    assert redirected(lines, "/moved-slug") == (301, "/tram/")
    assert (
        "gitlab-pages cannot lead to other sites: /shop/ -> https://shop.example/?from=news is left out" in form.notices
    )


def test_a_host_that_takes_fewer_redirects_says_so(news: News) -> None:
    many = tuple(Redirect(f"/old-{number}", "/") for number in range(2001))
    with pytest.raises(DeployError, match="there are 2001 redirects of single paths, and the host takes 2000"):
        for_host(replace(news.build, redirects=many), "cloudflare")


def test_a_path_and_a_prefix_of_one_name_are_one_rule_without_the_slash() -> None:
    """The single path wins, as at the server."""
    prefix, single = Redirect("/2019/*", "/archive/:splat", 301), Redirect("/2019/", "/", 302)
    for given in ([prefix, single], [single, prefix]):
        found = [(one.target, one.status) for one in ordered(given) if one.source == "/2019"]
        assert found == [("/", 302)]


def test_a_file_of_the_site_is_not_written_over(news: News) -> None:
    taken = news.build.with_files({"_headers": make_file("_headers", b"")})
    with pytest.raises(DeployError, match="the site publishes _headers, which the host's own form"):
        for_host(taken, "netlify")
