"""``toolkit deploy`` and ``toolkit diff`` on a starter site."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Run

LIVE = '\n[deploy.live]\nto = "www"\nreleases = 3\n'


def declare(folder: Path, text: str = LIVE) -> None:
    place = folder / "toolkit.toml"
    place.write_text(place.read_text("utf-8") + text, "utf-8")


def edit(folder: Path) -> None:
    (story,) = (folder / "content/stories").glob("first*.md")
    story.write_text(story.read_text("utf-8") + "\nOne sentence more.\n", "utf-8")


def test_a_build_is_deployed_looked_at_and_taken_back(run: Run, folder: Path) -> None:
    declare(folder)
    run("build")
    planned = run("deploy", "--dry-run").output
    assert "pages: " in planned and "nothing was done" in planned
    assert not (folder / "www").exists()
    first = json.loads(run("deploy", "--json").stdout)
    assert first["ok"] and first["release"]
    assert (folder / "www/current/index.html").read_bytes() == (folder / "build/index.html").read_bytes()
    edit(folder)
    run("build")
    told = run("deploy", "live", "--purge-list", "urls.txt").output
    assert "readers see the release" in told and "files put" in told
    assert "http://localhost:8000/" in (folder / "urls.txt").read_text("utf-8")
    assert run("deploy", "--list").output.count("current") == 1
    assert f"readers see the release {first['release']}" in run("deploy", "--rollback").output
    assert "nothing to do" not in run("deploy", "--dry-run").output


def test_what_cannot_be_deployed_is_told(run: Run, folder: Path) -> None:
    assert "no target is declared" in run("deploy", status=1).output
    declare(folder)
    assert "was not built yet. Run: toolkit build" in run("deploy", status=1).output
    assert "there is no target 'life'. Did you mean 'live'?" in run("deploy", "life", status=1).output
    run("build")
    (folder / "build/index.html").write_text("edited by hand")
    assert "is not as the last build left it: index.html" in run("deploy", status=1).output
    assert "neither a number, nor a percentage" in run("deploy", "--max-deletes", "few", status=2).output


def test_the_hosts_own_form_can_be_looked_at(run: Run, folder: Path) -> None:
    (folder / "redirects.csv").write_text("from,to,status\n/old/*,/:splat,301\n")
    run("build")
    assert "/:splat 301" in run("deploy", "--print-host", "netlify").output
    found = json.loads(run("deploy", "--print-host", "nginx", "--json").stdout)
    assert set(found["files"]) == {"maps.conf", "site.conf"}


def test_a_wrong_redirect_stops_the_build_with_its_line(run: Run, folder: Path) -> None:
    (folder / "redirects.csv").write_text("from,to,status\n/a/,/b/,301\n/b/,/a/,301\n")
    told = run("build", status=1).output
    assert "redirects go round in a circle: /a/ -> /b/ -> /a/" in told
    assert "redirects.csv:2" in told


def test_what_a_build_would_change_is_shown(run: Run, folder: Path) -> None:
    run("build")
    assert "the builds are equal" in run("diff", "--now").output
    edit(folder)
    told = run("diff", "--now").output
    assert "+ One sentence more." in told
    assert "changed" in told.splitlines()[-1]
    lines = run("diff", "--now", "--json").stdout.splitlines()
    assert {json.loads(line)["kind"] for line in lines} == {"changed"}
    run("diff", "--now", "--exit-code", status=1)
    run("diff", "--now", "--html", "diff.html")
    assert "One sentence more." in (folder / "diff.html").read_text("utf-8")
    assert "One sentence more." not in (folder / "build/index.html").read_text("utf-8"), "nothing is published"
    assert [path.name for path in folder.iterdir() if path.name.startswith(".diff")] == []


def test_diff_needs_two_builds(run: Run) -> None:
    assert "name two folders: toolkit diff OLD NEW" in run("diff", status=2).output
    assert "was not built yet" in run("diff", "--now", status=2).output
