"""Django's template tags and filters, and what to write here: data for the documentation and for hints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Equivalent:
    """What to write for one of Django's tags or filters.

    Args:
        kind: ``"tag"`` or ``"filter"``.
        django: Its name there.
        here: What to write here; a template fragment.
        note: What differs, if anything does.
    """

    kind: Literal["tag", "filter"]
    django: str
    here: str
    note: str = ""


_TAGS = (
    ("autoescape", "{% autoescape false %}…{% endautoescape %}", "always on; mark HTML with |safe"),
    ("block", "{% block name %}…{% endblock %}", "{{ super() }} for {{ block.super }}"),
    ("blocktranslate", "{% trans name=value %}…{% endtrans %}", "always trimmed; {% pluralize %} inside"),
    ("cache", "{% cache story %}…{% endcache %}", "no time-out to choose: kept with all that it read, for one build"),
    ("comment", "{# … #}", "may span lines"),
    ("csrf_token", "{{ csrf_token() }}", "in views; a built page has no session"),
    ("cycle", "{{ loop.cycle('odd', 'even') }}", ""),
    ("debug", "toolkit why URL", "a command"),
    ("extends", "{% extends 'base.html' %}", ""),
    ("filter", "{% filter upper %}…{% endfilter %}", ""),
    ("firstof", "{{ a or b or 'neither' }}", ""),
    ("for", "{% for story in stories %}…{% else %}…{% endfor %}", "{% else %} for {% empty %}; loop.index for forloop"),
    ("get_current_language", "{{ page.locale }}", ""),
    ("if", "{% if a and b %}…{% endif %}", ""),
    ("ifchanged", "{% if loop.changed(story.section) %}…{% endif %}", ""),
    ("include", "{% include 'card.html' %}", "{% with %} around it for `with`; `without context` for `only`"),
    ("language", "page.locale", "a page has one language"),
    ("load", "", "filters and tags of all apps are there already"),
    ("lorem", "{{ lipsum(2) }}", "for mock-ups: it is random, so never in a page that is built"),
    ("now", "{{ now()|date }}", "the page then depends on the clock"),
    ("partialdef", "{% macro card(story) %}…{% endmacro %}", "render('page.html#block') renders one block alone"),
    ("querystring", "{{ url_for(section, number=2) }}", ""),
    ("regroup", "{% for section, stories in all|groupby('section') %}", ""),
    ("resetcycle", "{% set colour = cycler('a', 'b') %}{% do colour.reset() %}", ""),
    ("spaceless", "{%- … -%}", "where the minus stands, white space goes"),
    ("static", "{{ asset('css/site.css') }}", "with a fingerprint of the content"),
    ("templatetag", "{{ '{%' }}", ""),
    ("translate", "{{ _('Read more') }}", ""),
    ("url", "{{ url_for('story', slug='flood') }}", "or url_for(story)"),
    ("verbatim", "{% raw %}…{% endraw %}", ""),
    ("widthratio", "{{ (value / maximum * 100)|round|int }}", ""),
    ("with", "{% with total = stories|length %}…{% endwith %}", ""),
)
_FILTERS = (
    ("add", "{{ a + b }}", ""),
    ("addslashes", "{{ text|tojson }}", "values in scripts are escaped for scripts already"),
    ("apnumber", "{{ n|spell }}", "in the page's language"),
    ("capfirst", "{{ text[:1]|upper ~ text[1:] }}", "|capitalize also lowers the rest"),
    ("center", "{{ text|center(20) }}", ""),
    ("cut", "{{ text|replace(' ', '') }}", ""),
    ("date", "{{ value|date('d MMMM y') }}", "CLDR patterns, in the page's language"),
    ("default", "{{ value|default('x', true) }}", ""),
    ("default_if_none", "{{ 'x' if value is none else value }}", ""),
    ("dictsort", "{{ items|sort(attribute='name') }}", ""),
    ("dictsortreversed", "{{ items|sort(attribute='name', reverse=true) }}", ""),
    ("divisibleby", "{{ n is divisibleby 3 }}", ""),
    ("escape", "{{ text|e }}", "done already"),
    ("escapejs", "{{ text|tojson }}", "values in scripts are escaped for scripts already"),
    ("escapeseq", "{{ items|map('e') }}", ""),
    ("filesizeformat", "{{ size|filesizeformat }}", ""),
    ("first", "{{ items|first }}", ""),
    ("floatformat", "{{ n|number('#,##0.00') }}", ""),
    ("force_escape", "{{ text|forceescape }}", ""),
    ("get_digit", "{{ (n|string)[-1] }}", ""),
    ("intcomma", "{{ n|intcomma }}", "the page's separators"),
    ("intword", "{{ n|number }}", ""),
    ("iriencode", "{{ url }}", "addresses of pages are encoded already"),
    ("join", "{{ items|join(', ') }}", "|listed writes a sentence"),
    ("json_script", "{{ data|json_script('id') }}", ""),
    ("last", "{{ items|last }}", ""),
    ("length", "{{ items|length }}", ""),
    ("linebreaks", "{{ text|linebreaks }}", ""),
    ("linebreaksbr", "{{ text|linebreaksbr }}", ""),
    ("linenumbers", "{% for line in text.splitlines() %}{{ loop.index }}. {{ line }}{% endfor %}", ""),
    ("ljust", "{{ '%-20s'|format(text) }}", ""),
    ("lower", "{{ text|lower }}", ""),
    ("make_list", "{{ text|list }}", ""),
    ("naturalday", "{{ value|date }}", ""),
    ("naturaltime", "{{ value|timesince }}", ""),
    ("phone2numeric", "", "write the digits"),
    ("pluralize", "{{ n|pluralize }}", "English; {% pluralize %} for translated texts"),
    ("pprint", "{{ value|pprint }}", ""),
    ("random", "", "a build is repeatable, so nothing in it is random"),
    ("rjust", "{{ '%20s'|format(text) }}", ""),
    ("safe", "{{ html|safe }}", ""),
    ("safeseq", "{{ items|map('safe') }}", ""),
    ("slice", "{{ items[:3] }}", ""),
    ("slugify", "{{ title|slugify }}", ""),
    ("stringformat", "{{ '%.2f'|format(n) }}", ""),
    ("striptags", "{{ html|striptags }}", ""),
    ("time", "{{ value|time }}", ""),
    ("timesince", "{{ value|timesince }}", "past and future"),
    ("timeuntil", "{{ value|timesince }}", "past and future"),
    ("title", "{{ text|title }}", ""),
    ("truncatechars", "{{ text|truncate_chars(120) }}", ""),
    ("truncatechars_html", "{{ html|truncate_html(30) }}", "counts words"),
    ("truncatewords", "{{ text|truncate_words(30) }}", ""),
    ("truncatewords_html", "{{ html|truncate_html(30) }}", ""),
    ("unordered_list", "{% for item in tree recursive %}<li>{{ loop(item.children) }}{% endfor %}", ""),
    ("upper", "{{ text|upper }}", ""),
    ("urlencode", "{{ text|urlencode }}", ""),
    ("urlize", "{{ text|urlize }}", ""),
    ("urlizetrunc", "{{ text|urlize(trim=20) }}", ""),
    ("wordcount", "{{ text|wordcount }}", ""),
    ("wordwrap", "{{ text|wordwrap(60) }}", ""),
    ("yesno", "{{ 'yes' if value else 'no' }}", ""),
)
EQUIVALENTS: tuple[Equivalent, ...] = (
    *(Equivalent("tag", *row) for row in _TAGS),
    *(Equivalent("filter", *row) for row in _FILTERS),
)
"""Sorted by kind and by Django's name."""
