"""Pages of rows whose key is several columns: built, verified, moved, served."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.builder import Builder
from toolkit.testing import Client, temporary_site

MODELS = """
class Tenant(models.Model):
    slug = models.SlugField(primary_key=True)

class Issue(models.Model):
    pk = models.CompositePrimaryKey("tenant_id", "day")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    day = models.DateField()
    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=60)
"""
PAGES = """
@app.page("/issues/<slug>/", each=Issue.objects.all(), template="issue.html")
def issue(issue):
    return {}

@app.listing("/all/<tenant_id>/<day>/", each=Issue.objects.all(), template="list.html", per_page=1)
def listed(issue):
    return Issue.objects.filter(tenant=issue.tenant)

app.sitemap("/sitemap.xml")
"""
FILES = {
    "templates/issue.html": "{{ issue.title }} of {{ issue.tenant_id }} at {{ url_for(issue) }}",
    "templates/list.html": "{{ listing.number }} of {{ listing.pages }}",
}
SETTINGS = 'title = "T"\nbase_url = "https://t.example"\n'


def test_rows_with_a_composite_key_have_pages(tmp_path: Path) -> None:
    with temporary_site(tmp_path / "site", FILES, models=MODELS, pages=PAGES, settings=SETTINGS) as site:
        from press.models import Issue, Tenant  # type: ignore[import-not-found]  # made a moment ago

        acme, bolt = (Tenant.objects.create(slug=slug) for slug in ("acme", "bolt"))
        for tenant, day in ((acme, "2026-01-01"), (acme, "2026-01-02"), (bolt, "2026-01-01")):
            Issue.objects.create(tenant=tenant, day=day, slug=f"{tenant.slug}-{day[-1]}", title=f"No. {day[-1]}")
        out = site.folder / "build"
        assert Builder(site).build().rendered == 9
        assert (out / "issues/acme-2/index.html").read_text() == "No. 2 of acme at /issues/acme-2/"
        assert (out / "all/acme/2026-01-02/index.html").read_text() == "2 of 2"
        assert Builder(site).build().rendered == 0

        Issue.objects.filter(slug="bolt-1").update(title="Mended")
        assert "/issues/bolt-1/" in [event.subject for event in Builder(site).build().events]
        assert (out / "issues/bolt-1/index.html").read_text() == "Mended of bolt at /issues/bolt-1/"
        assert not Builder(site, paranoid=True).build().differences

        Issue.objects.filter(slug="acme-1").update(slug="first")
        Builder(site).build()
        assert "/issues/first/" in (out / "issues/acme-1/index.html").read_text(), "the old URL leads to the new one"
        client = Client(site)
        assert [client.get(f"/issues/{slug}/").status for slug in ("first", "none")] == [200, 404]
        assert client.get("/issues/acme-1/").status in (301, 308)


@pytest.mark.parametrize("workers", [1, 2])
def test_many_of_them_are_rendered_by_several_processes(tmp_path: Path, workers: int) -> None:
    with temporary_site(tmp_path / "site", FILES, models=MODELS, pages=PAGES, settings=SETTINGS) as site:
        from press.models import Issue, Tenant

        Tenant.objects.create(slug="acme")
        for number in range(12):
            day = f"2026-01-{number + 1:02}"
            Issue.objects.create(tenant_id="acme", day=day, slug=f"n-{number}", title=f"No. {number}")
        report = Builder(site, workers=workers).build()
        assert report.rendered == report.pages == 12 + 12 * 12 + 1
        assert (site.folder / "build/issues/n-11/index.html").read_text() == "No. 11 of acme at /issues/n-11/"
