# Made by `toolkit migrations make`. Read it, change it where it is wrong, and keep it with the code.

from toolkit import gis, migrations, models


class Migration(migrations.Migration):
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Section",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("name", models.CharField(max_length=60)),
                ("slug", models.SlugField(unique=True)),
                ("description", models.TextField(blank=True)),
                ("position", models.IntegerField(default=0)),
            ],
            options={"ordering": ["position"]},
        ),
        migrations.CreateModel(
            name="SectionTranslation",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("name", models.CharField(max_length=60, null=True, blank=True)),
                ("description", models.TextField(null=True, blank=True)),
                ("source", models.ForeignKey("newsroom.Section", on_delete=models.CASCADE)),
                ("locale", models.CharField(max_length=35)),
            ],
            db_table="newsroom_section_translation",
            constraints=[
                models.UniqueConstraint(
                    fields=["source", "locale"],
                    name="newsroom_section_translation_source_locale_key",
                ),
            ],
        ),
        migrations.CreateModel(
            name="Author",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("name", models.CharField(max_length=80)),
                ("slug", models.SlugField(unique=True)),
                ("role", models.CharField(max_length=80, blank=True)),
                ("bio", models.MarkdownField(blank=True)),
                ("email", models.EmailField(blank=True)),
                ("portrait", models.CharField(max_length=120, blank=True)),
            ],
            options={"ordering": ["name"]},
        ),
        migrations.CreateModel(
            name="AuthorTranslation",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("role", models.CharField(max_length=80, null=True, blank=True)),
                ("bio", models.MarkdownField(null=True, blank=True)),
                ("source", models.ForeignKey("newsroom.Author", on_delete=models.CASCADE)),
                ("locale", models.CharField(max_length=35)),
            ],
            db_table="newsroom_author_translation",
            constraints=[
                models.UniqueConstraint(
                    fields=["source", "locale"],
                    name="newsroom_author_translation_source_locale_key",
                ),
            ],
        ),
        migrations.CreateModel(
            name="Tag",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("name", models.CharField(max_length=60)),
                ("slug", models.SlugField(unique=True)),
            ],
            options={"ordering": ["name"]},
        ),
        migrations.CreateModel(
            name="TagTranslation",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("name", models.CharField(max_length=60, null=True, blank=True)),
                ("source", models.ForeignKey("newsroom.Tag", on_delete=models.CASCADE)),
                ("locale", models.CharField(max_length=35)),
            ],
            db_table="newsroom_tag_translation",
            constraints=[
                models.UniqueConstraint(
                    fields=["source", "locale"],
                    name="newsroom_tag_translation_source_locale_key",
                ),
            ],
        ),
        migrations.CreateModel(
            name="Place",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("name", models.CharField(max_length=80)),
                ("slug", models.SlugField(unique=True)),
                ("kind", models.CharField(max_length=20, default="landmark")),
                ("description", models.TextField(blank=True)),
                ("geometry", gis.GeometryField()),
            ],
            options={"ordering": ["name"]},
        ),
        migrations.CreateModel(
            name="PlaceTranslation",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("name", models.CharField(max_length=80, null=True, blank=True)),
                ("description", models.TextField(null=True, blank=True)),
                ("source", models.ForeignKey("newsroom.Place", on_delete=models.CASCADE)),
                ("locale", models.CharField(max_length=35)),
            ],
            db_table="newsroom_place_translation",
            constraints=[
                models.UniqueConstraint(
                    fields=["source", "locale"],
                    name="newsroom_place_translation_source_locale_key",
                ),
            ],
        ),
        migrations.CreateModel(
            name="Story",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("title", models.CharField(max_length=160)),
                ("slug", models.SlugField(max_length=80, unique=True)),
                ("summary", models.TextField()),
                ("body", models.MarkdownField()),
                ("section", models.ForeignKey("newsroom.Section", on_delete=models.PROTECT)),
                ("image", models.CharField(max_length=120, blank=True)),
                ("image_alt", models.CharField(max_length=200, blank=True)),
                ("image_credit", models.CharField(max_length=120, blank=True)),
                ("weight", models.IntegerField(default=0)),
                ("status", models.CharField(max_length=10, default="draft")),
                ("published", models.DateTimeField(db_index=True)),
                ("updated", models.DateTimeField()),
                ("expires", models.DateTimeField(null=True, blank=True)),
            ],
            options={"ordering": ["-published"]},
        ),
        migrations.CreateModel(
            name="Story_authors",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("story", models.ForeignKey("newsroom.Story", on_delete=models.CASCADE)),
                ("author", models.ForeignKey("newsroom.Author", on_delete=models.CASCADE)),
            ],
            constraints=[
                models.UniqueConstraint(fields=["story", "author"], name="newsroom_story_authors_pair_key"),
            ],
        ),
        migrations.CreateModel(
            name="Story_tags",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("story", models.ForeignKey("newsroom.Story", on_delete=models.CASCADE)),
                ("tag", models.ForeignKey("newsroom.Tag", on_delete=models.CASCADE)),
            ],
            constraints=[
                models.UniqueConstraint(fields=["story", "tag"], name="newsroom_story_tags_pair_key"),
            ],
        ),
        migrations.CreateModel(
            name="Story_places",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("story", models.ForeignKey("newsroom.Story", on_delete=models.CASCADE)),
                ("place", models.ForeignKey("newsroom.Place", on_delete=models.CASCADE)),
            ],
            constraints=[
                models.UniqueConstraint(fields=["story", "place"], name="newsroom_story_places_pair_key"),
            ],
        ),
        migrations.CreateModel(
            name="StoryTranslation",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("title", models.CharField(max_length=160, null=True, blank=True)),
                ("slug", models.SlugField(max_length=80, null=True, blank=True)),
                ("summary", models.TextField(null=True, blank=True)),
                ("body", models.MarkdownField(null=True, blank=True)),
                ("image_alt", models.CharField(max_length=200, null=True, blank=True)),
                ("source", models.ForeignKey("newsroom.Story", on_delete=models.CASCADE)),
                ("locale", models.CharField(max_length=35)),
            ],
            db_table="newsroom_story_translation",
            constraints=[
                models.UniqueConstraint(
                    fields=["source", "locale"],
                    name="newsroom_story_translation_source_locale_key",
                ),
                models.UniqueConstraint(
                    fields=["locale", "slug"],
                    name="newsroom_story_translation_slug_key",
                ),
            ],
        ),
    ]
