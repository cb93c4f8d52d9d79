"""Where the questions about a model start: ``Story.objects``, and managers of one's own."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from toolkit.callers import find_code_line
from toolkit.errors import DeclarationError, did_you_mean
from toolkit.models.declarations import located
from toolkit.models.queryset import ManagerDescriptor, QuerySet

M = TypeVar("M", covariant=True)


class Manager(QuerySet[M]):
    """Where the questions about a model start; subclass it and override ``get_queryset`` to narrow them.

    A manager is a queryset, so what it defines can be chained. Assign an object of it in the model's class::

        class Live(models.Manager["Story"]):
            def get_queryset(self):
                return super().get_queryset().filter(status="live")

        class Story(models.Model):
            objects = models.Manager["Story"]()
            live = Live()
    """

    use_in_migrations: ClassVar[bool] = False
    """Whether models of the past, in migrations, have it too. Its class must then stay where it is."""
    _is_manager: ClassVar[bool] = True

    def __new__(cls, *arguments: Any, **options: Any) -> Any:
        """What stands in the model's class; the manager itself is made for each model that has it."""
        return ManagerDescriptor(cls, arguments, options)

    def __init__(self) -> None:
        """Override it to take arguments: ``by_status = ByStatus("live")``."""

    def get_queryset(self) -> Any:
        """Every row of the model, or of the relation, that the manager stands for."""
        clone = self._clone()
        clone._operations, clone._values = self._pristine_operations, self._pristine_values
        return clone

    @classmethod
    def from_queryset(cls, queryset: type[QuerySet[Any]], class_name: str | None = None) -> Any:
        """A manager class that has the questions of a QuerySet class too.

        Args:
            queryset: The QuerySet class.
            class_name: The name of the new class.
        """
        if not isinstance(queryset, type) or not issubclass(queryset, QuerySet):
            error = DeclarationError(f"from_queryset({queryset!r}): that is no class of querysets")
            raise located(error, find_code_line())
        return type(class_name or f"{cls.__name__}From{queryset.__name__}", (cls, queryset), {})


def add_managers(model: Any) -> None:
    """Give a model the managers of its bases beside its own; ``objects`` if there are none.

    The first is the default one: those declared on the model, in their order, then those of its bases.
    """
    meta = model._meta
    meta.plain_manager = ManagerDescriptor(QuerySet, automatic=True)
    for kind in model.__mro__:
        for name, value in vars(kind).items():
            if isinstance(value, ManagerDescriptor) and not value.automatic:
                meta.managers.setdefault(name, value)
    if not meta.managers and not meta.abstract:
        model.objects = meta.managers["objects"] = ManagerDescriptor(QuerySet, automatic=True)
    for option in ("default_manager_name", "base_manager_name"):
        name = getattr(meta, option)
        if name is not None and name not in meta.managers:
            raise DeclarationError(
                f"{model.__name__}.Meta: {option} = {name!r} is no manager of the model",
                hint=did_you_mean(name, meta.managers),
            )
