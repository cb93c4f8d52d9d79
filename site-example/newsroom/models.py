"""What the Courier is made of: sections, people, places and stories."""

from __future__ import annotations

from toolkit import gis, models
from toolkit.i18n import gettext_lazy as _
from toolkit.models import Now, Q


class Section(models.Model):
    name = models.CharField(max_length=60, translated=True)
    slug = models.SlugField(unique=True)
    description = models.TextField(blank=True, translated=True)
    position = models.IntegerField(default=0)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name


class Author(models.Model):
    name = models.CharField(max_length=80)
    slug = models.SlugField(unique=True)
    role = models.CharField(max_length=80, blank=True, translated=True)
    bio = models.MarkdownField(blank=True, translated=True)
    email = models.EmailField(blank=True)
    portrait = models.CharField(max_length=120, blank=True, help_text="path in static/, such as img/people/ines.svg")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    name = models.CharField(max_length=60, translated=True)
    slug = models.SlugField(unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Place(models.Model):
    name = models.CharField(max_length=80, translated=True)
    slug = models.SlugField(unique=True)
    kind = models.CharField(
        max_length=20,
        choices=[
            ("landmark", _("Landmark")),
            ("street", _("Street")),
            ("line", _("Line")),
            ("area", _("Area")),
            ("land", _("Island")),
            ("water", _("Water")),
        ],
        default="landmark",
        help_text="also the layer that maps draw it in",
    )
    description = models.TextField(blank=True, translated=True)
    geometry = gis.GeometryField(help_text="WGS 84 longitude and latitude")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class StoryQuerySet(models.QuerySet["Story"]):
    def leading(self) -> StoryQuerySet:
        """Stories that the desk put forward, most important first."""
        return self.filter(weight__gt=0).order_by("-weight", "-published")


class Story(models.Model):
    title = models.CharField(max_length=160, translated=True)
    slug = models.SlugField(max_length=80, unique=True, translated=True)
    summary = models.TextField(max_length=400, translated=True)
    body = models.MarkdownField(translated=True)
    section = models.ForeignKey(Section, on_delete=models.PROTECT, related_name="stories")
    authors = models.ManyToManyField(Author, related_name="stories")
    tags = models.ManyToManyField(Tag, related_name="stories", blank=True)
    places = models.ManyToManyField(Place, related_name="stories", blank=True)
    image = models.CharField(max_length=120, blank=True, help_text="path in static/, such as img/stories/flood.svg")
    image_alt = models.CharField(max_length=200, blank=True, translated=True)
    image_credit = models.CharField(max_length=120, blank=True)
    weight = models.IntegerField(default=0, help_text="above 0 puts the story forward on the home page")
    status = models.CharField(max_length=10, choices=[("draft", _("Draft")), ("live", _("Live"))], default="draft")
    published = models.DateTimeField(db_index=True)
    updated = models.DateTimeField()
    expires = models.DateTimeField(null=True, blank=True)

    objects = StoryQuerySet.as_manager()
    related = models.Similar("tags")
    search = models.Search(title=4, summary=2, body=1)

    class Meta:
        ordering = ["-published"]
        verbose_name_plural = "stories"
        untranslated = "hide"
        public = Q(status="live", published__lte=Now()) & ~Q(expires__lte=Now())

    def __str__(self) -> str:
        return self.title
