"""What of a model can be searched, and the rank of a row as an expression."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.callers import find_code_line
from toolkit.errors import DeclarationError, FieldError, did_you_mean
from toolkit.models.comparisons import Structure
from toolkit.models.declarations import located
from toolkit.models.expressions import Expression
from toolkit.models.fields import CharField, FloatField, MarkdownField, TextField
from toolkit.models.outputs import Typed
from toolkit.trace import Scope, digest

if TYPE_CHECKING:
    from toolkit.models.context import Context

MOST_WEIGHTS = 4
"""PostgreSQL tells four weights of words apart."""


class Search:
    """Makes the rows of a model findable by their words: ``search = Search(title=4, summary=2, body=1)``.

    Args:
        names: Text fields, all of the same weight.
        language: The language of the rows, such as ``"en"``, or the name of the field that says it. By default that of
            the locale in which a translated text stands, which is the site's first for all other text.
        weights: Text fields with what a word in them counts.
    """

    def __init__(self, *names: str, language: str | None = None, **weights: float) -> None:
        for wrong in (name for name in names if not isinstance(name, str)):
            told = f"Search({wrong!r}): that is no name of a field"
            raise located(DeclarationError(told, hint='Write Search("title", "body").'), find_code_line())
        self.weights: Mapping[str, float] = {**dict.fromkeys(names, 1.0), **{k: float(v) for k, v in weights.items()}}
        self.language = language
        self.name = ""
        self.model: Any = None

    def contribute_virtual(self, model: Any, name: str) -> None:
        """Take a place on a model class.

        Raises:
            DeclarationError: A field is no text, or the model has such an index already.
        """
        meta = model._meta
        where = f"{model.__name__}.{name}"
        if meta.search is not None and meta.search.model is model:
            raise DeclarationError(
                f"{where}: {model.__name__}.{meta.search.name} is its search already",
                hint="Declare one for all fields.",
            )
        if not self.weights:
            raise DeclarationError(f"{where}: Search() needs a field", hint='Write Search("title", "body").')
        texts = [field.name for field in meta.fields if isinstance(field, CharField | TextField)]
        for field in self.weights:
            if field not in texts:
                raise DeclarationError(
                    f"{where}: Search({field!r}) names no text field of {model.__name__}",
                    hint=did_you_mean(field, texts),
                )
        if self.language and self.language not in meta.by_name and not _TAG.fullmatch(self.language):
            raise DeclarationError(
                f"{where}: language = {self.language!r} is neither a language nor a field of {model.__name__}",
                hint=did_you_mean(self.language, meta.by_name),
            )
        for field, weight in self.weights.items():
            if not weight > 0:
                raise DeclarationError(f"{where}: Search({field}={weight:g}): a weight is above 0")
        if len(set(self.weights.values())) > MOST_WEIGHTS:
            raise DeclarationError(f"{where}: a search tells {MOST_WEIGHTS} weights apart", hint="Use fewer.")
        if meta.composite_key is not None:
            told = f"{where}: {model.__name__} has a key of several columns, and an index needs one"
            raise DeclarationError(told, hint="Give it an AutoField, and a UniqueConstraint of these columns.")
        self.model, self.name = model, name
        self._refuse_far(where)
        meta.search = self

    def _refuse_far(self, where: str) -> None:
        """Refuse fields that are in a table whose rows have other keys, or whose translations are a parent's."""
        homes = [home._meta.concrete_model for home in _of_one_key(self.model)]
        for field in (*self.fields, *([self.language_field] if self.language_field else ())):
            home = field.model._meta.concrete_model
            if home not in homes or (field.translated and home is not homes[0]):
                told = f"{where}: {field.name} is a field of {field.model.__name__}, and cannot be searched from here"
                raise DeclarationError(told, hint=f"Declare the search in {field.model.__name__}.")

    @property
    def fields(self) -> Sequence[Any]:
        """The fields that are searched, in order of declaration."""
        return [self.model._meta.by_name[name] for name in self.weights]

    @property
    def homes(self) -> Sequence[Any]:
        """The models whose tables the texts are in: this one, and parents whose rows have the same keys."""
        language = self.language_field
        fields = (*self.fields, *([language] if language is not None else ()))
        return list(dict.fromkeys([self.model, *(field.model._meta.concrete_model for field in fields)]))

    @property
    def language_field(self) -> Any:
        """The field that says the language of each row, or None."""
        return self.model._meta.by_name.get(self.language) if self.language else None

    @property
    def translated(self) -> bool:
        """Whether any of the text has translations."""
        return self.model._meta.translation is not None and any(field.translated for field in self.fields)

    def language_in(self, scope: Scope) -> str:
        """The language in which words are looked for, where nobody says it."""
        if self.translated or self.language_field is not None:
            return scope.locale
        return self.language or scope.default_locale

    @property
    def digest(self) -> str:
        """Stands for all that decides about the index."""
        fields = [
            [name, weight, isinstance(field, MarkdownField)]
            for (name, weight), field in zip(self.weights.items(), self.fields, strict=True)
        ]
        pk = self.model._meta.pk
        key = [pk.column, type(pk).__name__, type(getattr(pk, "target_field", pk)).__name__]
        return digest([SCHEME, self.language, fields, key]).hex()


def _of_one_key(model: Any) -> Iterator[Any]:
    """A model, and its parents whose rows have the same keys: a further parent's have others."""
    level = model
    while level is not None:
        yield level
        meta = level._meta
        level = next((parent for parent, link in meta.parents.items() if link is meta.pk), None)


_TAG = re.compile("[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
"""A language such as ``en`` or ``pt-BR``."""

SCHEME = 3
"""Grows when texts are cut into words in another way, so that every index is made anew."""


class SearchRank(Expression):
    """How well a row meets the search: ``stories.search("budget").annotate(rank=SearchRank())``; greater is better.

    Its numbers depend on all rows, so a page that shows them is rendered whenever any searched text changes; a page
    that only has the order, when that changes.
    """

    def __repr__(self) -> str:
        return "SearchRank()"

    def lift(self, values: list[Any]) -> Structure:
        return (SearchRank,)

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        rank = context.compiler.selection.rank
        if rank is None:
            raise FieldError("SearchRank() is of a search", hint='Write .search("words") first.')
        return rank, FloatField[float]()
