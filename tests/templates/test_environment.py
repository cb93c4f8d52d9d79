"""What a page is made of, as far as templates go: recorded exactly, and answered again exactly."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
import pytest

from toolkit.errors import TemplateError
from toolkit.templates import TemplateFolder, make_environment
from toolkit.trace import ABSENT

if TYPE_CHECKING:
    from .conftest import Desk


def test_everything_printed_is_escaped_whatever_the_template_is_called(desk: Desk) -> None:
    for name in ("page.html", "feed.xml", "letter.txt", "noextension"):
        desk.write(name, "{{ title }}")
        assert desk.render(name, title="<b>&'\"") == "&lt;b&gt;&amp;&#39;&#34;"
    assert desk.environment.from_string("{{ title }}").render(title="<") == "&lt;"


def test_a_site_template_wins_over_an_apps(desk: Desk) -> None:
    desk.write("story.html", "app", app=True)
    assert desk.render("story.html") == "app"
    desk.write("story.html", "site")
    assert desk.render("story.html") == "site"


def test_do_and_loop_controls_are_there(desk: Desk) -> None:
    desk.write("a.html", "{% for n in [1, 2, 3] %}{% if n == 2 %}{% continue %}{% endif %}{{ n }}{% endfor %}")
    desk.write("b.html", "{% set l = [] %}{% do l.append(1) %}{{ l|length }}")
    assert desk.render("a.html") == "13"
    assert desk.render("b.html") == "1"


def test_trans_is_trimmed_and_escapes_its_variables(desk: Desk) -> None:
    desk.write("a.html", "{% trans name=name %}\n  Hello\n  {{ name }}!\n{% endtrans %} 100%")
    assert desk.render("a.html", name="<i>") == "Hello &lt;i&gt;! 100%"


def test_constant_expressions_wait_for_the_rendering(make_desk: Callable[..., Desk]) -> None:
    answers = iter(["first", "second"])
    desk = make_desk(filters={"now": lambda value: next(answers)})
    desk.write("a.html", "{{ 1|now }}")
    assert (desk.render("a.html"), desk.render("a.html")) == ("first", "second")


# -- the trace


def test_parents_of_a_template_that_is_already_compiled_are_recorded_too(desk: Desk) -> None:
    desk.write("base.html", "<{% block main %}{% endblock %}>")
    desk.write("section.html", "{% extends 'base.html' %}")
    desk.write("story.html", "{% extends 'section.html' %}{% block main %}x{% endblock %}")
    first = desk.traced("story.html")
    assert set(first) == {"story.html", "section.html", "base.html"}
    assert desk.traced("story.html") == first
    with desk.environment.frozen():
        assert desk.traced("story.html") == first


def test_includes_and_parents_chosen_by_variable_are_recorded_as_they_were_chosen(desk: Desk) -> None:
    desk.write("story.html", "{% extends layout %}{% block main %}{% include 'parts/' ~ part %}{% endblock %}")
    for layout in ("wide.html", "narrow.html"):
        desk.write(layout, "{% block main %}{% endblock %}")
    desk.write("parts/a.html", "a")
    desk.write("parts/b.html", "b")
    assert set(desk.traced("story.html", layout="wide.html", part="a.html")) == {
        "story.html",
        "wide.html",
        "parts/a.html",
    }
    assert set(desk.traced("story.html", layout="narrow.html", part="b.html")) == {
        "story.html",
        "narrow.html",
        "parts/b.html",
    }


@pytest.mark.parametrize(
    "source",
    [
        "{% import 'cards.html' as cards with context %}{{ cards.card() }}",
        "{% import 'cards.html' as cards %}{{ cards.card() }}",
        "{% from 'cards.html' import card %}{{ card() }}",
        "{% from 'cards.html' import card with context %}{{ card() }}",
        "{% extends 'cards.html' %}",
        "{% include 'cards.html' %}",
        "{% include ['nothing.html', 'cards.html'] %}",
        "{% for n in [1, 2] %}{% include 'cards.html' without context %}{% endfor %}",
    ],
)
def test_every_way_to_use_another_template_is_recorded_every_time(desk: Desk, source: str) -> None:
    desk.write("cards.html", "{% macro card() %}{% include 'icon.html' %}{% endmacro %}{{ card() }}")
    desk.write("icon.html", "*")
    desk.write("page.html", source)
    recorded = desk.traced("page.html")
    assert {"page.html", "cards.html", "icon.html"} <= set(recorded)
    assert desk.traced("page.html") == recorded
    for name, digest in recorded.items():
        assert desk.environment.digest_of(name) == digest


def test_an_imported_template_runs_for_each_importer(make_desk: Callable[..., Desk]) -> None:
    moments = iter("abc")
    desk = make_desk(globals={"moment": lambda: next(moments)})
    desk.write("words.html", "{% set word = moment() %}")
    desk.write("page.html", "{% from 'words.html' import word %}{{ word }}")
    assert [desk.render("page.html"), desk.render("page.html")] == ["a", "b"]


def test_what_was_looked_for_in_vain_is_recorded_as_absent(desk: Desk) -> None:
    desk.write("page.html", "{% include 'ad.html' ignore missing %}{% include ['es.html', 'en.html'] %}")
    desk.write("en.html", "en")
    recorded = desk.traced("page.html")
    assert recorded["ad.html"] == recorded["es.html"] == ABSENT
    assert desk.environment.digest_of("ad.html") == ABSENT
    desk.write("ad.html", "buy", app=True)
    assert desk.environment.digest_of("ad.html") != ABSENT
    assert desk.render("page.html") == "buyen"


def test_select_template_records_what_it_skipped(desk: Desk) -> None:
    desk.write("page.html", "{% include chosen %}")
    desk.write("base.html", "base")
    chosen = desk.environment.select_template(["x.html", "base.html"])
    assert "x.html" not in desk.traced("page.html", chosen=chosen)
    assert desk.traced("page.html", chosen=["x.html", "base.html"])["x.html"] == ABSENT


@pytest.mark.parametrize("name", [["a.html"], 5, None, {}])
def test_a_template_is_named_by_text(desk: Desk, name: object) -> None:
    desk.write("a.html", "{% extends name %}")
    with pytest.raises(TemplateError, match=r"a\.html:1: a template is named by text, not by"):
        desk.render("a.html", name=name)


def test_a_new_override_changes_the_answer_even_with_the_same_content(desk: Desk) -> None:
    desk.write("story.html", "same", app=True)
    before = desk.environment.digest_of("story.html")
    desk.write("story.html", "same")
    assert desk.environment.digest_of("story.html") not in (before, ABSENT)


def test_a_digest_does_not_depend_on_where_the_site_lies(desk: Desk, tmp_path: Path) -> None:
    desk.write("story.html", "x")
    shutil.copytree(desk.site, tmp_path / "elsewhere")
    elsewhere = make_environment([TemplateFolder(tmp_path / "elsewhere", "site")])
    assert elsewhere.digest_of("story.html") == desk.environment.digest_of("story.html")


# -- edits


def test_an_edit_of_the_same_size_and_time_is_seen(desk: Desk) -> None:
    path = desk.write("a.html", "old")
    status = path.stat()
    assert desk.render("a.html") == "old"
    path.write_text("new")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert desk.render("a.html") == "new"


def test_a_file_that_settled_is_not_read_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.write("a.html", "x")
    monkeypatch.setattr("toolkit.stamps.time.time_ns", lambda: path.stat().st_ctime_ns + 3_000_000_000)
    digest = desk.environment.digest_of("a.html")
    monkeypatch.setattr("toolkit.stamps.FileDigests.read", None)
    assert desk.environment.digest_of("a.html") == digest


def test_a_build_renders_from_one_state_of_the_templates(desk: Desk) -> None:
    desk.write("a.html", "{% include 'b.html' %}{% include 'c.html' ignore missing %}")
    desk.write("b.html", "old")
    with desk.environment.frozen():
        recorded = desk.traced("a.html")
        desk.write("b.html", "new")
        desk.write("c.html", "late")
        assert desk.render("a.html") == "old"
        assert desk.traced("a.html") == recorded
        assert desk.environment.digest_of("c.html") == ABSENT
    assert desk.render("a.html") == "newlate"


def test_freezing_forgets_what_was_edited_before(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(auto_reload=False)
    desk.write("a.html", "old")
    assert desk.render("a.html") == "old"
    desk.write("a.html", "new")
    assert desk.render("a.html") == "old"
    assert desk.environment.reload_changed() == ["a.html"]
    desk.write("a.html", "newer")
    with desk.environment.frozen():
        assert desk.render("a.html") == "newer"


def test_a_deleted_template_is_not_rendered_from_memory(desk: Desk) -> None:
    path = desk.write("a.html", "x")
    desk.render("a.html")
    path.unlink()
    with pytest.raises(TemplateError, match=r"there is no template 'a\.html'"):
        desk.render("a.html")


# -- compiled templates


def test_compiled_templates_are_kept_and_used(make_desk: Callable[..., Desk], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    desk = make_desk(cache_folder=cache)
    desk.write("a.html", "{{ 1 }}")
    desk.render("a.html")
    assert len(list(cache.glob("*.bytecode"))) == 1
    again = make_desk(cache_folder=cache)
    again.environment.compile = None  # type: ignore[assignment]
    assert again.render("a.html") == "1"


def test_compiled_templates_may_be_moved_with_their_sources_and_name_the_new_place(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "templates").mkdir(parents=True)
    (old / "templates/a.html").write_text("{% macro fail() %}\n{{ 1 // 0 }}{% endmacro %}{{ fail() }}")
    make_environment([TemplateFolder(old / "templates", "site")], cache_folder=old / "cache").find_template("a.html")
    old.rename(new)
    moved = make_environment([TemplateFolder(new / "templates", "site")], cache_folder=new / "cache")
    moved.compile = None  # type: ignore[assignment]
    with pytest.raises(TemplateError) as caught:
        moved.render("a.html", {})
    assert (caught.value.path, caught.value.line) == (str(new / "templates/a.html"), 2)


def test_compiled_templates_of_another_source_or_torn_ones_are_compiled_again(
    make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    desk = make_desk(cache_folder=cache)
    desk.write("a.html", "one")
    desk.render("a.html")
    desk.write("a.html", "two")
    assert make_desk(cache_folder=cache).render("a.html") == "two"
    (kept,) = cache.glob("*.bytecode")
    kept.write_bytes(kept.read_bytes()[:-3] + b"xyz")
    assert make_desk(cache_folder=cache).render("a.html") == "two"
    kept.write_bytes(b"")
    assert make_desk(cache_folder=cache).render("a.html") == "two"


def test_a_cache_folder_that_cannot_be_written_is_no_error(make_desk: Callable[..., Desk], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    desk = make_desk(cache_folder=tmp_path / "file" / "cache")
    desk.write("a.html", "x")
    assert desk.render("a.html") == "x"


# -- blocks alone


def test_one_block_is_rendered_alone_with_imports_and_super(desk: Desk) -> None:
    desk.write("base.html", "<html>{% block related %}base {% endblock %}{% block foot %}foot{% endblock %}</html>")
    desk.write("cards.html", "{% macro card(t) %}[{{ t }}]{% endmacro %}")
    desk.write(
        "story.html",
        "{% extends 'base.html' %}{% from 'cards.html' import card %}"
        "{% block related %}{{ super() }}{{ card(title) }}{% endblock %}",
    )
    assert desk.render("story.html#related", title="<a>") == "base [&lt;a&gt;]"
    assert desk.render("story.html#foot", title="") == "foot"
    with pytest.raises(TemplateError, match=r"story\.html has no block 'relatd'. Did you mean 'related'\?"):
        desk.render("story.html#relatd", title="")


# -- names


def test_names_never_lead_out_of_the_folders(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "secret.html").write_text("secret")
    for name in (
        "../secret.html",
        "/etc/passwd",
        "a/../../secret.html",
        "..\\secret.html",
        "",
        "a\0b",
        "x" * 5000,
    ):
        assert desk.environment.digest_of(name) == ABSENT
        with pytest.raises(TemplateError, match="there is no template"):
            desk.render(name)


def test_the_search_path_explains_itself(desk: Desk) -> None:
    desk.write("story.html", "app", app=True)
    search = desk.environment.why_template("story.html")
    assert [(c.label, c.exists) for c in search.candidates] == [("site", False), ("newsroom", True)]
    assert search.winner is not None and search.winner.path == desk.app / "story.html"
    desk.write("story.html", "site")
    search = desk.environment.why_template("story.html")
    assert search.winner is not None and search.winner.label == "site"
    assert [candidate.label for candidate in search.hidden] == ["newsroom"]
    assert desk.environment.why_template("none.html").winner is None


def test_two_folders_of_one_label_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="two template folders are labelled 'site'"):
        make_environment([TemplateFolder(tmp_path), TemplateFolder(tmp_path / "b")])


def test_two_environments_share_nothing(make_desk: Callable[..., Desk]) -> None:
    one, two = make_desk(filters={"shout": str.upper}), make_desk()
    assert "shout" in one.environment.filters and "shout" not in two.environment.filters


def test_listed_templates_leave_out_hidden_files_and_backups(desk: Desk) -> None:
    for name in ("a.html", "sub/b.html", ".hidden.html", "a.html~", ".git/c.html"):
        desk.write(name, "")
    desk.write("a.html", "", app=True)
    assert desk.environment.list_templates() == ["a.html", "sub/b.html"]


def test_jinjas_own_tools_can_read_the_sources(desk: Desk) -> None:
    desk.write("a.html", "{% extends 'b.html' %}")
    loader = desk.environment.loader
    assert loader is not None
    assert loader.get_source(desk.environment, "a.html")[0] == "{% extends 'b.html' %}"
    with pytest.raises(jinja2.TemplateNotFound, match="none"):
        loader.get_source(desk.environment, "none")
