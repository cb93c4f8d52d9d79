"""The benchmark's site for Pelican: the same pages, from the same posts, as tests/corpus_site builds."""

import csv
import os
from collections import Counter
from email.utils import format_datetime

SITENAME = "The Corpus"
SITEURL = "https://corpus.example"
TIMEZONE = "UTC"
DEFAULT_LANG = "en"
PATH = "content"
ARTICLE_PATHS = ["posts"]
OUTPUT_PATH = "output"
THEME = "theme"
THEME_STATIC_DIR = "static"
THEME_STATIC_PATHS = ["static"]
DELETE_OUTPUT_DIRECTORY = False

ARTICLE_URL, ARTICLE_SAVE_AS = "posts/{slug}/", "posts/{slug}/index.html"
TAG_URL, TAG_SAVE_AS = "tags/{slug}/", "tags/{slug}/index.html"
AUTHOR_URL, AUTHOR_SAVE_AS = "authors/{slug}/", "authors/{slug}/index.html"
MONTH_ARCHIVE_URL, MONTH_ARCHIVE_SAVE_AS = "archive/{date:%Y}/{date:%m}/", "archive/{date:%Y}/{date:%m}/index.html"
CATEGORY_SAVE_AS = ""
DIRECT_TEMPLATES = ["index", "tags", "authors", "archives", "sitemap"]
TAGS_SAVE_AS, AUTHORS_SAVE_AS, ARCHIVES_SAVE_AS = "tags/index.html", "authors/index.html", "archive/index.html"
SITEMAP_SAVE_AS = "sitemap.xml"
PAGINATED_TEMPLATES = {"tag": 50, "author": 50, "period_archives": 50}
PAGINATION_PATTERNS = (
    (1, "{base_name}/", "{base_name}/index.html"),
    (2, "{base_name}/page/{number}/", "{base_name}/page/{number}/index.html"),
)

FEED_DOMAIN = SITEURL
FEED_ALL_RSS, FEED_ALL_ATOM, CATEGORY_FEED_ATOM, AUTHOR_FEED_ATOM, AUTHOR_FEED_RSS = "feed.xml", None, None, None, None
TAG_FEED_RSS = "tags/{slug}/feed.xml"
TRANSLATION_FEED_ATOM = None
FEED_MAX_ITEMS = 20
RSS_FEED_SUMMARY_ONLY = True


def read_names(kind):
    with open(f"{kind}.csv", encoding="utf-8", newline="") as file:
        return {row["slug"]: row["name"] for row in csv.DictReader(file)}


NAMES = {"tags": read_names("tags"), "authors": read_names("authors")}


def names(items, kind):
    return [{"name": NAMES[kind][item.slug], "url": f"/{kind}/{item.slug}/"} for item in items]


def months(archives):
    return [
        {"name": f"{month['period'][1]} {month['period'][0]}", "url": f"/{month['url']}"} for month in archives[::-1]
    ]


INDEX = {}


def related(article):
    """Five stories that share tags with this one: most shared tags first, then the newest."""
    if os.environ.get("RELATED") == "none":
        return []
    shared = Counter(other for tag in getattr(article, "tags", ()) for other in INDEX[tag.slug])
    del shared[article.place]
    return [ARTICLES[place] for place, _ in sorted(shared.items(), key=lambda item: (-item[1], item[0]))[:5]]


ARTICLES = []


def take_articles(generator):
    ARTICLES[:] = sorted(generator.articles, key=lambda article: article.slug)
    ARTICLES.sort(key=lambda article: article.date, reverse=True)
    INDEX.clear()
    for place, article in enumerate(ARTICLES):
        article.place = place
        for tag in getattr(article, "tags", ()):
            INDEX.setdefault(tag.slug, []).append(place)


class Press:
    """A plugin, as Pelican has them: a module or an object with register()."""

    __name__ = "press"

    @staticmethod
    def register():
        from pelican import signals

        signals.article_generator_finalized.connect(take_articles)


PLUGINS = [Press()]
JINJA_FILTERS = {
    "names": names,
    "months": months,
    "related": related,
    "long": lambda date: f"{date:%B} {date.day}, {date.year}",
    "rfc": format_datetime,
    "without_index": lambda path: path.removesuffix("index.html"),
}
JINJA_ENVIRONMENT = {"autoescape": True, "trim_blocks": False, "lstrip_blocks": False}
