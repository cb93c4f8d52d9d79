"""Tables and columns with a percent sign in their names, as old databases may have."""

from __future__ import annotations

from toolkit import models
from toolkit.models import Count, F, Q, Sum
from toolkit.trace import Scope, entered


def archive(model, **extra):
    section = model("Section", {"db_table": "section %s"}, name=models.CharField(max_length=9, db_column="%name"))
    story = model(
        "Story",
        {
            "db_table": "100%s",
            "indexes": [models.Index(fields=["-share"], name="by_share", condition=Q(share__gt=1))],
            "constraints": [models.CheckConstraint(condition=Q(share__lt=100), name="share_100%")],
        },
        title=models.CharField(max_length=9, db_column="%s", unique=True, translated=True),
        share=models.IntegerField(db_column="share %(s)s"),
        section=models.ForeignKey(section, on_delete=models.CASCADE, db_column="of %", related_name="stories"),
        tags=models.ManyToManyField(section, related_name="+"),
        **extra,
    )
    return section, story


def test_they_are_migrated_written_and_asked(newsroom, model):
    newsroom.migrate(*archive(model))
    section, story = newsroom.app.models
    sea = newsroom.save(section, name="50%")
    newsroom.save(story, title="a%b", share=3, section=sea)
    with entered(Scope(None, newsroom.database)):
        story.objects.bulk_create([story(title=f"{n}%", share=n, section=sea) for n in (20, 30)])
        assert story.objects.filter(title__contains="%b", section__name="50%").get().share == 3
        assert story.objects.update(share=F("share") + 1) == 3
        assert section.objects.annotate(n=Count("stories"), s=Sum("stories__share")).values_list("n", "s")[0] == (3, 56)
        one = story.objects.select_related("section").order_by("share").first()
        one.tags.add(sea)
        assert [tag.name for tag in story.objects.prefetch_related("tags").get(pk=one.pk).tags.all()] == ["50%"]
        one.delete()
    newsroom.migrate(*archive(model, note=models.CharField(max_length=9, default="7", db_column="n%te")))
    newsroom.migrate(*archive(model, note=models.IntegerField(null=True, db_column="n%te")), ask=lambda question: False)
    newsroom.apply("news.0001")
    assert newsroom.values(newsroom.app.models[1], "share") == [21, 31]
    newsroom.apply("news.zero")
