"""Where something was declared, and calls that declare something wrongly."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from toolkit.callers import find_code_line, is_of_toolkit
from toolkit.errors import DeclarationError, ToolkitError, did_you_mean

Place = tuple[str, int]
E = TypeVar("E", bound=ToolkitError)


class DeclarationType(type):
    """The class of fields, constraints and operations: a call that cannot be is a mistake in a declaration."""

    if not TYPE_CHECKING:

        @property
        def __signature__(cls) -> inspect.Signature:
            """How it is called: as its own constructor says."""
            own = inspect.signature(cls.__init__)
            return own.replace(parameters=list(own.parameters.values())[1:])

        def __call__(cls, *arguments: Any, **options: Any) -> Any:
            try:
                _refuse_values(cls, options)
                return super().__call__(*arguments, **options)
            except DeclarationError as error:
                raise located(error, find_code_line()) from None
            except TypeError as error:
                complaint = _complaint(cls, arguments, options)
                if complaint is None:
                    raise
                raise located(complaint, find_code_line()) from error


def located(error: E, place: Place | None) -> E:
    """An error with the place of what it is about, unless it has one."""
    if error.path is None and place is not None:
        error.path, error.line = place
    return error


def located_all(problems: Iterable[ToolkitError], place: Place | None) -> list[ToolkitError]:
    """Problems of something that was declared at a place."""
    return [located(problem, place) for problem in problems]


def defining_frame() -> FrameType | None:
    """The frame with the class statement that makes a class at hand; None if the toolkit makes it itself."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_name == "__new__":
        frame = frame.f_back
    return None if frame is None or is_of_toolkit(frame.f_code.co_filename) else frame


def _complaint(kind: type, arguments: tuple[Any, ...], options: Mapping[str, Any]) -> DeclarationError | None:
    """What is wrong with a call, by the names of the options; None if they are as they should be."""
    name, known = kind.__name__, _parameters(kind)
    for option in options:
        if option not in known:
            return DeclarationError(
                f"{name} has no option {option!r}", hint=_INSTEAD.get(option) or did_you_mean(option, known)
            )
    own = list(inspect.signature(kind.__init__).parameters.values())[1:]  # type: ignore[misc]  # a class has one
    by_place = [one for one in own if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    if len(arguments) > len(by_place) and not any(one.kind is one.VAR_POSITIONAL for one in own):
        value = arguments[len(by_place)]
        label = isinstance(value, str) and "verbose_name" in known
        return DeclarationError(
            f"{name}: {value!r} stands without the name of an option",
            hint=f"Write verbose_name={value!r}." if label else "Write it as option=value.",
        )
    given = {*options, *(one.name for one in by_place[: len(arguments)])}
    for one in own:
        wanted = one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        if wanted and one.name not in given:
            return DeclarationError(f"{name} needs {one.name}=", hint=_SUCH_AS.get(one.name))
    return None


def _refuse_values(kind: type, options: Mapping[str, Any]) -> None:
    """Refuse a value of another kind than an option takes, where it would be taken for something else.

    Raises:
        DeclarationError: There is one.
    """
    for option, value in options.items():
        refused = _REFUSED.get(option)
        if refused is not None and refused[0](value):
            raise DeclarationError(f"{kind.__name__}: {option} = {value!r:.80}", hint=refused[1])


def _is_no_list_of_names(value: Any) -> bool:
    return isinstance(value, str) or not isinstance(value, Iterable) or any(isinstance(name, int) for name in value)


def is_unreadable(value: Any) -> bool:
    """Whether something is no text for people, nor becomes one when it is shown."""
    return callable(value) or isinstance(value, int | float | bytes | list | tuple | dict | set)


def _is_no_attribute(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[\w%()]*\+?", value) is None


_REFUSED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(
        ("null", "blank", "unique", "primary_key", "db_index", "editable", "auto_now", "auto_now_add", "translated"),
        (lambda value: isinstance(value, str), "It is True or False; a text counts as true."),
    ),
    **dict.fromkeys(
        ("max_length", "max_digits", "decimal_places"),
        (lambda value: isinstance(value, str), "It is a whole number; remove the quotes."),
    ),
    **dict.fromkeys(
        ("db_column", "name"), (lambda value: value is not None and not isinstance(value, str), "A name is a text.")
    ),
    **dict.fromkeys(("verbose_name", "help_text"), (is_unreadable, "It is a text, or gettext_lazy(...).")),
    "fields": (_is_no_list_of_names, 'It is a list of names: ["title"].'),
    "include": (_is_no_list_of_names, 'It is a list of names: ["title"].'),
    "condition": (
        lambda value: value is not None and (isinstance(value, type) or not hasattr(value, "lift")),
        "Write it as a Q: Q(status='live').",
    ),
    "error_messages": (
        lambda value: value is not None and not isinstance(value, Mapping),
        'They are by code: {"blank": "Who wrote it?"}.',
    ),
    "limit_choices_to": (lambda value: isinstance(value, str), "Write it as a Q: Q(status='live')."),
    "output_field": (lambda value: isinstance(value, type), "Write it with brackets: models.IntegerField()."),
    "related_name": (_is_no_attribute, "It is the name of an attribute; '+' for none."),
    "through": (
        lambda value: value is not None and not isinstance(value, str | type),
        'It is a model, or its name: "Byline".',
    ),
}
"""Option to what tells that a value is none for it, and the way out."""


def _parameters(kind: type) -> dict[str, inspect.Parameter]:
    """The options that a class takes, those that it hands on to its parents included."""
    found: dict[str, inspect.Parameter] = {}
    for each in kind.__mro__:
        init = vars(each).get("__init__")
        if init is None:
            continue
        own = list(inspect.signature(init).parameters.values())[1:]
        for one in own:
            if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY):
                found.setdefault(one.name, one)
        if not any(one.kind is one.VAR_KEYWORD for one in own):
            break
    return found


_INSTEAD = {
    "check": "The option is called condition.",
    "db_collation": "Text is compared exactly everywhere; order by Collate(...) where another order is wanted.",
    "db_tablespace": "Tables lie where the database puts them; move them with RunSQL.",
}
"""What stands in the place of options that Django has, or had."""

_SUCH_AS = {
    "on_delete": "What becomes of the row when the other one is deleted: on_delete=models.CASCADE, PROTECT, SET_NULL.",
    "name": "Such as name='one_a_day': errors and migrations tell it by its name.",
    "to": 'Say to what it refers: a model, or its name: "Author".',
}
