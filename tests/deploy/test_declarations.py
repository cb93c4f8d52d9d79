"""What toolkit.toml says of targets, and what it may not say."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from toolkit.deploy.declarations import Declaration, find_declaration, read_declarations
from toolkit.deploy.targets.open import make_target
from toolkit.errors import Problems, SettingError
from toolkit.testing import temporary_site


def declared(tmp_path: Path, text: str, **environment: str) -> Any:
    with temporary_site(tmp_path, settings=text, tables=False) as site:
        found = read_declarations(site, environment=environment)
        return {name: (one, make_target(site, one)) for name, one in found.items()}


@pytest.mark.parametrize(
    ("to", "kind", "host"),
    [
        ("public_html", "FolderTarget", "plain"),
        ("file:///srv/www", "FolderTarget", "plain"),
        ("s3://bucket/live", "S3Target", "s3"),
        ("gs://bucket", "ObjectsTarget", "plain"),
        ("sftp://ana@host/www", "SftpTarget", "plain"),
        ("rsync://ana@host:22/www", "RsyncTarget", "plain"),
        ("git@git.example:news.git", "GitTarget", "github-pages"),
        ("git+ssh://git@git.example/news", "GitTarget", "github-pages"),
        ("dist/site.zip", "ArchiveTarget", "plain"),
        ("dist/site.tar.gz", "ArchiveTarget", "plain"),
    ],
)
def test_the_place_says_which_kind_of_target_it_is(tmp_path: Path, to: str, kind: str, host: str) -> None:
    one, target = declared(tmp_path, f'[deploy.live]\nto = "{to}"')["live"]
    assert (type(target).__name__, one.host) == (kind, host)
    assert one.url == "http://localhost:8000"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('url = "https://a.example"', r"deploy.live.to is missing: say where to"),
        ('to = "x"\nrelease = 3', r"deploy.live: there is no option 'release'. Did you mean 'releases'"),
        ('to = "x"\nreleases = "3"', r"deploy.live.releases = '3': expected a whole number"),
        ('to = "x"\nreleases = -1', r"deploy.live.releases = -1: it must be at least 0"),
        ('to = "x"\nparallel = true', r"deploy.live.parallel = True: expected a whole number"),
        ('to = "x"\nhost = "netlfy"', r"host = 'netlfy' is not known. Did you mean 'netlify'"),
        ('to = "x"\nmax_deletes = "many"', r"max_deletes = 'many': expected a whole number, or a percentage"),
        ('to = "x"\nverify = "some"', r"verify = 'some': expected a whole number, or 'all'"),
        ('to = "x"\nafter = [1]', r"after has 1: expected a list of texts"),
        ('to = "sftp://ana:hidden@host/x"', r"to holds a password: leave it to the environment"),
        ('to = "x"\n[deploy.live.options]\nsecret = "hidden"', r"options.secret is a secret: name a variable"),
        ('to = "x.git"\ncname = "https://courier.example/"', "cname = .*: expected a domain alone, such as"),
        ('to = "x"\nswitch = "./origin.sh"', "switch: without releases there is nothing to switch"),
        ('to = "x"\n[deploy.live.purge]\nbatch = 3', r"purge needs either post = .* or command"),
        ('to = "x"\n[deploy.live.purge]\npots = "x"', r"purge: there is no option 'pots'. Did you mean 'post'"),
        ('to = "sftp://h/x"\nreleases = 3', r"deploy.live.releases: sftp://h/x cannot hold releases"),
        ('to = "x"\nrollback = true', r"deploy.live.rollback: without releases there is nothing to go back to"),
    ],
)
def test_what_cannot_stand_is_told(tmp_path: Path, lines: str, told: str) -> None:
    with pytest.raises((Problems, SettingError), match=told) as caught:
        declared(tmp_path, f"[deploy.live]\n{lines}")
    assert "hidden" not in str(caught.value)


def test_secrets_come_from_the_environment(tmp_path: Path) -> None:
    text = '[deploy.live]\nto = "s3://b"\n[deploy.live.options]\nsecret = "$S3_SECRET"\nendpoint_url = "http://s3"'
    one, target = declared(tmp_path, text, S3_SECRET="hidden")["live"]
    assert one.options == {"secret": "hidden", "endpoint_url": "http://s3"}
    assert "hidden" not in repr(one) + target.name


def test_a_variable_that_is_not_set_is_told(tmp_path: Path) -> None:
    text = '[deploy.test]\nto = "x"\n[deploy.live]\nto = "s3://b"\n[deploy.live.options]\nsecret = "$NO_SUCH_SECRET"'
    told = r"deploy.live.options.secret: the variable NO_SUCH_SECRET is not set"
    with temporary_site(tmp_path, settings=text, tables=False) as site:
        assert find_declaration(site, "test").name == "test", "who deploys there needs no secret of another place"
        with pytest.raises(Problems, match=told):
            find_declaration(site, "live")
    with pytest.raises(Problems, match=told):
        declared(tmp_path, text)


def test_the_only_target_needs_no_name(tmp_path: Path) -> None:
    with temporary_site(tmp_path, settings='[deploy.live]\nto = "x"', tables=False) as site:
        assert find_declaration(site, None).name == "live"
        with pytest.raises(SettingError, match=r"there is no target 'lve'. Did you mean 'live'"):
            find_declaration(site, "lve")


def test_of_several_one_must_be_named(tmp_path: Path) -> None:
    text = '[deploy.live]\nto = "x"\n[deploy.test]\nto = "y"'
    told = r"several targets are declared. Say which: live, test"
    with (
        temporary_site(tmp_path, settings=text, tables=False) as site,
        pytest.raises(SettingError, match=told),
    ):
        find_declaration(site, None)


def test_a_site_without_targets_says_how_to_declare_one(tmp_path: Path) -> None:
    told = r"no target is declared. Write in toolkit.toml: \[deploy.live\]"
    with temporary_site(tmp_path, tables=False) as site, pytest.raises(SettingError, match=told):
        find_declaration(site, None)


def test_the_manual_names_every_option() -> None:
    text = (Path(__file__).parents[2] / "docs/content/how-to/deploy.md").read_text("utf-8")
    names = [field.name for field in fields(Declaration) if field.name != "name"]
    assert [name for name in names if f"| `{name}` |" not in text] == []
