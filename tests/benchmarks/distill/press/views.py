"""The pages of tests/corpus_site, in the same markup."""

from math import ceil

import markdown
from django.contrib.sitemaps import Sitemap
from django.contrib.syndication.views import Feed
from django.shortcuts import get_object_or_404, render
from django.utils.safestring import mark_safe

from .models import Author, Story, Tag, related

PER_PAGE = 50
LISTED = Story.objects.prefetch_related("authors").defer("body")


def pages_of(count):
    return max(1, ceil(count / PER_PAGE))


def home(request):
    context = {"title": "Latest stories", "stories": LISTED[:20], "feed": "/feed.xml"}
    return render(request, "listing.html", context)


def story(request, slug):
    found = get_object_or_404(Story.objects.prefetch_related("authors", "tags"), slug=slug)
    body = mark_safe(markdown.markdown(found.body, extensions=["extra"]))
    return render(
        request, "story.html", {"title": found.title, "story": found, "body": body, "related": related(found)}
    )


def listing(request, title, stories, base, number, feed=""):
    pages = pages_of(stories.count())
    url = lambda page: base if page == 1 else f"{base}page/{page}/"  # noqa: E731
    context = {
        "title": title,
        "stories": stories[(number - 1) * PER_PAGE : number * PER_PAGE],
        "feed": feed,
        "number": number,
        "pages": pages,
        "previous": url(number - 1) if number > 1 else "",
        "next": url(number + 1) if number < pages else "",
    }
    return render(request, "listing.html", context)


def tag(request, slug, number=1):
    found = get_object_or_404(Tag, slug=slug)
    base = found.get_absolute_url()
    return listing(request, found.name, LISTED.filter(tags=found), base, number, feed=f"{base}feed.xml")


def author(request, slug, number=1):
    found = get_object_or_404(Author, slug=slug)
    return listing(request, found.name, LISTED.filter(authors=found), found.get_absolute_url(), number)


def months():
    return Story.objects.datetimes("published", "month", order="DESC")


def of_month(year, month):
    return LISTED.filter(published__year=year, published__month=month)


def month(request, year, month, number=1):
    stories = of_month(year, month)
    title = f"{stories[0].published:%B %Y}"
    return listing(request, title, stories, f"/archive/{year}/{month}/", number)


def tags(request):
    return render(request, "names.html", {"title": "Tags", "names": Tag.objects.all()})


def authors(request):
    return render(request, "names.html", {"title": "Authors", "names": Author.objects.all()})


def archive(request):
    names = [{"name": f"{day:%B %Y}", "get_absolute_url": f"/archive/{day:%Y/%m}/"} for day in months()]
    return render(request, "names.html", {"title": "Archive", "names": names})


class SiteFeed(Feed):
    title, link, description = "The Corpus", "/", "All new stories"

    def items(self):
        return Story.objects.prefetch_related("authors", "tags").defer("body")[:20]

    def item_link(self, item):
        return f"https://corpus.example{item.get_absolute_url()}"

    def item_title(self, item):
        return item.title

    def item_description(self, item):
        return item.summary

    def item_pubdate(self, item):
        return item.published

    def item_author_name(self, item):
        return ", ".join(author.name for author in item.authors.all())

    def item_categories(self, item):
        return [tag.name for tag in item.tags.all()]


class TagFeed(SiteFeed):
    def get_object(self, request, slug):
        return get_object_or_404(Tag, slug=slug)

    def title(self, obj):
        return obj.name

    def link(self, obj):
        return obj.get_absolute_url()

    def description(self, obj):
        return f"New stories on {obj.name}"

    def items(self, obj):
        return Story.objects.filter(tags=obj).prefetch_related("authors", "tags").defer("body")[:20]


class Stories(Sitemap):
    limit = 50_000
    protocol = "https"

    def items(self):
        return Story.objects.defer("body")

    def lastmod(self, item):
        return item.published
