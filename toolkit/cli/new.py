"""``toolkit new``: a small site that builds at once."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path

import click

from toolkit.cli.failing import letter
from toolkit.cli.invocation import invocation
from toolkit.errors import ToolkitError

STARTER = Path(__file__).parent / "starter"
RECIPES = Path(__file__).parent / "recipes"

PLACES = {"github": ".github/workflows/publish.yml", "gitlab": ".gitlab-ci.yml"}
"""CI service to the file in which it looks for what to do."""


REQUIREMENTS = """\
# The extras: images for photographs, compress for precompressed files, s3 for a target such as s3://bucket.
# Leave out what the site does not use; a database other than SQLite has one of its own: postgresql, mysql.
publishing-toolkit[compress,images,s3]
"""


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--title", help="The publication's name.  [default: from DIR]")
@click.option("--ci", "service", type=click.Choice(sorted(PLACES)), help="With a recipe for this CI service.")
def new(folder: Path, title: str | None, service: str | None) -> None:
    """Make a small site that builds at once.

    It has models, pages, templates, a style and two stories. DIR is made; if it is there, it must be empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ToolkitError(f"{folder} is not empty", hint="Name a folder that is not there yet.")
    package = package_name(folder.resolve().name)
    name = title or re.sub(r"[-_]+", " ", folder.resolve().name).strip().capitalize() or "Untitled"
    if any(character in name for character in '"\\\n\r'):
        raise ToolkitError(
            f"the title {name!r} has a quote, a backslash or a line break", hint="Choose it later, in toolkit.toml."
        )
    for path in sorted(STARTER.rglob("*")):
        if path.is_file():
            _write(path, folder, package=package, title=name)
    if service is not None:
        _write_recipe(folder, service)
    say = invocation().output.say
    say(f"{letter(str(folder))}: a site, with its code in {package}/", style="green")
    say(f"next: cd {folder} && toolkit build && toolkit serve --preview")


def _write_recipe(folder: Path, service: str) -> None:
    """How a CI service builds, checks and deploys the site, and what it installs for that."""
    place = folder / PLACES[service]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text((RECIPES / f"{service}.yml").read_text("utf-8"), "utf-8")
    (folder / "requirements.txt").write_text(REQUIREMENTS, "utf-8")


def package_name(name: str) -> str:
    """A name for a package that hides no module of Python or of the toolkit."""
    package = re.sub(r"\W+", "_", name.lower(), flags=re.ASCII).strip("_") or "press"
    if package[0].isdigit():
        package = f"site_{package}"
    taken = package in sys.stdlib_module_names or keyword.iskeyword(package) or package in RESERVED
    return f"{package}_site" if taken else package


RESERVED = {"toolkit", "templates", "static", "public", "content", "locale", "build", "tests", "docs"}
"""Names of folders that a site has or may have."""


def _write(source: Path, folder: Path, *, package: str, title: str) -> None:
    """Copy one file. Python files end in ``.txt`` here, so that no tool takes them for the toolkit's own."""
    inside = source.relative_to(STARTER).as_posix().removesuffix(".txt")
    inside = re.sub(r"^package/", f"{package}/", inside)
    target = folder / (".gitignore" if inside == "gitignore" else inside)
    target.parent.mkdir(parents=True, exist_ok=True)
    text = source.read_text("utf-8").replace("@PACKAGE@", package).replace("@TITLE@", title)
    target.write_text(text, "utf-8")
