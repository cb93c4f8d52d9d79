"""Sections, tags, authors whom not everybody may see, and stories under embargo."""

from __future__ import annotations

from toolkit import models
from toolkit.models import Now, Q


class Section(models.Model):
    name = models.CharField(max_length=60, translated=True)
    slug = models.SlugField(unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    name = models.CharField(max_length=60)
    slug = models.SlugField(unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Author(models.Model):
    name = models.CharField(max_length=80)
    active = models.BooleanField(default=True)

    class Meta:
        public = Q(active=True)
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Note(models.Model):
    """Comes from files."""

    title = models.CharField(max_length=80)
    slug = models.SlugField(unique=True)
    body = models.MarkdownField(blank=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.title


class Story(models.Model):
    title = models.CharField(max_length=160, translated=True)
    slug = models.SlugField(max_length=80, unique=True, translated=True)
    body = models.MarkdownField(translated=True, blank=True)
    section = models.ForeignKey(Section, on_delete=models.PROTECT, related_name="stories")
    author = models.ForeignKey(Author, on_delete=models.SET_NULL, null=True, blank=True, related_name="stories")
    tags = models.ManyToManyField(Tag, related_name="stories", blank=True)
    weight = models.IntegerField(default=0)
    status = models.CharField(max_length=10, default="live")
    published = models.DateTimeField(db_index=True)
    expires = models.DateTimeField(null=True, blank=True)

    related = models.Similar("tags")
    search = models.Search(title=4, body=1)

    class Meta:
        ordering = ["-published"]
        untranslated = "hide"
        public = Q(status="live", published__lte=Now()) & ~Q(expires__lte=Now())

    def __str__(self) -> str:
        return self.title
