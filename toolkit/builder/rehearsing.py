"""Compiled questions that a build leaves to the next one, which may render one page and need not import SQLAlchemy.

A build of everything asks other questions than an edit: it loads a hundred stories at a time, in workers. So when it
is done it rehearses: one page of each route that has many is rendered once more, alone, and thrown away.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from toolkit.builder.batches import load_pages
from toolkit.errors import ToolkitError
from toolkit.models.known import KnownQuestions, signature
from toolkit.pages.plan import Plan
from toolkit.pages.render import render
from toolkit.pages.routes import Page
from toolkit.seals import installed_names
from toolkit.site.watching import Loading
from toolkit.trace import digest, entered

FOLDER = "questions-2"
"""Below the folder for derived files; the number is that of their form."""

MANY_PAGES = 100
"""A route with fewer pages is seldom edited, or each of its pages takes long."""


def know_questions(site: Any, loaded: Loading, *, anew: bool = False) -> None:
    """Let a site's databases know the questions that earlier builds compiled.

    Args:
        site: The prepared site.
        loaded: What its modules read while they were imported, which may have decided about models.
        anew: Believe nothing that an earlier build left.
    """
    inputs = loaded.trace.inputs if loaded.trace is not None else {}
    if loaded.wrote or any(kind == "outside" for kind, _ in inputs):
        return
    settings = [[name, repr(site.settings.peek(name))] for name in sorted(dir(site.settings))]
    read = sorted([repr(which), value.hex()] for which, value in inputs.items())
    common = [site.code_digest.hex(), repr(installed_names()), settings, read, sqlite3.sqlite_version]
    for database in site.databases.homes:
        models = database.schema.by_label
        server = database.backend.server(database.connection) if database.backend.remote else ""
        evidence = digest([*common, database.dialect, server, database.alias, signature(models.values())])
        database.known = KnownQuestions(site.state_folder / FOLDER / database.alias, evidence, models, anew=anew)


def keep_questions(site: Any) -> None:
    """Leave what was compiled to the next build."""
    for database in site.databases.homes:
        if database.known is not None:
            database.known.save()


def rehearse(plan: Plan, pages: Sequence[Page]) -> None:
    """Ask what an edit will ask, so that it is compiled.

    Args:
        plan: Within the snapshot of the build.
        pages: That were rendered.
    """
    site = plan.site
    if site.database.known is None:
        return
    for database in site.databases.homes:
        database.memo.clear()  # what is at hand is not asked for
    routes = Counter(page.route for page in pages)
    sights = {locale: plan.scope(locale).sight for locale in {page.locale for page in pages}}
    samples = {(page.route, sights[page.locale]): page for page in pages if routes[page.route] >= MANY_PAGES}
    for page in samples.values():
        with suppress(ToolkitError), entered(plan.scope(page.locale)):
            subjects = load_pages(plan, site.routes_by_id[page.route], [page])
            if page.key in subjects:  # a database without snapshots may have lost it
                render(site, page, subjects[page.key], plan=plan, moment=plan.moment)
