"""Names of packages that are imported when they are asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import toolkit
from toolkit import (
    assets,
    builder,
    content,
    database,
    feeds,
    http,
    i18n,
    images,
    migrations,
    models,
    pages,
    site,
    sitemaps,
    storage,
    templates,
    text,
    validators,
)
from toolkit.database import backends
from toolkit.lazily import LazyModule
from toolkit.models import fields, functions, search

PACKAGES = [toolkit, assets, builder, content, feeds, http, i18n, images, migrations, site, sitemaps, storage]
PACKAGES += [database, backends, models, pages, fields, functions, search, templates, text, validators]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_all_that_a_package_names_is_there(package: object) -> None:
    names = package.__all__  # type: ignore[attr-defined]
    assert [name for name in names if not hasattr(package, name)] == []
    assert set(names) <= set(dir(package))


def test_a_name_is_imported_when_it_is_asked_for() -> None:
    asked = "import sys, toolkit.feeds as f; before = 'toolkit.feeds.rss' in sys.modules; f.write_rss; "
    told = subprocess.run(
        [sys.executable, "-c", asked + "print(before, 'toolkit.feeds.rss' in sys.modules, 'write_rss' in vars(f))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["False", "True", "True"]


def test_another_name_is_refused_as_by_any_module() -> None:
    with pytest.raises(AttributeError, match=r"module 'toolkit\.feeds' has no attribute 'write_rdf'"):
        feeds.write_rdf  # type: ignore[attr-defined]  # noqa: B018


def test_a_module_that_is_imported_late_has_what_is_in_it() -> None:
    late = LazyModule("toolkit.feeds.dates")
    from toolkit.feeds import dates

    assert late.format_rfc822 is dates.format_rfc822
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        late.nothing  # noqa: B018
