"""Brings the toolkit's own catalogs up to date with its sources: ``python -m tests.validators.catalogs``."""

from __future__ import annotations

from pathlib import Path

import toolkit
from toolkit.errors import ToolkitError
from toolkit.i18n.catalog import Catalog
from toolkit.i18n.extract import make_template, merge_messages
from toolkit.i18n.extract_python import extract_python
from toolkit.i18n.update import update_catalogs

ROOT = Path(toolkit.__file__).parent
FOLDER = ROOT / "locale"
LOCALES = {"ar": "ar", "de": "de", "es": "es", "fr": "fr", "pl": "pl", "pt_BR": "pt-BR"}
"""Folder to BCP 47 tag."""


def template_of(*packages: str) -> Catalog:
    """Every message of the toolkit's Python, or of some of its packages."""
    problems: list[ToolkitError] = []
    folders = [ROOT / package for package in packages] or [ROOT]
    paths = sorted(path for folder in folders for path in folder.rglob("*.py"))
    found = [
        message
        for path in paths
        for message in extract_python(path, location=f"toolkit/{path.relative_to(ROOT).as_posix()}", problems=problems)
    ]
    assert not problems, problems
    return make_template(merge_messages(found, problems=problems), project="publishing-toolkit")


if __name__ == "__main__":
    for update in update_catalogs(template_of(), FOLDER, list(LOCALES.values())):
        print(f"{update.path}: {update.added} new, {update.retired} no longer used")
