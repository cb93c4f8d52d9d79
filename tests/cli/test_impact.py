"""``toolkit impact`` and ``toolkit why`` for rows with keys of any kind, on every database."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.servers import SERVERS
from toolkit.builder import Builder
from toolkit.cli.main import cli
from toolkit.database import Database
from toolkit.testing import forget_modules, temporary_site

KINDS = {
    "Invoice": ('pk = models.CompositePrimaryKey("tenant", "number")', "acme|7"),
    "Day": ("day = models.DateField(primary_key=True)", "2026-03-01"),
    "Seal": ("token = models.UUIDField(primary_key=True)", "6f1c9d1e-7a53-4a6b-9d0e-3f6a1c2b4d5e"),
    "Instant": ("at = models.DateTimeField(primary_key=True)", "2026-03-01T10:30:00Z"),
    "Price": ("amount = models.DecimalField(primary_key=True, max_digits=6, decimal_places=2)", "1.10"),
    "Leaf": ('pk = models.CompositePrimaryKey("day", "code")', r"2026-03-01|a\|b"),
}
"""A model to its key, and how people name a row by it."""

FIELDS = {
    "Invoice": """
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    number = models.IntegerField()""",
    "Leaf": """
    day = models.DateField()
    code = models.CharField(max_length=9)""",
}
MODELS = "class Tenant(models.Model):\n    slug = models.SlugField(unique=True)\n" + "".join(
    f"\nclass {kind}(models.Model):\n    {key}{FIELDS.get(kind, '')}\n    name = models.CharField(max_length=9)\n"
    for kind, (key, _) in KINDS.items()
)
PAGES = "".join(
    f'@app.page("/{kind.lower()}/<name>/", each={kind}.objects.all(), template="row.html")\n'
    f"def {kind.lower()}(row):\n    return {{}}\n\n"
    for kind in KINDS
)


@contextmanager
def a_place_on(url: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a database for one test."""
    if url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path}/press.db"
        return
    name, kind = f"toolkit_{uuid.uuid4().hex[:12]}", "SCHEMA" if url.startswith("postgres") else "DATABASE"
    database = Database(url)
    database.execute(f"CREATE {kind} {name}")
    yield f"{url}?options=-csearch_path%3D{name}" if kind == "SCHEMA" else f"{url.rpartition('/')[0]}/{name}"
    database.execute(f"DROP {kind} {name} {'CASCADE' if kind == 'SCHEMA' else ''}")
    database.close()


@pytest.mark.parametrize("url", ["sqlite://", *SERVERS], ids=lambda url: url.partition(":")[0])
def test_rows_are_named_by_keys_of_any_kind(url: str, tmp_path: Path) -> None:
    files = {"templates/row.html": "{{ row.name }}"}
    folder = tmp_path / "site"
    with a_place_on(url, tmp_path) as place:
        with temporary_site(folder, files, models=MODELS, pages=PAGES, settings=f'database = "{place}"\n') as site:
            tenants = [model for model in site.models if model.__name__ == "Tenant"]
            acme = tenants[0].objects.create(slug="acme")
            made = {
                "Invoice": {"tenant": acme, "number": 7},
                "Day": {"day": "2026-03-01"},
                "Seal": {"token": KINDS["Seal"][1]},
                "Instant": {"at": KINDS["Instant"][1]},
                "Price": {"amount": "1.10"},
                "Leaf": {"day": "2026-03-01", "code": "a|b"},
            }
            for model in site.models:
                if model.__name__ in made:
                    model.objects.create(name="x", **made[model.__name__])
            assert Builder(site, workers=1).build().rendered == len(KINDS)

        def ask(*args: str, status: int = 0) -> str:
            result = CliRunner().invoke(cli, [*args, "--site", str(folder)])
            forget_modules(folder)
            assert result.exit_code == status, result.output
            return result.output

        for kind, (_, named) in KINDS.items():
            told = json.loads(ask("impact", f"{kind.lower()}:{named}", "--json"))
            assert told["read_by"] == [f"/{kind.lower()}/x/"], kind
        assert json.loads(ask("impact", f"invoice:{acme.pk}|7", "--json"))["read_by"] == ["/invoice/x/"]
        assert "Did you mean 'acme|7'?" in ask("impact", "invoice:acne|7", status=1)
        assert "there is no invoice '7'" in ask("impact", "invoice:7", status=1)
        assert f"of Invoice {acme.pk}|7 in en" in ask("why", "/invoice/x/")
        assert r"Leaf 2026-03-01|a\|b" in ask("why", "/leaf/x/")
