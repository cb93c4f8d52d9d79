"""Every page, and for which rows django-distill makes it."""

from django.contrib.sitemaps.views import sitemap
from django_distill import distill_path

from . import views
from .models import Author, Story, Tag


def stories():
    return ({"slug": slug} for slug in Story.objects.values_list("slug", flat=True))


def slugs(model):
    return lambda: ({"slug": slug} for slug in model.objects.values_list("slug", flat=True))


def further(model):
    def pages():
        for slug in model.objects.values_list("slug", flat=True):
            count = Story.objects.filter(**{f"{model.__name__.lower()}s__slug": slug}).count()
            yield from ({"slug": slug, "number": number} for number in range(2, views.pages_of(count) + 1))

    return pages


def months():
    return ({"year": f"{day.year}", "month": f"{day.month:02}"} for day in views.months())


def further_months():
    for month in months():
        count = views.of_month(**month).count()
        yield from ({**month, "number": number} for number in range(2, views.pages_of(count) + 1))


urlpatterns = [
    distill_path("", views.home, name="home"),
    distill_path("posts/<slug:slug>/", views.story, name="story", distill_func=stories),
    distill_path("tags/", views.tags, name="tags"),
    distill_path("tags/<slug:slug>/", views.tag, name="tag", distill_func=slugs(Tag)),
    distill_path("tags/<slug:slug>/page/<int:number>/", views.tag, name="tag-page", distill_func=further(Tag)),
    distill_path("tags/<slug:slug>/feed.xml", views.TagFeed(), name="tag-feed", distill_func=slugs(Tag)),
    distill_path("authors/", views.authors, name="authors"),
    distill_path("authors/<slug:slug>/", views.author, name="author", distill_func=slugs(Author)),
    distill_path(
        "authors/<slug:slug>/page/<int:number>/", views.author, name="author-page", distill_func=further(Author)
    ),
    distill_path("archive/", views.archive, name="archive"),
    distill_path("archive/<year>/<month>/", views.month, name="month", distill_func=months),
    distill_path(
        "archive/<year>/<month>/page/<int:number>/", views.month, name="month-page", distill_func=further_months
    ),
    distill_path("feed.xml", views.SiteFeed(), name="feed"),
    distill_path("sitemap.xml", sitemap, {"sitemaps": {"all": views.Stories}}, name="sitemap"),
]
