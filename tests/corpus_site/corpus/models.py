"""What a post is made of, in the words of its front matter."""

from __future__ import annotations

from datetime import datetime

from toolkit import models


class Author(models.Model):
    name = models.CharField(max_length=80)
    slug = models.SlugField(unique=True)

    class Meta:
        ordering = ["name", "slug"]

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    name = models.CharField(max_length=80)
    slug = models.SlugField(unique=True)

    class Meta:
        ordering = ["name", "slug"]

    def __str__(self) -> str:
        return self.name


class Story(models.Model):
    title = models.CharField(max_length=250)
    slug = models.SlugField(max_length=200, unique=True)
    published = models.DateTimeField(db_index=True)
    summary = models.TextField(max_length=400, blank=True)
    authors = models.ManyToManyField(Author, related_name="stories", blank=True)
    tags = models.ManyToManyField(Tag, related_name="stories", blank=True)
    body = models.MarkdownField()

    related = models.Similar("tags")

    class Meta:
        ordering = ["-published", "slug"]
        verbose_name_plural = "stories"

    def __str__(self) -> str:
        return self.title

    @property
    def updated(self) -> datetime:
        """When feeds and the sitemap say it changed: the posts tell no other date."""
        return self.published
