"""Messages found in Python, in templates, and handed over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment

from toolkit.errors import Problems, TemplateError
from toolkit.i18n import Catalogs, gettext, ngettext, npgettext, pgettext
from toolkit.i18n.catalog import Catalog, Message
from toolkit.i18n.extract import extract_site, merge_messages
from toolkit.i18n.po import format_po
from toolkit.trace import Scope, Trace, entered

Extract = Callable[..., Catalog]


def make_environment() -> Environment:
    """As the site's own: new-style gettext, trimmed."""
    environment = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        gettext, ngettext, newstyle=True, pgettext=pgettext, npgettext=npgettext
    )
    return environment


@pytest.fixture
def extract(tmp_path: Path) -> Extract:
    def run(*, py: str | None = None, html: str | None = None, extra: tuple[Message, ...] = ()) -> Catalog:
        sources = {"app.py": py, "page.html": html}
        paths = []
        for name, text in sources.items():
            if text is not None:
                (tmp_path / name).write_text(text, encoding="utf-8")
                paths.append(tmp_path / name)
        python = [path for path in paths if path.suffix == ".py"]
        templates = [path for path in paths if path.suffix != ".py"]
        return extract_site(make_environment(), python, templates, extra, root=tmp_path)

    return run


def found(catalog: Catalog) -> list[Any]:
    """Messages as short as they can be told: msgid, or (context, msgid, plural) without the Nones."""
    short = []
    for message in catalog:
        parts = tuple(part for part in (message.context, message.msgid, message.plural) if part is not None)
        short.append(parts if len(parts) > 1 else parts[0])
    return short


def test_all_functions_are_known_in_python(extract: Extract) -> None:
    catalog = extract(
        py="""
_("a"); gettext("b"); i18n.gettext("c"); gettext_lazy("d"); gettext_noop("e")
ngettext("f", "fs", n); pgettext("ctx", "g"); npgettext("ctx", "h", "hs", n)
npgettext_lazy("ctx", "i", "is"); gettext(message="j"); ngettext(plural="ks", singular="k", n=2)
"""
    )
    assert found(catalog) == [
        *"abcde", ("f", "fs"), ("ctx", "g"), ("ctx", "h", "hs"), ("ctx", "i", "is"), "j", ("k", "ks"),
    ]  # fmt: skip


def test_functions_are_known_under_the_names_they_are_imported_as(extract: Extract) -> None:
    catalog = extract(py="from toolkit.i18n import gettext_lazy as _l, ngettext as _n\n_l('a')\n_n('b', 'bs', 2)\n")
    assert found(catalog) == ["a", ("b", "bs")]


def test_nested_calls_joined_literals_and_both_branches_are_found_in_python(extract: Extract) -> None:
    catalog = extract(py='_("a" if x else "b"); _("c" "d"\n "e" + "f"); g(h=[_(f"i")], k=lambda: _("j"))')
    assert found(catalog) == ["a", "b", "cdef", "i", "j"]


@pytest.mark.parametrize("call", ['_(f"a {b}")', '_("a %s" % b)', '_("a" + b)', '_("a {}".format(b))'])
def test_a_text_put_together_before_it_is_translated_is_a_problem_in_python(extract: Extract, call: str) -> None:
    with pytest.raises(Problems, match=r"app\.py:3: this text is put together before .* Translate first"):
        extract(py=f"\n\n{call}\n")


def test_what_only_the_running_program_knows_is_left_alone(extract: Extract) -> None:
    assert found(extract(py="_(label); _(); ngettext('a', b, 2); _(3); _('')", html="{{ _(label) }}{{ _() }}")) == []


def test_comments_for_translators_are_found_in_python(extract: Extract) -> None:
    catalog = extract(
        py="""
# Translators: above
# the map
_("a")
_("b")  # Translators: beside
# just a comment
_("c")
# Translators: of a statement
label = CharField(
    help_text=_("d"),
)
"""
    )
    assert {message.msgid: message.comments for message in catalog} == {
        "a": ("above\nthe map",),
        "b": ("beside",),
        "c": (),
        "d": ("of a statement",),
    }
    assert "#. above\n#. the map\n" in format_po(catalog)


def test_python_that_cannot_be_parsed_is_a_problem_with_its_line(extract: Extract) -> None:
    with pytest.raises(Problems, match=r"app\.py:2: this is not Python"):
        extract(py="x = 1\ndef :\n")


def test_calls_are_found_wherever_an_expression_may_stand_in_a_template(extract: Extract) -> None:
    catalog = extract(
        html="""
{{ _("a") }} {{ macro(_("b"), title=_("c")) }} {{ [_("d"), {"k": _("e")}] }} {{ "x"|default(_("f")) }}
{% call(item) listing(_("g")) %}{{ _("h") }}{% endcall %}
{% macro m(label=_("i")) %}{{ label }}{% endmacro %}
{% set x %}{{ _("j") }}{% endset %}{% set y = _("k") if z else _("l") %}
{% include _("m") ignore missing %}{% do log(_("n")) %}
{% for s in stories if s.kind == _("o") %}{{ loop.index ~ _("p") }}{% else %}{{ _("q") }}{% endfor %}
{% block b %}{{ ngettext("r", "rs", n)|upper }}{{ pgettext("ctx", "s") }}{% endblock %}
{{ npgettext("ctx", "t", "ts", n) }}{{ _("u" if x else "v") }}{{ _("w" ~ "w") }}
{{ x[_("y")] }}{{ x is eq(_("z")) }}
{% filter upper %}{{ _("aa") }}{% endfilter %}{% with w=_("ab") %}{% endwith %}{{ _("ac", name=_("ad")) }}
"""
    )
    assert found(catalog) == [
        "a", "aa", "ab", "ac", "ad", *"bcdefghijklmnopq",
        ("r", "rs"), ("ctx", "s"), ("ctx", "t", "ts"), "u", "v", "ww", "y", "z",
    ]  # fmt: skip


