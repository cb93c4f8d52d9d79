"""Filters, through templates, as their users write them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from toolkit.errors import TemplateError
from toolkit.templates import filters
from toolkit.templates.clock import clock_digest, floor_moment
from toolkit.templates.filters import FILTERS
from toolkit.trace import Scope, Trace, entered

if TYPE_CHECKING:
    from .conftest import Desk

NOON = datetime(2024, 3, 5, 12, 30, tzinfo=UTC)
SETTINGS = SimpleNamespace(timezone="Atlantic/Azores", base_url="https://courier.example/")


def scope(locale: str = "en", **fields: Any) -> AbstractContextManager[Scope]:
    site = SimpleNamespace(settings=SETTINGS)
    return entered(Scope(site=site, database=None, locale=locale, **{"moment": NOON, **fields}))


@pytest.fixture
def shown(desk: Desk) -> Iterator[Callable[..., str]]:
    def show(expression: str, locale: str = "en", **context: Any) -> str:
        desk.write("page.html", "{{ " + expression + " }}")
        with scope(locale):
            return desk.render("page.html", **context)

    yield show


@pytest.mark.parametrize(
    ("expression", "locale", "expected"),
    [
        ("moment|date", "en", "March 5, 2024"),
        ("moment|date", "es", "5 de marzo de 2024"),
        ("moment|date('d MMM y')", "en", "5 Mar 2024"),
        ("day|date('short')", "es", "5/3/24"),
        ("moment|time", "es", "11:30"),
        ("moment|time(timezone='UTC')", "es", "12:30"),
        ("clock|time", "es", "8:05"),
        ("moment|datetime('medium')", "es", "5 mar 2024, 11:30:00"),
        ("none|date", "en", ""),
        ("12345.5|number", "es", "12.345,5"),
        ("12345.5|number", "en", "12,345.5"),
        ("12345|intcomma", "en", "12,345"),
        ("2|number('0.0')", "en", "2.0"),
        ("0.25|percent", "en", "25%"),
        ("price|currency('EUR')", "en", "€1,099.50"),
        ("none|number", "en", ""),
        ("5|spell", "en", "five"),
        ("5|spell", "ar", "خمسة"),
        ("12|spell", "en", "12"),
        ("5|spell", "ja", "5"),
        ("['Ana', 'Rui', '<Zé>']|listed", "en", "Ana, Rui, and &lt;Zé&gt;"),
        ("['Ana', 'Rui']|listed(style='or')", "es", "Ana o Rui"),
        ("earlier|timesince", "en", "3 days ago"),
        ("earlier|timesince", "es", "hace 3 días"),
    ],
)
def test_dates_and_numbers_follow_the_pages_language_and_the_sites_time_zone(
    shown: Callable[..., str], expression: str, locale: str, expected: str
) -> None:
    text = shown(
        expression,
        locale,
        moment=NOON,
        day=date(2024, 3, 5),
        clock=time(8, 5),
        price=Decimal("1099.50"),
        earlier=NOON - timedelta(days=3),
    )
    assert text.replace("\u202f", " ").replace("\xa0", " ") == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'vote' ~ (1|pluralize)", "vote"),
        ("'vote' ~ (2|pluralize)", "votes"),
        ("'vote' ~ ([]|pluralize)", "votes"),
        ("'class' ~ ('2'|pluralize('es'))", "classes"),
        ("'cherr' ~ (1|pluralize('y,ies'))", "cherry"),
        ("'cherr' ~ (3|pluralize('y,ies'))", "cherries"),
        ("'Joel is a slug'|truncate_words(2)", "Joel is…"),
        ("'Joel is a slug'|truncate_chars(7)", "Joel i…"),
        ("'Joel & <b>'|truncate_html(1)", "Joel…"),
        ("html|truncate_html(1)", "<p>Joel…</p>"),
        ("html|striptags", "Joel is"),
        ("'Río Ñandú'|slugify", "rio-nandu"),
        ("'نهر'|slugify(allow_unicode=true)", "نهر"),
        ("'!'|slugify", ""),
        ("'Joel\\nis a\\n\\nslug'|linebreaks", "<p>Joel<br>\nis a</p>\n\n<p>slug</p>"),
        ("'a\\r\\n<b>'|linebreaksbr", "a<br>\n&lt;b&gt;"),
        ("''|linebreaks", ""),
        ("'/a/'|absolute_url", "https://courier.example/a/"),
        ("'/a/'|absolute_url('https://x.example/b/')", "https://x.example/a/"),
        ("'https://y.example/'|absolute_url", "https://y.example/"),
        ("'word '|reading_time", "1"),
        ("('word ' * 1000)|reading_time > 2", "True"),
        ("'*a* <b onclick=x>c</b>'|markdown", "<p><em>a</em> <b>c</b></p>\n"),
        ("none|markdown", ""),
        ("'x'|default('y')|upper", "X"),
    ],
)
def test_texts(shown: Callable[..., str], expression: str, expected: str) -> None:
    assert shown(expression, html=Markup("<p>Joel is</p>")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://x.example/a_(b).", 'see <a href="https://x.example/a_(b)">https://x.example/a_(b)</a>.'),
        ("(www.x.example/a)", '(<a href="https://www.x.example/a">www.x.example/a</a>)'),
        ("a@b.example!", '<a href="mailto:a@b.example">a@b.example</a>!'),
        ("https://x.example/?a=1&b=2", '<a href="https://x.example/?a=1&amp;b=2">https://x.example/?a=1&amp;b=2</a>'),
        ("javascript:alert(1) <b>", "javascript:alert(1) &lt;b&gt;"),
        ('https://x.example/"onclick=x', '<a href="https://x.example/">https://x.example/</a>&#34;onclick=x'),
    ],
)
def test_urlize_makes_links_of_addresses_and_of_nothing_else(text: str, expected: str) -> None:
    assert filters.urlize(text) == expected


def test_urlize_can_ask_not_to_be_followed_and_shorten_what_is_shown() -> None:
    html = filters.urlize("https://x.example/abc", nofollow=True, trim=10)
    assert html == '<a href="https://x.example/abc" rel="nofollow ugc">https://x…</a>'
    assert filters.urlize(Markup("<i>https://x.example</i>")) == "<i>https://x.example</i>"


@pytest.mark.parametrize("wrong", ["none", "5", "'x', words=0"])
def test_highlight_says_what_it_takes(shown: Callable[..., str], wrong: str) -> None:
    with pytest.raises(TemplateError, match=r"highlight( takes a text of words|\(words=0\) shows nothing)"):
        shown(f"'x'|highlight({wrong})")


def test_absolute_url_needs_a_base() -> None:
    with pytest.raises(TemplateError, match=r"needs the site's base URL\. Set base_url"):
        filters.absolute_url("/a/")
    with scope(), pytest.raises(TemplateError, match="is not an address"):
        filters.absolute_url("https://[broken")


# -- data


class Place:
    def __init__(self, geometry: dict[str, Any]) -> None:
        self.__geo_interface__ = geometry


POINT = {"type": "Point", "coordinates": (-25.0, 37.0)}


def test_json_script_cannot_be_ended_by_its_data() -> None:
    data = {"a": "</script><!--<script>", "d": date(2024, 3, 5), "n": Decimal("1.10")}
    html = filters.json_script(data, 'x"y')
    script = html5lib.parseFragment(html, namespaceHTMLElements=False)[0]
    assert (script.tag, script.get("id"), script.get("type")) == ("script", 'x"y', "application/json")
    assert json.loads(script.text) == {"a": data["a"], "d": "2024-03-05", "n": "1.10"}


def test_geojson_of_one_and_of_many() -> None:
    assert json.loads(filters.geojson(Place(POINT))) == {"type": "Point", "coordinates": [-25.0, 37.0]}
    one = json.loads(filters.geojson(Place(POINT), name="</script>"))
    assert one["type"] == "Feature" and one["properties"] == {"name": "</script>"}
    assert "</script>" not in filters.geojson(Place(POINT), name="</script>")
    many = json.loads(
        filters.geojson([Place(POINT), Place({"type": "Feature", "geometry": POINT, "properties": None})])
    )
    assert [feature["type"] for feature in many["features"]] == ["Feature", "Feature"]
    with pytest.raises(TemplateError, match=r"str has no geometry\. It needs __geo_interface__"):
        filters.geojson(["x"])


# -- typography


@pytest.mark.parametrize(
    ("locale", "text", "expected"),
    [
        ("en", "\"It's 'five',\" she said -- twice...", "“It’s ‘five’,” she said – twice…"),
        ("en", "rock 'n' roll", "rock ‘n’ roll"),
        ("es", '"Hola", dijo', "«Hola», dijo"),
        ("de", '"Ja", sagte sie', "„Ja“, sagte sie"),
        ("fr", '"Oui" : vraiment ? Non!', "«\xa0Oui\xa0»\xa0: vraiment\u202f? Non\u202f!"),
        ("fr", "à 10:30", "à 10:30"),
        ("pt-PT", '"Olá"', "«Olá»"),
        ("xx", '"a"', "“a”"),
    ],
)
def test_quotation_marks_and_spaces_are_the_languages_own(locale: str, text: str, expected: str) -> None:
    assert filters.smarten(text, locale=locale) == expected


def test_smarten_leaves_tags_and_code_of_html_alone() -> None:
    html = Markup('<p class="a">"<em>Hi</em>" <code>"x"</code> &quot;y&#39;s&quot; &amp; a<br>"b"</p><!-- "c" -->')
    assert filters.smarten(html, locale="en") == (
        '<p class="a">“<em>Hi</em>” <code>"x"</code> “y’s” &amp; a<br>“b”</p><!-- "c" -->'
    )


@given(st.text(alphabet="ab<>&\"' -.!;:»«\u00a0", max_size=40), st.sampled_from(["en", "fr", "de", "ar"]))
def test_smartening_twice_changes_nothing_more(text: str, locale: str) -> None:
    once = filters.smarten(text, locale=locale)
    assert filters.smarten(once, locale=locale) == once


# -- the clock


def test_timesince_records_the_clock_as_coarsely_as_it_may() -> None:
    for age, unit in ((timedelta(minutes=5), "minute"), (timedelta(hours=5), "hour"), (timedelta(days=30), "day")):
        trace = Trace()
        with scope(trace=trace):
            filters.timesince(NOON - age)
        assert {key: value for key, value in trace.inputs.items() if key[0] == "clock"} == {
            ("clock", (unit,)): clock_digest(NOON, unit)  # type: ignore[arg-type]  # one of the three
        }


@given(
    st.integers(min_value=-5 * 86400, max_value=40 * 86400),
    st.integers(min_value=0, max_value=86400),
)
def test_while_the_recorded_clock_stands_still_the_answer_is_the_same(age_seconds: int, later_seconds: int) -> None:
    value = NOON - timedelta(seconds=age_seconds)
    trace = Trace()
    with scope(trace=trace):
        first = filters.timesince(value)
    ((_, (unit,)),) = [key for key in trace.inputs if key[0] == "clock"]
    later = NOON + timedelta(seconds=later_seconds)
    if floor_moment(later, unit) == floor_moment(NOON, unit):
        with scope(moment=later):
            assert filters.timesince(value) == first


def test_every_filter_says_what_it_does() -> None:
    for name, function in FILTERS.items():
        assert function.__doc__, name
