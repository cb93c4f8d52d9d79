"""The table of all checks: stable ids, how bad a finding is, what is found, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from toolkit.errors import ToolkitError, did_you_mean

ERROR, WARNING = "error", "warning"


class Check(NamedTuple):
    """One check.

    Args:
        severity: ``error`` or ``warning``.
        finds: What it finds, in half a sentence.
        mend: What to do about it.
    """

    severity: str
    finds: str
    mend: str


def _error(finds: str, mend: str) -> Check:
    return Check(ERROR, finds, mend)


def _warning(finds: str, mend: str) -> Check:
    return Check(WARNING, finds, mend)


CHECKS: dict[str, Check] = {
    "settings.invalid": _error(
        "a setting is unknown, mistyped or out of bounds", "The letter names file, line and what would be right."
    ),
    "declarations.invalid": _error(
        "a model, page or app cannot stand as declared", "Mend the declaration at the file and line that are named."
    ),
    "routes.collision": _error(
        "two pages or files want one URL or one file", "Change one of the paths or slugs; both are named."
    ),
    "routes.invalid": _error(
        "a page has no URL, or links to something that has none",
        "Give the row the value that its URL needs, or declare a page for what is linked.",
    ),
    "code.failed": _error(
        "the site's Python cannot be read, or failed", "Mend the line that is named; --traceback shows the whole way."
    ),
    "code.untracked": _warning(
        "a page's code reads what no build can verify: the wall clock, chance, another host, what another page left",
        "Ask the toolkit for the moment, load what comes from elsewhere into the database or a file before the build, "
        "or make the page a view.",
    ),
    "database.unavailable": _error(
        "the database cannot be reached", "Start it, or mend its URL in the settings or the environment."
    ),
    "database.failed": _error("the database refused", "The letter has the database's own words."),
    "migrations.drift": _error(
        "models, migrations and tables disagree", "Make the migration that is missing, or apply those that are there."
    ),
    "content.invalid": _error("a content file cannot be loaded", "Mend the file at the line and field named."),
    "templates.failed": _error("a template cannot be compiled or rendered", "Mend the template at the line named."),
    "templates.missing": _error("a template names another that is not there", "Mend the name, or add the file."),
    "templates.request": _error(
        "a page's template reads what only a request has", "Make the page a view, or leave it to a script."
    ),
    "templates.block": _warning(
        "a block is in no template above, so it is never shown", "Mend the name, or declare the block in the parent."
    ),
    "templates.unused": _warning("no page, view or template uses a template", "Delete it."),
    "templates.unknown-name": _warning(
        "a template reads a name that its pages do not have",
        "Mend the name, or let the page's function give it. A name that may be missing is asked for with 'is defined'.",
    ),
    "templates.unused-name": _warning(
        "a template sets or imports a name and never reads it, or a page's function gives one that no template reads",
        "Take it out: what it took to make it was for nothing.",
    ),
    "messages.invalid": _error(
        "a catalog cannot be read, or a translation would break a page", "Mend the message at the line named."
    ),
    "messages.doubtful": _warning("a translation looks wrong", "Mend it, or flag the message as the hint says."),
    "messages.missing": _error(
        "a message is not translated to a locale that is to be complete", "Translate it; the file and line are named."
    ),
    "messages.unknown": _error(
        "'complete_locales' names a locale that the site does not have", "Mend the setting, or add the locale."
    ),
    "rows.untranslated": _error(
        "a public row is not translated to a locale that is to be complete",
        "Translate the row, or take the locale off complete_locales.",
    ),
    "build.failed": _error("a page could not be rendered, or nothing was built", "The letter says why."),
    "files.changed": _error("a built file is missing, or is not as the build left it", "Build again."),
    "files.case": _error("two built files differ by case or Unicode form only", "Rename one of them."),
    "links.broken": _error("a link leads to nothing in the site", "Mend the link; what was near is suggested."),
    "links.outside": _error(
        "'base_url' has a path, and a link or file is written from the root of the host, past the site",
        "Write {{ url_for(…) }}, {{ asset(…) }}, or the filter relative_url after a path of the site.",
    ),
    "links.fragment": _error(
        "a link's fragment is no id of the page it leads to", "Mend the fragment, or give the place that id."
    ),
    "links.redirected": _warning("a link leads to a redirect", "Link to where it leads."),
    "links.orphan": _warning(
        "no page links to a page, so that readers find it by search engines alone", "Link to it from a page or a menu."
    ),
    "external.broken": _error(
        "a link leads to a page of another host that is gone (asked with --external)",
        "Link to where it is now, to an archive's copy, or to nothing.",
    ),
    "external.unreachable": _warning(
        "another host did not answer, or not in time (asked with --external)",
        "Try again later; then look for yourself.",
    ),
    "external.redirected": _warning(
        "another host says that a page has moved for good (asked with --external)", "Link to its new address."
    ),
    "assets.missing": _error("an image, script or style is not there", "Mend the name, or add the file."),
    "html.syntax": _error(
        "tags are not closed in the order they were opened, or are not where HTML allows them; control characters",
        "Mend the template; line and column are those of the built page.",
    ),
    "html.obsolete": _warning(
        "an element that HTML no longer has", "Say it with CSS, or with the element that means it."
    ),
    "html.lang": _error(
        "<html> does not name the page's language",
        'Write <html lang="{{ page.locale }}" dir="{{ page.direction }}">.',
    ),
    "html.dir": _error(
        "<html> does not say that the page runs right to left",
        'Write <html lang="{{ page.locale }}" dir="{{ page.direction }}">.',
    ),
    "html.title": _error("a page has no title, or several", "Write one <title> in the head."),
    "html.alt": _error("an image has no alt attribute", 'Say what it shows; alt="" if it is decoration.'),
    "html.image-size": _warning(
        "an image has no width and height, so that the text jumps when it arrives",
        "Write both; CSS may still make it narrower.",
    ),
    "html.empty-link": _error(
        "a link has no text, so that nobody who listens to the page knows where it leads",
        "Give it text, or aria-label, or its image an alt.",
    ),
    "html.empty-button": _error("a button has no text", "Give it text, or aria-label."),
    "html.label": _warning(
        "a field of a form has no label", "Write <label for> with its id, put it into the label, or give it aria-label."
    ),
    "html.headings": _warning(
        "a heading is empty, or skips a level: an h4 below an h2", "Use the next level, and CSS for its size."
    ),
    "html.ids": _error(
        "an id stands twice in a page, is empty, or has white space in it",
        "Rename one; links and labels find the first alone.",
    ),
    "html.duplicate-title": _warning(
        "two pages of one language have the same title", "Tell them apart: readers see titles in tabs and in searches."
    ),
    "html.duplicate-description": _warning(
        "two pages of one language have the same description", "Describe each, or leave the description out."
    ),
    "html.mixed-content": _error(
        "a page published under https needs something by http, which browsers refuse", "Write https."
    ),
    "html.json-ld": _error("JSON-LD that is no JSON, or says of nothing what it is", "Mend it; |tojson writes values."),
    "weight.html": _error("a page's HTML is over its budget", "Make it lighter, or raise budgets for its route."),
    "weight.images": _error("a page's images are over their budget", "Show smaller ones, or raise the budget."),
    "weight.total": _error(
        "a page with its styles, scripts, fonts and images is over its budget", "Make it lighter, or raise the budget."
    ),
    "weight.third-party": _error(
        "a page asks more other hosts for something than its budget allows: none, unless the budget says otherwise",
        "Publish the file yourself: as an asset, or in the folder public.",
    ),
    "canonical.missing": _warning("a page names no canonical URL", "Put {{ page.head }} in the template's <head>."),
    "canonical.wrong": _error(
        "a page's canonical URL is not its own, or not absolute", "Let {{ page.head }} write it."
    ),
    "hreflang.broken": _error("an edition that a page names does not exist", "Let {{ page.head }} write the editions."),
    "hreflang.one-way": _error(
        "an edition does not name the page that names it", "Let {{ page.head }} write the editions, on both pages."
    ),
    "hreflang.language": _error(
        "an edition is not in the language that it is said to be in", "Mend lang at <html>, or hreflang."
    ),
    "hreflang.missing": _warning(
        "a page exists in another language and does not name that edition", "Let {{ page.head }} write the editions."
    ),
    "feeds.invalid": _error("a feed breaks the rules of its format", "Mend what the feed's function gives."),
    "sitemap.invalid": _error(
        "a sitemap cannot be read, or breaks the protocol", "Build again; the toolkit writes it."
    ),
    "sitemap.missing": _error("a public page is not in the sitemap", "Say sitemap=False at its route if it may be."),
    "sitemap.extra": _error("the sitemap names what is no public page", "Say sitemap=False at its route."),
    "parity.differs": _error(
        "the server answers otherwise than the build (asked with --parity)",
        "Build again if rows changed since; otherwise the page reads something that no trace knows of.",
    ),
    "embargo.leak": _error(
        "a built file has words of a row that readers may not see yet (asked with --embargo)",
        "Find where the page gets them: a query with unrestricted(), a file that is published for all, a text by hand.",
    ),
    "embargo.file": _error(
        "a file that only hidden rows use is published, under its own or another name (asked with --embargo)",
        "Let a file field keep it, rather than the folders static and public.",
    ),
    "embargo.url": _error(
        "something published leads to, or stands at, the URL of a hidden row's page (asked with --embargo)",
        "Link by url_for(), which gives no URL of what readers may not see.",
    ),
    "embargo.http": _error(
        "the server tells an anonymous visitor something of a hidden row (asked with --embargo --http)",
        "Ask for rows with the reader's eyes in the view, or let it answer those alone who are logged in.",
    ),
    "embargo.unread": _error(
        "a built file could not be looked into, so that nothing is proved of it (asked with --embargo)",
        "Install what reads it, or publish it otherwise.",
    ),
    "accepted.unused": _warning(
        "an acceptance in toolkit.toml matches nothing any more", "Take it out, so that it hides nothing new."
    ),
    "accepted.unknown": _error("an acceptance names no check, or gives no reason", "Mend it in toolkit.toml."),
}
"""Every check by its stable id: ``group.name``."""


def choose(only: Iterable[str], skip: Iterable[str]) -> frozenset[str]:
    """The ids of the checks that are asked for.

    Args:
        only: Ids, or groups such as ``links``; nothing means all.
        skip: The same, to leave out.

    Raises:
        ToolkitError: A name is neither an id nor a group.
    """
    wanted = _named(only) or set(CHECKS)
    return frozenset(wanted - _named(skip))


def _named(names: Iterable[str]) -> set[str]:
    groups = {name.partition(".")[0] for name in CHECKS}
    found: set[str] = set()
    for name in names:
        if name not in CHECKS and name not in groups:
            raise ToolkitError(f"there is no check {name!r}", hint=did_you_mean(name, [*CHECKS, *groups]) or None)
        found |= {one for one in CHECKS if one == name or one.partition(".")[0] == name}
    return found
