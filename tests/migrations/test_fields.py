"""What a migration keeps of a field."""

from __future__ import annotations

import pytest

from toolkit import gis, models
from toolkit.errors import MigrationError
from toolkit.migrations.fields import FieldState, describe_field, usable_default
from toolkit.models.fields import MISSING


class WeekField(models.CharField):
    """A newsroom's own kind of field."""

    not_in_database = ("starts_on",)

    def __init__(self, *, century: int = 20, starts_on: str = "monday", **options):
        super().__init__(max_length=8, **options)
        self.century, self.starts_on = century, starts_on


class ForgetfulField(models.CharField):
    """It takes an option and does not keep it."""

    def __init__(self, *, secret: int = 0, **options):
        super().__init__(max_length=8, **options)


def test_a_field_is_described_by_the_options_its_column_depends_on():
    field = models.CharField(max_length=9, null=True, verbose_name="x", help_text="y", choices=[("a", "A")])
    assert describe_field("a", field) == FieldState(
        "a", "toolkit.models.CharField", (("max_length", 9), ("null", True))
    )


def test_default_and_blank_are_kept_but_their_change_is_none():
    one, other = (describe_field("a", models.TextField(default=value, blank=True)) for value in ("x", "y"))
    assert one == other
    assert one.build().default == "x"


def test_a_default_that_cannot_be_written_is_left_out():
    assert describe_field("a", models.TextField(default=lambda: "x")).build().default is MISSING


def test_a_field_of_your_own_is_named_by_its_module():
    state = describe_field("week", WeekField(century=19, starts_on="sunday", unique=True))
    assert state.kind == f"{WeekField.__module__}.WeekField"
    assert state.options == (("century", 19), ("max_length", 8), ("unique", True))


def test_a_field_that_does_not_keep_an_option_is_explained():
    with pytest.raises(MigrationError, match=r"takes 'secret' and has no attribute.*Keep it as self.secret"):
        describe_field("a", ForgetfulField())


def test_a_field_class_that_is_gone_is_explained():
    with pytest.raises(MigrationError, match=r"news.fields.WeekField, which cannot be imported.*Keep field classes"):
        FieldState("a", "news.fields.WeekField").build()


def test_a_field_class_that_takes_other_options_now_is_explained():
    with pytest.raises(MigrationError, match=r"'a' cannot be made from its migration.*length"):
        FieldState("a", "toolkit.models.TextField", (("length", 3),)).build()


def test_geometry_fields_are_described_too():
    assert describe_field("spot", gis.PointField(srid=3857)).options == (("srid", 3857),)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (models.CharField(max_length=3), MISSING),
        (models.CharField(max_length=3, blank=True), ""),
        (models.CharField(max_length=3, default=""), ""),
        (models.IntegerField(), MISSING),
        (models.IntegerField(null=True, blank=True), None),
        (models.BooleanField(), False),
        (models.JSONField(default=dict), dict),
        (models.DateTimeField(auto_now_add=True), MISSING),
    ],
)
def test_rows_get_what_a_new_object_would_have_if_the_field_takes_it(field, value):
    assert usable_default(field) == value
