"""A newsroom's models as its developers write them. Never run: ``mypy --strict`` must accept every line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, assert_type
from uuid import UUID
from zoneinfo import ZoneInfo

from toolkit import App, models
from toolkit.database import Database, atomic, on_commit
from toolkit.errors import IntegrityError, ValidationError
from toolkit.models import Count, F, Max, Now, Q, QuerySet, RelatedManager
from toolkit.signals import post_save
from toolkit.storage import ContentFile
from toolkit.validators import FileExtensionValidator, MinValueValidator


class Section(models.Model):
    name = models.CharField(max_length=60, translated=True, verbose_name="name", help_text="as readers see it")
    slug = models.SlugField(unique=True, db_index=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["name", "position"], name="name_once", condition=Q(position__gt=0))
        ]
        indexes = [models.Index(fields=["-position"], name="by_position")]


class Author(models.Model):
    name = models.CharField(max_length=80)
    email = models.EmailField(blank=True)
    home_page = models.URLField(null=True, blank=True)


class Scan(models.Model):
    page = models.FileField(upload_to="scans/%Y", validators=[FileExtensionValidator(["pdf"])])
    photo = models.ImageField(width_field="width", blank=True)
    width = models.IntegerField(null=True, validators=[MinValueValidator(1)])


def scans(scan: Scan) -> None:
    assert_type(scan.page.url, str)
    assert_type(scan.page.read(), bytes)
    assert_type(scan.photo.width, int)
    scan.page = ContentFile(b"...", "page.pdf")
    scan.page = "scans/page.pdf"
    scan.page.save("page.pdf", b"...")
    try:
        scan.full_clean(exclude=["photo"])
        scan.save()
    except ValidationError as error:
        assert_type(error.message_dict, dict[str, list[str]])
    except IntegrityError as error:
        assert_type(error.fields, tuple[str, ...])


class StoryQuerySet(models.QuerySet["Story"]):
    def live(self) -> StoryQuerySet:
        return self.filter(status="live", published__lte=Now())


class Story(models.Model):
    title = models.CharField(max_length=160)
    subtitle = models.CharField(max_length=160, null=True)
    summary = models.TextField(max_length=400)
    note = models.TextField(null=True)
    body = models.MarkdownField()
    slug = models.SlugField(max_length=80, allow_unicode=True)
    section = models.ForeignKey(Section, on_delete=models.PROTECT, related_name="stories")
    editor = models.ForeignKey(Author, on_delete=models.SET_NULL, null=True)
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True)
    authors = models.ManyToManyField(Author, related_name="stories")
    weight = models.IntegerField(default=0, choices=[(0, "plain"), (1, "heavy")])
    score = models.FloatField(null=True)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    free = models.BooleanField(default=False)
    day = models.DateField()
    published = models.DateTimeField()
    expires = models.DateTimeField(null=True, blank=True)
    code = models.UUIDField()
    raw = models.BinaryField(null=True)
    extra = models.JSONField(default=dict)

    objects = StoryQuerySet.as_manager()
    related = models.Similar["Story"]("authors")


class Profile(models.Model):
    author = models.OneToOneField(Author, on_delete=models.CASCADE)


def fields(story: Story, section: Section) -> None:
    assert_type(story.id, int)
    assert_type(story.title, str)
    assert_type(story.subtitle, str | None)
    assert_type(story.summary, str)
    assert_type(story.note, str | None)
    assert_type(story.body, str)
    assert_type(story.slug, str)
    assert_type(story.weight, int)
    assert_type(story.score, float | None)
    assert_type(story.price, Decimal)
    assert_type(story.free, bool)
    assert_type(story.day, date)
    assert_type(story.published, datetime)
    assert_type(story.expires, datetime | None)
    assert_type(story.code, UUID)
    assert_type(story.raw, bytes | None)
    assert_type(story.extra, Any)
    assert_type(section.position, int)
    story.title = "Flood"
    story.expires = None
    story.section = section


def wrong(story: Story) -> None:
    """What must not pass: an ignore that is not needed would be reported."""
    story.title = None  # type: ignore[assignment]
    story.weight = "heavy"  # type: ignore[assignment]
    story.section = None  # type: ignore[assignment]
    models.ForeignKey(Section)  # type: ignore[call-overload]
    models.DecimalField(max_digits="8")  # type: ignore[call-overload]


def relations(story: Story, profile: Profile) -> None:
    assert_type(story.section, Section)
    assert_type(story.section.name, str)
    assert_type(story.editor, Author | None)
    assert_type(story.authors, RelatedManager[Author])
    assert_type(story.authors.all(), RelatedManager[Author])
    assert_type(story.authors.first(), Author | None)
    assert_type([author.name for author in story.authors.filter(name="Ines")], list[str])
    assert_type(story.authors.create(name="Ines"), Author)
    assert_type(profile.author, Author)
    story.authors.add(Author(name="Ines"), 3)
    story.authors.set([])
    story.authors.clear()


def questions() -> None:
    assert_type(Section.objects, QuerySet[Section])
    assert_type(Section.objects.first(), Section | None)
    assert_type(Section.objects.get(slug="town"), Section)
    assert_type(Section.objects.filter(Q(slug="a") | ~Q(name="b")).exclude(position=1), QuerySet[Section])
    assert_type(Story.objects.live(), StoryQuerySet)
    assert_type(Story.objects.filter(title="Flood").live().order_by("-published")[:5], StoryQuerySet)
    assert_type(Story.objects.first(), Story | None)
    assert_type(Story.objects.live().last(), Story | None)
    assert_type(Story.objects.all()[3], Story)
    assert_type(Story.objects.select_related("section").prefetch_related("authors").latest("published"), Story)
    assert_type(Story.objects.count(), int)
    assert_type(Story.objects.exists(), bool)
    assert_type(iter(Story.objects.all()), Iterator[Story])
    assert_type(Story.objects.iterator(chunk_size=100), Iterator[Story])
    assert_type(Story.objects.in_bulk([1, 2]), dict[Any, Story])
    assert_type(Story.objects.values("title"), QuerySet[dict[str, Any]])
    assert_type(Story.objects.values_list("title", "slug"), QuerySet[tuple[Any, ...]])
    assert_type(Story.objects.values_list("title", flat=True), QuerySet[Any])
    assert_type(Story.objects.aggregate(Max("published"), n=Count("pk")), dict[str, Any])
    assert_type(Story.objects.annotate(n=Count("authors"), twice=F("weight") * 2), StoryQuerySet)
    line = models.Concat(models.Lower("title"), models.Value(" "), models.Cast("weight", models.TextField()))
    assert_type(Story.objects.annotate(line=line).order_by(models.Length("title")), StoryQuerySet)
    assert_type(Story.objects.aggregate(models.StdDev("weight", sample=True, default=0)), dict[str, Any])
    rank = models.Window(models.Rank(), partition_by="section", order_by=["-weight"], frame=models.RowRange(end=0))
    assert_type(Story.objects.annotate(rank=rank).filter(rank=1), StoryQuerySet)
    listed = models.StringAgg("authors__name", ", ", order_by="authors__name", distinct=True)
    assert_type(
        Story.objects.annotate(listed=listed, share=F("weight") / models.Window(models.Sum("weight"))), StoryQuerySet
    )
    assert_type(
        Story.objects.aggregate(share=models.Sum("weight") / Count("pk"), all=models.BoolAnd(Q(weight=1))),
        dict[str, Any],
    )
    newest = Story.objects.filter(section=models.OuterRef("pk")).order_by(F("expires").desc(nulls_last=True))
    assert_type(Section.objects.filter(~models.Exists(newest) | Q(position=0)).first(), Section | None)
    size = models.Case(models.When(weight__gt=2, then=models.Value("big")), default=models.Value("small"))
    assert_type(Story.objects.annotate(size=size, other=models.Subquery(newest.values("slug")[:1])), StoryQuerySet)
    assert_type(Story.objects.dates("published", "month", "DESC"), QuerySet[date])
    assert_type(Story.objects.datetimes("published", "hour", tzinfo=ZoneInfo("Europe/Madrid")).first(), datetime | None)
    weekly = models.TruncWeek("published", tzinfo=ZoneInfo("Europe/Madrid"))
    assert_type(Story.objects.values(week=weekly).annotate(n=Count("pk")), QuerySet[dict[str, Any]])
    assert_type(Story.objects.filter(published__date__in=[date(2026, 3, 1)], published__iso_year=2026), StoryQuerySet)
    assert_type(Story.objects.create(title="Flood"), Story)
    assert_type(Story.objects.get_or_create(slug="flood", defaults={"title": "Flood"}), tuple[Story, bool])
    assert_type(Story.objects.update(weight=F("weight") + 1), int)
    assert_type(Story.objects.live().delete(), dict[str, int])
    assert_type(Story.objects.bulk_create([Story(title="Flood")]), list[Story])
    assert_type(Story.objects.unrestricted(), StoryQuerySet)


def writing(story: Story, app: App) -> None:
    assert_type(Story.objects.update_or_create({"title": "Flood"}, slug="flood"), tuple[Story, bool])
    assert_type(Story.objects.select_for_update(nowait=True).get(slug="flood"), Story)
    assert_type(Story.objects.bulk_update([story], ["title"]), int)
    assert_type(Story.objects.bulk_create([story], ignore_conflicts=True), list[Story])
    assert_type(story.deletion_plan().counts(), dict[str, int])
    assert_type(Story.objects.live().deletion_plan().allowed, bool)

    @app.receiver(post_save, sender=Story)
    def announce(instance: Story, created: bool) -> None: ...

    @atomic
    def work(number: int) -> str:
        on_commit(lambda: None, robust=True)
        return str(number)

    assert_type(work(3), str)
    with atomic(durable=True):
        story.save(even_if_stale=True)


def saving(story: Story, database: Database) -> None:
    try:
        story.full_clean()
        story.save(update_fields=["title"])
    except (Story.DoesNotExist, Story.MultipleObjectsReturned, models.ObjectDoesNotExist):
        story.refresh_from_db()
    assert_type(story.delete(), dict[str, int])

    @database.atomic()
    def work(number: int) -> str:
        return str(number)

    assert_type(work(3), str)
    with database.atomic():
        database.on_commit(lambda: work(4))


def by_hand(database: Database) -> None:
    assert_type(Story.objects.raw("SELECT id FROM news_story WHERE weight > %s", [3])[0], Story)
    assert_type(Story.objects.raw("SELECT id FROM news_story")[:2], list[Story])
    with database.log() as queries, database.cursor() as cursor:
        assert_type(cursor.execute("SELECT 1").fetchall(), list[Any])
    assert_type(queries[0].where, str)


def elsewhere() -> None:
    assert_type(Story.objects.using("archive").filter(weight=1).first(), Story | None)
