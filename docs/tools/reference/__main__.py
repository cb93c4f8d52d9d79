"""Write the generated parts of the reference into its chapters: ``python -m tools.reference`` in ``docs/``.

A chapter marks a part with ``<!-- generated: settings -->`` and ``<!-- end -->``; what stands between is replaced.
With ``--check`` nothing is written: parts that are not as the code is are named, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from . import commands, declarations, failures, fields, migrating, queries, settings, templates, values, writing

FOLDER = Path(__file__).parent.parent.parent / "content" / "reference"
DESCRIPTION = "Write the generated parts of the reference into its chapters."
PART = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n).*?(\n<!-- end -->)", re.DOTALL)

PARTS: dict[str, Callable[[], str]] = {
    "settings": settings.settings,
    "commands": commands.commands,
    "field-options": fields.field_options,
    "fields": fields.field_kinds,
    "geometry-fields": fields.geometry_fields,
    "choices": fields.choice_kinds,
    "file-values": fields.file_values,
    "meta-options": fields.meta_options,
    "constraints": fields.constraints,
    "validators": values.validator_kinds,
    "ready-validators": values.ready_validators,
    "storages": values.storage_kinds,
    "storage-methods": values.storage_methods,
    "storage-protocol": values.storage_protocol,
    "lookups": queries.lookups,
    "text-lookups": queries.text_lookups,
    "json-lookups": queries.json_lookups,
    "transforms": queries.transforms,
    "spatial-lookups": queries.spatial_lookups,
    "queryset-methods": queries.queryset_methods,
    "model-methods": queries.model_methods,
    "related-sets": queries.related_sets,
    "prefetch": queries.prefetch,
    "awaited": queries.awaited,
    "expressions": queries.expressions,
    "database-functions": queries.database_functions,
    "migration-attributes": migrating.attributes,
    "operations": migrating.operations,
    "migration-functions": migrating.functions,
    "transactions": writing.transactions,
    "signals": writing.signal_kinds,
    "deletion-plan": writing.deletion_plan,
    "template-globals": templates.template_globals,
    "page-names": templates.page_names,
    "alternate-names": templates.alternate_names,
    "listing-names": templates.listing_names,
    "template-functions": templates.template_functions,
    "filters": templates.filters,
    "django-tags": partial(templates.equivalents, "tag"),
    "django-filters": partial(templates.equivalents, "filter"),
    "declarations": declarations.app_methods,
    "site-and-app": declarations.site_and_app,
    "feeds": declarations.feeds,
    "sitemaps": declarations.sitemaps,
    "views": declarations.views,
    "testing": declarations.testing,
    "source": declarations.sources,
    "error-tree": failures.error_tree,
    "errors": failures.error_classes,
    "checks": failures.checks,
    "message-checks": failures.message_checks,
    "inputs": failures.input_kinds,
}


def main(arguments: list[str]) -> int:
    """Write, or check; the exit status."""
    reader = argparse.ArgumentParser(prog="python -m tools.reference", description=DESCRIPTION)
    reader.add_argument("--check", action="store_true", help="write nothing, and name the parts that differ")
    check = reader.parse_args(arguments).check
    texts = {path: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.md"))}
    used = {match["name"] for text in texts.values() for match in PART.finditer(text)}
    complaints = [f"no chapter has the part {name!r}" for name in sorted(PARTS.keys() - used)]
    for path, text in texts.items():
        made = PART.sub(_filled, text)
        if made == text:
            continue
        complaints += [f"{path.name}: the part {name!r} is not as the code is" for name in _changed(text, made)]
        if not check:
            path.write_text(made, "utf-8")
    if not check:
        complaints = [one for one in complaints if one.startswith("no chapter")]
    for complaint in complaints:
        sys.stderr.write(f"{complaint}\n")
    if complaints and check:
        sys.stderr.write("Run: python -m tools.reference (in docs/), and read what changed.\n")
    return 1 if complaints else 0


def _filled(match: re.Match[str]) -> str:
    make = PARTS.get(match["name"])
    if make is None:
        raise SystemExit(f"there is no part {match['name']!r}; there is: {', '.join(PARTS)}")
    return f"{match[1]}\n{make()}\n{match[3]}"


def _changed(old: str, new: str) -> list[str]:
    """The names of the parts that differ."""
    pairs = zip(PART.finditer(old), PART.finditer(new), strict=True)
    return [before["name"] for before, after in pairs if before[0] != after[0]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
