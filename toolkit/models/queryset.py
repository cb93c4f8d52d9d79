"""Lazy questions to the database: ``Story.objects.filter(section__slug="town").order_by("-published")[:20]``.

How a question is put together is in ``questions``, how it is asked in ``asking``; here is what changes rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import new_class
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from toolkit.errors import FieldError, IntegrityError
from toolkit.lazily import LazyModule
from toolkit.models.asynchronous import Awaited
from toolkit.models.contention import again_after_deadlock, called, change
from toolkit.models.given import refuse_nameless
from toolkit.models.miscalled import telling
from toolkit.models.summaries import Summaries

if TYPE_CHECKING:
    from toolkit.models import bulk, conflicts, deleting, updating
    from toolkit.models.plans import DeletionPlan
else:
    bulk = LazyModule("toolkit.models.bulk")
    conflicts = LazyModule("toolkit.models.conflicts")
    deleting = LazyModule("toolkit.models.deleting")
    updating = LazyModule("toolkit.models.updating")


M = TypeVar("M", covariant=True)
R = TypeVar("R")


class ManagerDescriptor:
    """``objects``: gives the model class the root of its querysets.

    Args:
        queryset: The QuerySet or Manager class.
        arguments: For a manager class, what its object was made with.
        options: The same, by keyword.
        automatic: Nobody declared it.
    """

    def __init__(
        self,
        queryset: type[QuerySet[Any]],
        arguments: tuple[Any, ...] = (),
        options: Mapping[str, Any] | None = None,
        *,
        automatic: bool = False,
    ) -> None:
        self.queryset = queryset
        self.arguments, self.options = arguments, dict(options or {})
        self.automatic = automatic
        self._roots: dict[type, QuerySet[Any]] = {}

    def __get__(self, instance: Any, owner: Any) -> QuerySet[Any]:
        if instance is not None:
            raise AttributeError(f"objects belongs to the class {owner.__name__}, not to its rows")
        root = self._roots.get(owner)
        if root is None:
            if owner._meta.abstract:
                raise AttributeError(f"{owner.__name__} is abstract: it has no table to ask")
            root = self._roots[owner] = self._make(owner)
        return root

    def _make(self, owner: Any) -> QuerySet[Any]:
        start = object.__new__(self.queryset)
        QuerySet.__init__(start, owner)
        if self.queryset._is_manager:
            cast(Any, start).__init__(*self.arguments, **self.options)
        try:
            given = start.get_queryset()
        except RecursionError:
            told = f"get_queryset() of {self.queryset.__name__} asks the manager that it is of, without end"
            raise FieldError(told, hint="Begin with super().get_queryset().") from None
        if not isinstance(given, QuerySet):
            raise FieldError(
                f"get_queryset() of {self.queryset.__name__} gave {given!r}, and no queryset", hint="Return one."
            )
        root: QuerySet[Any] = given._clone()
        if not isinstance(root, self.queryset):  # get_queryset() gave another class: the manager's methods stay
            root.__dict__ = {**start.__dict__, **root.__dict__}
            root.__class__ = new_class(self.queryset.__name__, (self.queryset, type(root)))
        root._shared, root._own_operations = True, root._operations
        return root


@telling
class QuerySet(Awaited[M], Summaries[M]):
    """A question to the database, asked when its answer is needed.

    Subclass it to add questions of your own, and give the model ``objects = MyQuerySet.as_manager()``.
    """

    @classmethod
    def as_manager(cls) -> Self:
        """What to assign to ``objects`` in a model, so that it has this class's questions."""
        return cast(Self, ManagerDescriptor(cls))

    def get_queryset(self) -> Any:
        """Where every question of the manager starts; override it to narrow it."""
        return self

    def get_by_natural_key(self, *values: Any) -> M:
        """The row that a natural key names (``Meta.natural_key``); override it for a key of another kind.

        Raises:
            DoesNotExist: There is none.
            FieldError: The model has no natural key, or one of more or fewer values.
        """
        names = self.model._meta.natural_key
        if len(names) != len(values):
            raise FieldError(
                f"{self.model.__name__} has a natural key of {len(names)} values ({', '.join(names)}), not {values!r}",
                hint="Set Meta.natural_key.",
            )
        return self.get(**dict(zip(names, values, strict=True)))

    # writing

    def create(self, /, **values: Any) -> M:
        """Make a row, save it, and give it."""
        created = self.model(**values)
        if self._using and self._using != self.model._meta.database:
            created.__dict__["_database"] = self._using
        created.save(force_insert=True)
        return cast(M, created)

    def get_or_create(self, /, defaults: Mapping[str, Any] | None = None, **lookups: Any) -> tuple[M, bool]:
        """The row that meets the lookups, or a new one; and whether it is new.

        Safe under many writers where a unique constraint says what one row is: whoever comes second gets the first
        one's row.

        Args:
            defaults: Further values of a new row; functions are called.
            lookups: What names the row, and values of a new one.

        Raises:
            MultipleObjectsReturned: Several rows meet the lookups.
        """
        refuse_nameless("get_or_create", "defaults", defaults)
        return again_after_deadlock(lambda: self._get_or_create(defaults, lookups), self._scope(writing=True).database)

    def _get_or_create(self, defaults: Mapping[str, Any] | None, lookups: Mapping[str, Any]) -> tuple[M, bool]:
        rows = self._of_writer()
        try:
            return rows.get(**lookups), False
        except self.model.DoesNotExist:
            plain = {name: value for name, value in lookups.items() if "__" not in name}
        values = {**plain, **called(defaults)}
        try:
            with self._scope(writing=True).database.atomic():
                return rows.create(**values), True
        except IntegrityError as error:
            try:
                return rows.get(**lookups), False
            except self.model.DoesNotExist:
                raise error from None

    def update_or_create(
        self,
        /,
        defaults: Mapping[str, Any] | None = None,
        create_defaults: Mapping[str, Any] | None = None,
        **lookups: Any,
    ) -> tuple[M, bool]:
        """The row that meets the lookups, with these values, or a new one; and whether it is new.

        The row is locked while it is changed, so that two writers change it one after the other.

        Args:
            defaults: Values to set; functions are called.
            create_defaults: Values of a new row, instead of ``defaults``.
            lookups: What names the row, and values of a new one.

        Raises:
            MultipleObjectsReturned: Several rows meet the lookups.
        """
        refuse_nameless("update_or_create", "defaults", defaults)
        refuse_nameless("update_or_create", "create_defaults", create_defaults)

        def work() -> tuple[M, bool]:
            with self._scope(writing=True).database.atomic():
                of_new = defaults if create_defaults is None else create_defaults
                found, created = self.select_for_update()._get_or_create(of_new, lookups)
                if not created and defaults:
                    change(found, called(defaults))
                return found, created

        return again_after_deadlock(work, self._scope(writing=True).database)

    def update(self, /, **values: Any) -> int:
        """Change all rows of the question in one statement, and say how many.

        Values may be expressions: ``update(views=F("views") + 1)``. An order is of no account; a slice is refused.
        """
        self._refuse_combined("update")
        scope = self._scope(writing=True)
        changed = again_after_deadlock(lambda: updating.update_rows(scope, self, values), scope.database)
        self._cache = None
        return changed

    def delete(self) -> dict[str, int]:
        """Delete all rows of the question, and what depends on them; how many went, by model.

        A manager deletes none, as in Django: ``Story.objects.all().delete()`` says that all are meant.
        """
        if self._shared:
            raise FieldError(
                f"a manager deletes no rows: it would be every {self.model.__name__} that it gives",
                hint="Write all().delete() if that is meant.",
            )
        self._refuse_combined("delete")
        gone = deleting.delete_rows(self._scope(writing=True), self._of_writer())
        self._cache = None
        return gone

    def deletion_plan(self) -> DeletionPlan:
        """What ``delete()`` would do: the rows that go along, those that are changed, those that stand in the way."""
        self._refuse_combined("delete")
        return deleting.plan_of_rows(self._scope(writing=True), self._of_writer())

    def bulk_create(
        self,
        rows: Iterable[R],
        *,
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Iterable[str] | None = None,
        unique_fields: Iterable[str] | None = None,
        collect: bool = True,
    ) -> list[R]:
        """Insert many rows with few statements, all or none; keys the database gives are set on them.

        Args:
            rows: Unsaved instances; a generator is asked batch by batch.
            batch_size: Rows in one statement; 5,000 if it is left out.
            ignore_conflicts: Pass over rows that break a unique constraint; no keys are set then.
            update_conflicts: Update the rows that are there.
            update_fields: The fields that are then updated.
            unique_fields: The fields, unique together, by which a row is known to be there.
            collect: Give the rows back; without it those of a generator are let go, so that any number fits in memory.

        Raises:
            IntegrityError: A constraint was broken; nothing was written.
        """
        scope = self._scope(writing=True)
        conflict = conflicts.make_conflict(
            scope,
            self.model,
            ignore_conflicts=ignore_conflicts,
            update_conflicts=update_conflicts,
            update_fields=update_fields,
            unique_fields=unique_fields,
        )
        insert = bulk.BulkInsert(scope, self.model, batch_size=batch_size, conflict=conflict, collect=collect)
        return insert.run(rows)

    def bulk_update(self, rows: Iterable[Any], fields: Iterable[str], *, batch_size: int | None = None) -> int:
        """Write these fields of many saved instances, each its own values, all or none; how many rows there were.

        Args:
            rows: Instances with keys.
            fields: Names of fields.
            batch_size: Rows written at a time; 5,000 if it is left out.

        Raises:
            StaleInstanceError: Of a model with a ``VersionField``: a row was changed since it was read.
        """
        return bulk.bulk_update(self._scope(writing=True), self, rows, fields, batch_size=batch_size)
