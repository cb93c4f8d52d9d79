"""``manage.py publish``: the database from the content files, and the pages from the database."""

import csv
from datetime import datetime
from pathlib import Path

import yaml
from django.contrib.sites.models import Site
from django.core.management import BaseCommand, call_command
from django.db import transaction

from press.models import Author, Story, Tag


class Command(BaseCommand):
    help = "Load the posts, and generate everything."

    def handle(self, *args, **options):
        call_command("migrate", run_syncdb=True, verbosity=0)
        with transaction.atomic():
            load(Path("."))
        call_command("collectstatic", interactive=False, verbosity=0)
        call_command("distill", "generate", "--output-directory", "output", "--force", "--quiet")


def load(folder):
    """Every row anew: a post that was edited or removed is seen without a record of what was there."""
    for model in (Story, Author, Tag):
        model.objects.all().delete()
    Site.objects.update_or_create(pk=1, defaults={"domain": "corpus.example", "name": "The Corpus"})
    authors, tags = names(folder / "authors.csv", Author), names(folder / "tags.csv", Tag)
    stories, matters = [], []
    for path in sorted((folder / "content" / "posts").glob("*.md")):
        _, head, body = path.read_text("utf-8").split("---\n", 2)
        matter = yaml.load(head, Loader=yaml.CSafeLoader)
        when = datetime.fromisoformat(matter["published"])
        stories.append(
            Story(title=matter["title"], slug=matter["slug"], published=when, summary=matter["summary"], body=body)
        )
        matters.append(matter)
    Story.objects.bulk_create(stories, batch_size=500)
    of_author, of_tag = Story.authors.through, Story.tags.through
    of_author.objects.bulk_create(
        of_author(story=story, author=authors[slug])
        for story, matter in zip(stories, matters, strict=True)
        for slug in matter["authors"]
    )
    of_tag.objects.bulk_create(
        of_tag(story=story, tag=tags[slug])
        for story, matter in zip(stories, matters, strict=True)
        for slug in matter["tags"]
    )


def names(path, model):
    with path.open(encoding="utf-8", newline="") as file:
        found = model.objects.bulk_create(model(**row) for row in csv.DictReader(file))
    return {row.slug: row for row in found}
