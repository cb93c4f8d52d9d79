"""What a post is made of."""

import os
from collections import Counter
from functools import cache

from django.db import models
from django.urls import reverse


class Name(models.Model):
    name = models.CharField(max_length=80)
    slug = models.SlugField(unique=True)

    class Meta:
        abstract = True
        ordering = ["name", "slug"]


class Author(Name):
    def get_absolute_url(self):
        return reverse("author", args=[self.slug])


class Tag(Name):
    def get_absolute_url(self):
        return reverse("tag", args=[self.slug])


class Story(models.Model):
    title = models.CharField(max_length=250)
    slug = models.SlugField(max_length=200, unique=True)
    published = models.DateTimeField(db_index=True)
    summary = models.TextField(blank=True)
    body = models.TextField()
    authors = models.ManyToManyField(Author, related_name="stories")
    tags = models.ManyToManyField(Tag, related_name="stories")

    class Meta:
        ordering = ["-published", "slug"]

    def get_absolute_url(self):
        return reverse("story", args=[self.slug])


@cache
def places():
    """Stories by key, newest first, and by tag: read once, as somebody who minds the time would."""
    order = {key: place for place, key in enumerate(Story.objects.values_list("pk", flat=True))}
    tags, stories = {}, {}
    for story, tag in Story.tags.through.objects.values_list("story_id", "tag_id"):
        tags.setdefault(tag, []).append(story)
        stories.setdefault(story, []).append(tag)
    return order, tags, stories


def related(story):
    """Five stories that share tags with this one: most shared tags first, then the newest."""
    if os.environ.get("RELATED") == "none":
        return []
    order, tags, stories = places()
    shared = Counter(other for tag in stories.get(story.pk, ()) for other in tags[tag])
    del shared[story.pk]
    keys = [key for key, _ in sorted(shared.items(), key=lambda item: (-item[1], order[item[0]]))[:5]]
    found = Story.objects.prefetch_related("authors").defer("body").in_bulk(keys)
    return [found[key] for key in keys]
