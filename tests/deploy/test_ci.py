"""The recipes for CI services, done step by step as far as a shell can: the second run renders nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tests.warm import PLAIN, WarmToolkit
from toolkit.cli.main import cli

from .servers import free_port, running

CACHED = ["site.db", "build", "build.manifest.db", ".toolkit"]


def made(folder: Path, service: str) -> Path:
    """A new site with the recipe, and a target."""
    result = CliRunner().invoke(cli, ["new", str(folder), "--ci", service])
    assert result.exit_code == 0, result.output
    settings = folder / "toolkit.toml"
    settings.write_text(settings.read_text("utf-8") + f'\n[deploy.live]\nto = "{folder.parent}/www"\n', "utf-8")
    return folder


def test_the_requirements_name_extras_that_there_are(tmp_path: Path) -> None:
    lines = (made(tmp_path / "site", "github") / "requirements.txt").read_text("utf-8").splitlines()
    (line,) = [line for line in lines if not line.startswith("#")]
    name, _, extras = line.rstrip("]").partition("[")
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    assert name == project["name"]
    assert "s3" in extras.split(",")
    assert set(extras.split(",")) <= project["optional-dependencies"].keys()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address at which the target is found."""
    (tmp_path / "www").mkdir()
    port = free_port()
    with running(
        [sys.executable, "-m", "http.server", str(port), "-b", "127.0.0.1", "-d", str(tmp_path / "www")], port
    ):
        yield f"http://127.0.0.1:{port}"


class Service:
    """What a CI service does around the steps of a recipe.

    Args:
        site: The repository.
        kept: Where its cache is.
        warm: Runs commands sooner than a shell does.
        environment: Of the steps.
    """

    def __init__(self, site: Path, kept: Path, warm: WarmToolkit, **environment: str) -> None:
        self.site = site
        self.kept = kept
        self.warm = warm
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        root = str(Path(__file__).parents[2])
        self.environment = {**os.environ, "PATH": path, "PYTHONPATH": root, "CI": "true", **environment}

    def check_out(self, place: Path) -> Path:
        """A fresh copy of the repository, with nothing that a build left."""
        return Path(shutil.copytree(self.site, place, ignore=shutil.ignore_patterns(*CACHED, "__pycache__", ".*lock")))

    def fetch(self, place: Path, paths: list[str]) -> None:
        for path in paths:
            self._copy(self.kept / path, place / path)

    def keep(self, place: Path, paths: list[str]) -> None:
        for path in paths:
            self._copy(place / path, self.kept / path)

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        """As archives do: the content, with new inodes."""
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)

    def run(self, script: str, place: Path) -> str:
        if PLAIN.fullmatch(script):
            status, printed = self.warm.run(script, place, self.environment)
            assert status == 0, f"$ {script}\n{printed}"
            return printed
        done = subprocess.run(
            ["bash", "-e", "-c", script], cwd=place, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"$ {script}\n{done.stdout}{done.stderr}"
        return done.stdout


def on_github(service: Service, place: Path, recipe: dict[str, Any]) -> str:
    """Do a job's steps in order; what is printed."""
    printed = ""
    service.check_out(place)
    for step in recipe["jobs"]["publish"]["steps"]:
        action = step.get("uses", "")
        if action.startswith("actions/cache/restore"):
            service.fetch(place, step["with"]["path"].split())
        elif action.startswith("actions/cache/save"):
            service.keep(place, step["with"]["path"].split())
        elif "run" in step and step["name"] != "Install":  # the toolkit at hand is that of this checkout
            assert step.get("if", "github.ref == 'refs/heads/main'") == "github.ref == 'refs/heads/main'"
            printed += service.run(step["run"], place)
    return printed


def on_gitlab(service: Service, place: Path, recipe: dict[str, Any]) -> str:
    printed = ""
    service.check_out(place)
    paths = [path for path in recipe["cache"]["paths"] if path != ".pip"]
    service.fetch(place, paths)
    for line in recipe["publish"]["script"]:
        printed += service.run(line, place)
    service.keep(place, paths)
    return printed


RECIPES = {
    "github": (".github/workflows/publish.yml", on_github),
    "gitlab": (".gitlab-ci.yml", on_gitlab),
}


@pytest.mark.parametrize("name", list(RECIPES))
def test_the_second_run_renders_nothing_and_sends_nothing(
    name: str, tmp_path: Path, served: str, warm: WarmToolkit
) -> None:
    path, follow = RECIPES[name]
    site = made(tmp_path / "bay-press", name)
    recipe = yaml.safe_load((site / path).read_text("utf-8"))
    branch = {"CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"}
    service = Service(site, tmp_path / "kept", warm, TOOLKIT_BASE_URL=served, **branch)
    first = follow(service, tmp_path / "first", recipe)
    assert " 0 rendered" not in first and "files put" in first and "files verified" in first
    second = follow(service, tmp_path / "second", recipe)
    assert " 0 rendered" in second and "0 files written" in second
    assert "nothing to do" in second and "files verified" in second
    built = {p.relative_to(tmp_path / "second/build") for p in (tmp_path / "second/build").rglob("*") if p.is_file()}
    assert all((tmp_path / "www" / file).is_file() for file in built)


def test_the_manual_shows_the_recipes_as_they_are_made(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs/content/how-to/ci.md").read_text("utf-8")
    for name, (path, _) in RECIPES.items():
        assert (made(tmp_path / name, name) / path).read_text("utf-8") in text


def test_json_of_the_recipes_is_what_yaml_says(tmp_path: Path) -> None:
    """A recipe has plain values only: nothing that two readers of YAML take for different things."""
    for name, (path, _) in RECIPES.items():
        recipe = yaml.safe_load((made(tmp_path / name, name) / path).read_text("utf-8"))
        assert json.loads(json.dumps(recipe, default=str))
