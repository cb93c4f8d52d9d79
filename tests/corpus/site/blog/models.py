"""What a post is made of, in the words of its front matter. Authors and tags are made of what the posts say."""

from __future__ import annotations

from toolkit import models


class Author(models.Model):
    """Somebody who wrote; the posts know an account's name and no more."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """A subject."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class Story(models.Model):
    """A post."""

    title = models.CharField(max_length=250)
    slug = models.SlugField(max_length=150, unique=True)
    date = models.DateTimeField(db_index=True)
    authors = models.ManyToManyField(Author, related_name="stories", blank=True)
    tags = models.ManyToManyField(Tag, related_name="stories", blank=True)
    excerpt = models.TextField(blank=True, help_text="May hold HTML.")
    description = models.TextField(blank=True, help_text="For search engines.")
    image = models.CharField(max_length=250, blank=True)
    image_alt = models.TextField(blank=True)
    image_caption = models.TextField(blank=True)
    locale = models.CharField(max_length=10, blank=True, help_text="Of a post in another language.")
    body = models.MarkdownField()

    related = models.Similar("tags")

    class Meta:
        ordering = ["-date", "slug"]
        verbose_name_plural = "stories"

    def __str__(self) -> str:
        return self.title
