"""Constraints and indexes as they are declared: what cannot stand, equality, and fields that are renamed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from toolkit import models
from toolkit.errors import DeclarationError
from toolkit.models import F, Q


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: models.UniqueConstraint(name="x"), "give either fields"),
        (lambda: models.UniqueConstraint("a", fields=["b"], name="x"), "give either fields"),
        (lambda: models.UniqueConstraint(3, name="x"), "3 is neither the name of a field nor an expression"),
        (lambda: models.UniqueConstraint(["a"], name="x"), "neither the name of a field"),
        (lambda: models.UniqueConstraint(fields=["a"], name=""), "needs a name"),
        (
            lambda: models.UniqueConstraint(
                fields=["a"], name="x", condition=Q(a=1), deferrable=models.Deferrable.IMMEDIATE
            ),
            "takes fields only",
        ),
        (lambda: models.UniqueConstraint(fields=["a"], name="x", opclasses=["a", "b"]), "for each of the fields"),
        (lambda: models.Index(name="x"), "give either fields"),
        (lambda: models.Index(F("a") + 1), "needs a name"),
    ],
)
def test_a_constraint_that_cannot_stand_is_refused(make: Any, told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        make()


def test_a_name_may_take_those_of_the_app_and_the_class() -> None:
    item = models.CheckConstraint(condition=Q(a=1), name="%(app_label)s_%(class)s_sound")
    assert (
        item.named(SimpleNamespace(app_label="town", model_name="event", label="town.Event")).name == "town_event_sound"
    )


def test_two_that_say_the_same_are_equal() -> None:
    def make(limit: int) -> models.CheckConstraint:
        return models.CheckConstraint(condition=Q(a__lt=limit) | Q(b=F("c") + 1), name="x")

    assert make(3) == make(3)
    assert hash(make(3)) == hash(make(3))
    assert make(3) != make(4)
    assert "a__lt=3" in repr(make(3))
    assert models.UniqueConstraint(fields=["a"], name="x") != models.Index(fields=["a"], name="x")


def test_a_renamed_field_is_followed() -> None:
    item = models.UniqueConstraint(
        F("old") + F("other"), "-old", name="x", condition=Q(old__gt=F("old")) & ~Q(other__in=[1])
    )
    renamed = item.with_field_renamed("old", "new")
    assert set(renamed.names()) == {"new", "other"}
    assert set(item.names()) == {"old", "other"}
    index = models.Index(fields=["-old", "other"], include=["old"], name="i").with_field_renamed("old", "new")
    assert index.fields == ["-new", "other"]
    assert index.include == ["new"]
