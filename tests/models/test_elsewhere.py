"""Names of Django's that are not here: the error says what there is in their place."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tables import opened_with, resolved
from toolkit import models
from toolkit.trace import Scope, entered


class Person(models.Model):
    """Keeps what its name was, in the way of Django's projects."""

    name = models.CharField(max_length=20)
    born = models.DateField(null=True)

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.was = self.name


class Letter(models.Model):
    sender = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="letters")
    objects: Any = models.Manager()


resolved({"post": [Person, Letter]})


@pytest.mark.parametrize(
    ("of", "name", "instead"),
    [
        (models, "NullBooleanField", r"BooleanField\(null=True\)"),
        (models.functions, "Random", "another page at every build"),
        (Letter.objects, "extra", r"RawSQL\(\.\.\.\)"),
        (Letter, "_default_manager", r"_meta\.default_manager"),
        (Letter._meta, "private_fields", "virtual"),
        (Letter._meta.get_field("sender"), "remote_field", "related_model"),
        (Letter(), "get_absolute_url", r"url_for\('story', story\)"),
        (Person(), "letter_set", "Its related_name is 'letters'"),
        (Person(), "get_next_by_born", r"Person\.objects\.filter\(born__gt=row\.born\)\.order_by\('born'\)\.first\(\)"),
        (Person(), "get_previous_by_born", r"filter\(born__lt=row\.born\)\.order_by\('-born'\)"),
    ],
)
def test_an_error_says_what_there_is_in_place_of_a_name(of: Any, name: str, instead: str) -> None:
    with pytest.raises(AttributeError, match=rf"'{name}'\. .*{instead}"):
        getattr(of, name)


def test_what_init_sets_is_not_on_rows_that_are_loaded() -> None:
    database = opened_with("sqlite://", [Person, Letter])
    with entered(Scope(None, database)):
        assert Person.objects.create(name="Ann").was == "Ann"
        with pytest.raises(AttributeError, match=r"'was'\. Person\.__init__\(\) is called for new objects only"):
            Person.objects.get().was  # noqa: B018 - it is read
    database.drop()