RUNTIME_TEMPLATE = """
<p>{% trans %}
  Read   the whole
  story  {% endtrans %}</p>
{% trans notrimmed %}
  kept
{% endtrans %}
{% trans count=stories|length, name="Ana" %}{{ name }} has {{ count }} story, 100% hers
{% pluralize %}{{ name }} has {{ count }} stories{% endtrans %}
{% trans "menu" %}Open{% endtrans %}
{% trans "menu" n=3 %}{{ n }} item{% pluralize %}{{ n }} items{% endtrans %}
{{ _("Hello %(name)s", name="Ana") }} {{ _("a" ~ "b") }} {{ pgettext("x", "y") }}
{{ ngettext("%(num)s dog", "%(num)s dogs", 3) }} {% macro m(t) %}{{ t }}{{ caller() }}{% endmacro %}
{% call m(_("in a call")) %}{{ _("inside") }}{% endcall %}
"""


def test_the_messages_extracted_are_the_messages_looked_up(extract: Extract, tmp_path: Path) -> None:
    """What the renderer records and what extraction finds are compared to the last blank."""
    extracted = {(message.context, message.msgid, message.plural) for message in extract(html=RUNTIME_TEMPLATE)}
    trace = Trace()
    site = SimpleNamespace(catalogs=Catalogs([], ["es"]))
    with entered(Scope(site=site, database=None, locale="es", trace=trace)):
        make_environment().from_string(RUNTIME_TEMPLATE).render(stories=[1, 2])
    assert {key[2:] for key in trace.keys_of("message")} == extracted
    assert (None, "Read the whole story", None) not in extracted  # inner blanks of a line stay
    assert (None, "Read   the whole story", None) in extracted


def test_comments_for_translators_are_found_in_templates(extract: Extract) -> None:
    catalog = extract(
        html="""
{# Translators: above
   the map #}
<h2>
  {{ _("a") }}</h2> {{ _("b") }}
{{ _("c") }} {# Translators: beside #}
{# not for them #}{{ _("d") }}
{#- Translators: of a block -#}
{% trans %}e{% endtrans %}
"""
    )
    assert {message.msgid: message.comments for message in catalog} == {
        "a": ("above the map",),
        "b": ("above the map",),
        "c": ("beside",),
        "d": (),
        "e": ("of a block",),
    }


@pytest.mark.parametrize("call", ['_("a " ~ name)', '_("a %s" % name)', '_("a" + name)'])
def test_a_text_put_together_before_it_is_translated_is_a_problem_in_a_template(extract: Extract, call: str) -> None:
    with pytest.raises(Problems, match=r"page\.html:2: this text is put together before"):
        extract(html=f"\n{{{{ {call} }}}}\n")


def test_a_template_that_cannot_be_parsed_is_a_problem_with_its_line(extract: Extract) -> None:
    with pytest.raises(Problems, match=r"page\.html:2: Unexpected end of template"):
        extract(html="\n{% if x %}")


def test_an_environment_with_errors_of_its_own_is_understood(tmp_path: Path) -> None:
    class House(Environment):
        def handle_exception(self, source: str | None = None) -> None:  # type: ignore[override]
            raise TemplateError("no good", path="page.html", line=7)

    (tmp_path / "page.html").write_text("{% if %}")
    with pytest.raises(Problems, match=r"page\.html:7: no good"):
        extract_site(House(), [], [tmp_path / "page.html"], root=tmp_path)


def test_all_problems_of_all_files_are_reported_together(extract: Extract) -> None:
    with pytest.raises(Problems, match="2 problems"):
        extract(py='_(f"{x}")', html="{% endif %}")


def test_labels_handed_over_are_messages_like_any_other(extract: Extract) -> None:
    label = Message("Title", None, None, ("newsroom/models.py",), ("Label of Story.title",))
    catalog = extract(html='{{ _("Title") }}', extra=(label,))
    (message,) = catalog
    assert message.locations == ("newsroom/models.py", "page.html")
    assert message.comments == ("Label of Story.title",)


def test_placeholders_are_flagged_for_translators_tools(extract: Extract) -> None:
    catalog = extract(py='_("%(a)s"); _("{b}"); _("100 % sure"); ngettext("one", "%d", 2)')
    assert {message.msgid: message.flags for message in catalog} == {
        "%(a)s": ("python-format",),
        "{b}": ("python-brace-format",),
        "100 % sure": (),
        "one": ("python-format",),
    }


def test_a_text_with_two_plurals_is_a_problem() -> None:
    messages = [
        Message("fish", plural="fish", locations=("a.py",)),
        Message("fish", plural="fishes", locations=("b.py",)),
    ]
    with pytest.raises(Problems, match=r"b\.py: 'fish' has the plural 'fishes' here and 'fish' in a\.py"):
        merge_messages(messages)


def test_moving_code_about_changes_no_byte_of_the_template(extract: Extract) -> None:
    before = format_po(extract(py='_("b")\n_("a")', html='{{ _("c") }}'))
    after = format_po(extract(py='\n\n\n_("a")\n# moved\n_("b")', html='\n\n<p>{{ _("c") }}</p>{{ _("a") if 0 }}'))
    assert after == before.replace('#: app.py\nmsgid "a"', '#: app.py\n#: page.html\nmsgid "a"')
