"""A model class is made from its declaration: its fields, its key, and what it inherits."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any

from toolkit.callers import find_code_line
from toolkit.errors import DeclarationError, MultipleObjectsReturned, ObjectDoesNotExist
from toolkit.lazily import LazyModule
from toolkit.models.declarations import defining_frame, located
from toolkit.models.fields import AutoField, Field
from toolkit.models.inheritance import (
    become_proxy,
    inherit_options,
    inherit_virtuals,
    inherited_fields,
    inherited_meta,
    link_to_parents,
    parents_of,
)
from toolkit.models.keeping import keep_properties
from toolkit.models.managers import add_managers
from toolkit.models.many_to_many import ManyToManyField
from toolkit.models.never_called import MODEL, refuse_never_called
from toolkit.models.options import Options
from toolkit.models.related_objects import ForwardObject, RawKey
from toolkit.models.relations import ForeignKey
from toolkit.models.translations import TranslatedValue

if TYPE_CHECKING:
    from toolkit.models import elsewhere
else:
    elsewhere = LazyModule("toolkit.models.elsewhere")


class Declarations(dict[str, object]):
    """What the body of a model's class says. A field that another thing hides would be no column, without a word."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self._model = model

    def __setitem__(self, name: str, value: object) -> None:
        if isinstance(self.get(name), Field) and value is not self[name]:
            told = f"{self._model}.{name} is a field, and something else of this name follows"
            frame = sys._getframe(1)
            error = DeclarationError(told, hint="Give one of them another name.")
            raise located(error, (frame.f_code.co_filename, frame.f_lineno))
        super().__setitem__(name, value)


class ModelBase(type):
    """Makes a model class from its declaration. Only makes it: nothing is registered anywhere."""

    @classmethod
    def __prepare__(cls, name: str, bases: tuple[type, ...], /, **options: Any) -> dict[str, object]:
        return Declarations(name)

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> ModelBase:
        parents = [base for base in bases if isinstance(base, ModelBase)]
        if not parents:
            return super().__new__(cls, name, bases, namespace, **options)
        frame = defining_frame()
        place = None if frame is None else (frame.f_code.co_filename, frame.f_lineno)
        try:
            _refuse_slips(name, namespace, frame)
            _refuse_fields_of_others(name, bases)
            model = cls._make(name, bases, namespace, options)
        except DeclarationError as error:
            raise located(error, place) from error.__cause__
        model._meta.declared_at = place  # type: ignore[attr-defined]  # declared on Model
        return model

    if not TYPE_CHECKING:  # where it would give every class every name

        def __setattr__(cls, name: str, value: Any) -> None:
            if name == "__dataclass_params__":
                told = f"{cls.__name__} is made a dataclass, whose __init__ would take the place of the model's"
                hint = "Remove @dataclass: a model has __init__, __repr__ and __eq__ of its own."
                raise located(DeclarationError(told, hint=hint), find_code_line())
            super().__setattr__(name, value)

        def __getattr__(cls, name: str) -> Any:
            """Say where questions are asked, of a class that was asked itself: ``Story.filter()``."""
            for kind in cls.__mro__:
                if name in vars(kind):  # what is there, and said itself that it cannot be asked
                    return vars(kind)[name].__get__(None, cls)
            told = f"type object {cls.__name__!r} has no attribute {name!r}"
            managers = vars(cls)["_meta"].managers if "_meta" in vars(cls) and not name.startswith("_") else {}
            where = next((each for each, manager in managers.items() if hasattr(manager.queryset, name)), None)
            told += f"; write {cls.__name__}.{where}.{name}" if where is not None else ""
            told = elsewhere.told(told, name, elsewhere.MODEL)
            raise AttributeError(told, name=name, obj=cls)

    @classmethod
    def _make(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], options: dict[str, Any]) -> ModelBase:
        declared = {key: value for key, value in namespace.items() if isinstance(value, Field)}
        rest = {key: value for key, value in namespace.items() if key not in declared and key != "Meta"}
        model = super().__new__(cls, name, bases, rest, **options)
        meta = namespace.get("Meta") or inherited_meta(model)
        if meta is not None:
            model.Meta = meta  # type: ignore[attr-defined]  # for class Meta(Parent.Meta)
        model._meta = Options(model, meta)  # type: ignore[attr-defined]  # declared on Model
        _lay_out(model, namespace, declared)
        _add_exceptions(model)
        add_managers(model)
        inherit_virtuals(model, namespace)
        for key, value in list(vars(model).items()):
            if hasattr(type(value), "contribute_virtual"):  # of a field itself it would be looked for at length
                value.contribute_virtual(model, key)
        keep_properties(model)
        refuse_never_called(model, MODEL)
        return model


