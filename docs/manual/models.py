"""What the manual is made of: parts, and their chapters."""

from __future__ import annotations

from toolkit import models


class Part(models.Model):
    name = models.CharField(max_length=40)
    slug = models.SlugField(unique=True)
    position = models.IntegerField()
    summary = models.TextField(help_text="what the chapters of this part are good for, in a sentence")

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name


class Chapter(models.Model):
    title = models.CharField(max_length=80)
    slug = models.SlugField(unique=True)
    part = models.ForeignKey(Part, on_delete=models.PROTECT, related_name="chapters")
    position = models.IntegerField()
    summary = models.TextField(max_length=240)
    body = models.MarkdownField()

    class Meta:
        ordering = ["part__position", "position"]

    def __str__(self) -> str:
        return self.title
