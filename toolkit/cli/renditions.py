"""``toolkit renditions``: the store of made images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from toolkit.cli.invocation import invocation, json_option, site_options
from toolkit.cli.manifests import open_manifest
from toolkit.cli.sites import open_site
from toolkit.errors import ImageError

_OUTPUT = click.Path(file_okay=False, path_type=Path)


@click.group()
@site_options
def renditions() -> None:
    """Look after the store of made images."""


@renditions.command()
@click.option("--output", "-o", "outputs", multiple=True, type=_OUTPUT, metavar="DIR", help="Keep what this build has.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be removed.")
@json_option
@site_options
def prune(outputs: Sequence[Path], dry_run: bool) -> None:
    """Remove the made images that the last build does not show.

    Several builds that share the store are named one by one: --output build --output staging.
    """
    asked = invocation()
    site = open_site()
    needed = {key for output in outputs or (None,) for key in _needed(site, output)}
    removed = site.images.store.prune(needed, dry_run=dry_run)
    size = sum(number for _, number in removed)
    if asked.as_json:
        files = [{"name": name, "bytes": number} for name, number in removed]
        asked.output.data({"removed": files, "bytes": size, "kept": len(needed), "dry_run": dry_run})
        return
    verb = "would be removed" if dry_run else "removed"
    click.echo(f"{len(removed)} files of {size / 1_000_000:.1f} MB {verb} from {site.images.store.folder}")


def _needed(site: Any, output: Path | None) -> Iterator[str]:
    """Keys of the renditions, and digests of the images, that a build shows."""
    with open_manifest(site, output) as manifest:
        keys = [key for kind, key, _ in manifest.inputs(kinds={"image"}).values() if kind == "image"]
    for key in keys:
        try:
            yield from site.images.needed(key)
        except ImageError:
            continue  # an image that is gone by now is in no further build