def _refuse_slips(name: str, namespace: Mapping[str, Any], frame: FrameType | None) -> None:
    """Refuse what looks like a field and is none, and a second model of one name, which would hide the first."""
    for key, value in namespace.items():
        if isinstance(value, type) and issubclass(value, Field) and value.__name__ != key:
            told = f"{name}.{key} is the class {value.__name__}, and no field"
            raise DeclarationError(told, hint=f"Write {value.__name__}(), with brackets.")
        if isinstance(value, type) and getattr(value, "_is_queryset", False) and value.__name__ != key:
            told, made = f"{name}.{key} is the class {value.__name__}, and no manager", value.__name__
            raise DeclarationError(told, hint=f"Write {made}{'' if value._is_manager else '.as_manager'}().")  # type: ignore[attr-defined]  # it is a queryset
        if isinstance(value, tuple | list) and value and all(isinstance(one, Field) for one in value):
            way = "the comma behind it" if isinstance(value, tuple) else "the brackets around it"
            raise DeclarationError(f"{name}.{key} is a {type(value).__name__}, and no field", hint=f"Remove {way}.")
        if isinstance(value, Field) and not hasattr(value, "primary_key"):
            told = f"{name}.{key}: {type(value).__name__}.__init__() does not call that of Field"
            raise DeclarationError(told, hint="Write super().__init__(**options) in it.")
        if key == "__init__" and _calls_no_init(value):
            told = f"{name}.__init__() does not call that of Model, which takes the values"
            raise DeclarationError(told, hint="Write super().__init__(**values) in it.")
        if key == "save" and inspect.isfunction(value) and not _takes_options(value):
            told = f"{name}.save() takes no options, and is called with save(update_fields=...) and others"
            raise DeclarationError(told, hint="Write def save(self, **options), and super().save(**options) in it.")
        if key.lower() == "meta" and (key == "Meta") != isinstance(value, type):  # a field may be called meta
            raise DeclarationError(f"{name}.{key} is no class Meta", hint="Write 'class Meta:', with a capital M.")
    for key, value in namespace.get("__annotations__", {}).items():
        if isinstance(value, Field) and key not in namespace:
            raise DeclarationError(f"{name}.{key} is an annotation, and no field", hint=f"Write {key} = ..., with '='.")
    earlier = frame.f_locals.get(name) if frame is not None and frame.f_code.co_name == "<module>" else None
    if frame is None or not isinstance(earlier, ModelBase) or earlier.__module__ != namespace.get("__module__"):
        return
    first = earlier._meta.declared_at  # type: ignore[attr-defined]  # declared on Model
    if first is not None and first[0] == frame.f_code.co_filename and first[1] != frame.f_lineno:
        told = f"the model {name} is declared twice; first on line {first[1]}"
        raise DeclarationError(told, hint="Give one of them another name.")


def _refuse_fields_of_others(name: str, bases: tuple[type, ...]) -> None:
    """Refuse fields of a class that is no model: they would be no columns, without a word."""
    for kind in dict.fromkeys(kind for base in bases for kind in base.__mro__ if not isinstance(kind, ModelBase)):
        for key, value in vars(kind).items():
            if isinstance(value, Field):
                told = f"{name} inherits the field {key!r} from {kind.__name__}, which is no model"
                raise DeclarationError(
                    told, hint=f"Let {kind.__name__} inherit from models.Model, with abstract = True."
                )


def _calls_no_init(method: Any) -> bool:
    """Whether an ``__init__`` as it was written, and not another function in its place, calls none."""
    code = getattr(inspect.unwrap(method), "__code__", None)
    return code is not None and code.co_name == "__init__" and "__init__" not in code.co_names


def _takes_options(method: Any) -> bool:
    """Whether a ``save()`` can be told which fields to write."""
    taken = inspect.signature(method).parameters
    return "update_fields" in taken or any(one.kind is one.VAR_KEYWORD for one in taken.values())


