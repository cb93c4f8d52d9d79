"""Classes that bring along what Django calls and the toolkit does not are refused, with what to write instead."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit import models
from toolkit.errors import DeclarationError


@pytest.mark.parametrize(
    ("base", "name", "instead"),
    [
        (models.CharField, "from_db_value", r"db_reader\(dialect\)"),
        (models.Field, "get_prep_value", r"db_writer\(dialect\)"),
        (models.SlugField, "pre_save", r"before_save\(instance\), and say stores = True"),
        (models.Field, "db_type", r"sql_type\(\)"),
        (models.Func, "template", r"build\(\).*RawSQL"),
        (models.Func, "as_postgresql", r"build\(\)"),
        (models.Aggregate, "as_sql", r"build\(\)"),
        (models.Subquery, "template", r"annotate\(n=Count\('pk'\)\)\.values\('n'\)"),
        (models.Transform, "bilateral", r"build\(\)"),
        (models.Lookup, "process_rhs", r"build\(\)"),
        (models.QuerySet, "_fetch_all", r"annotate\(\)"),
        (models.Manager, "get_query_set", r"get_queryset\(\)"),
    ],
)
def test_a_class_with_what_only_django_calls_is_refused_where_it_is_defined(base: Any, name: str, instead: str) -> None:
    told = (
        rf"test_never_called\.py:\d+: Ported\.{name} is Django's, and nothing here would ever ask for it\. .*{instead}"
    )
    with pytest.raises(DeclarationError, match=told):
        type("Ported", (base,), {"__module__": __name__, name: None})


def test_a_mixin_brings_it_along_too() -> None:
    class Tidy:
        def pre_save(self, instance: Any, add: bool) -> str:
            return "tidy"

    with pytest.raises(DeclarationError, match=r"TidyField\.pre_save is Django's"):

        class TidyField(Tidy, models.CharField):
            pass


def test_a_model_with_what_only_django_calls_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"test_never_called\.py:\d+: Page\.from_db is Django's.*db_reader"):

        class Page(models.Model):
            @classmethod
            def from_db(cls, *arguments: Any) -> None: ...


def test_a_transform_with_the_name_of_a_function_is_told_how_it_is_built() -> None:
    class Absolute(models.Transform):
        function = "ABS"

    with pytest.raises(TypeError, match=r"Absolute must define build\(\): return sqlalchemy\.func\.abs\(\*arguments\)"):
        Absolute.build(None, None)