def _lay_out(model: Any, namespace: dict[str, Any], declared: dict[str, Field[Any]]) -> None:
    """Give a model its fields: those of abstract parents, its own, and by a link those of parents with a table."""
    meta = model._meta
    inherited = inherited_fields(model, namespace)
    fields = {**inherited, **declared}
    composite = fields.pop("pk", None)
    virtual = {name: fields.pop(name) for name in [n for n, field in fields.items() if field.is_several]}
    if meta.proxy:
        become_proxy(model, {**fields, **virtual})
        return
    if not meta.abstract:
        link_to_parents(model, fields)
    if composite is not None:
        _take_composite_key(model, composite, fields)
    elif not meta.abstract:
        _ensure_key(model, fields)
    _add_fields(model, fields)
    for name, field in virtual.items():
        field.contribute(model, name)
        meta.virtual[name] = field
        setattr(model, name, field)
    if not meta.abstract:
        inherit_options(model)
        for field in meta.key:
            field.in_key = True
        meta.key_indexes = tuple(meta.fields.index(field) for field in meta.key)
        meta.pk_index = meta.key_indexes[0]


def _add_fields(model: Any, fields: dict[str, Field[Any]]) -> None:
    meta = model._meta
    for parent in meta.parents:
        meta.fields += [field for field in parent._meta.fields if field not in meta.fields]
        meta.many_to_many += [field for field in parent._meta.many_to_many if field not in meta.many_to_many]
    for key, field in sorted(fields.items(), key=lambda item: item[1].order):
        field.contribute(model, key)
        setattr(model, key, _accessor(field))
        if field.attname != key and not isinstance(field, ManyToManyField):
            setattr(model, field.attname, RawKey(field))
        meta.by_name[key] = field
        for every in (
            (meta.many_to_many, meta.local_many_to_many)
            if isinstance(field, ManyToManyField)
            else (meta.fields, meta.local_fields)
        ):
            every.append(field)
        if field.declared_choices is not None:
            setattr(model, f"get_{key}_display", _display(field))


def _take_composite_key(model: Any, key: Any, fields: dict[str, Field[Any]]) -> None:
    """Make a composite key the model's, with those of its fields that are declared."""
    meta = model._meta
    key.contribute(model, "pk")  # refuses any other kind of field
    if meta.parents:
        raise DeclarationError(
            f"{model.__name__}.pk: a model that inherits a table is known by the link to its parent",
            hint="Add a UniqueConstraint over the fields.",
        )
    if meta.abstract:
        meta.by_name["pk"] = key
        return
    key.complete(fields)
    meta.composite_key = model.pk = key


def _ensure_key(model: Any, fields: dict[str, Field[Any]]) -> None:
    """One primary key, which is ``id`` if no field is declared as one."""
    keys = [name for name, field in fields.items() if field.primary_key]
    if len(keys) > 1:
        raise DeclarationError(
            f"{model.__name__} has {len(keys)} primary keys: {', '.join(keys)}",
            hint="Keep one, and add a UniqueConstraint over the others.",
        )
    if keys:
        return
    if "id" in fields:
        raise DeclarationError(
            f"{model.__name__}.id is no primary key, but 'id' is the name of the key that is added",
            hint="Give it primary_key=True, or another name.",
        )
    added: AutoField[int] = AutoField()
    added.order = -1
    fields["id"] = added


def _accessor(field: Field[Any]) -> Any:
    """What stands on the class under the field's name."""
    if isinstance(field, ForeignKey):
        return ForwardObject(field)
    return TranslatedValue(field) if field.translated else field.descriptor()


def _display(field: Field[Any]) -> Any:
    def display(self: Any) -> Any:
        return field.display(getattr(self, field.name))

    display.__name__ = f"get_{field.name}_display"
    display.__doc__ = f"The label of the choice in ``{field.name}``."
    return display


def _add_exceptions(model: Any) -> None:
    parents = [parent for parent in parents_of(model) if not parent._meta.abstract]
    for name, base in (
        ("DoesNotExist", ObjectDoesNotExist),
        ("MultipleObjectsReturned", MultipleObjectsReturned),
    ):
        qualified = f"{model.__qualname__}.{name}"
        bases = tuple(getattr(parent, name) for parent in parents) or (base,)
        kind = type(name, bases, {"__module__": model.__module__, "__qualname__": qualified})
        setattr(model, name, kind)
