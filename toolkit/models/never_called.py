"""Methods and attributes that Django looks for in classes of one's own, and the toolkit does not.

A class that brings one along would be taken, and do something else than it says. So it is refused where it is defined,
with what to write in its place.
"""

from __future__ import annotations

from collections.abc import Mapping

from toolkit.callers import find_code_line
from toolkit.errors import DeclarationError
from toolkit.models.declarations import located

_BUILD = "Say in build() how the SQL is made, with SQLAlchemy; a text of SQL is work for RawSQL."
_AS_SQL = {f"as_{name}": _BUILD for name in ("sql", "sqlite", "postgresql", "mysql", "oracle")}
_WRITER = "Say in db_writer(dialect) which function makes the driver's value."
_READER = "Say in db_reader(dialect) which function reads the driver's value."
_COLUMN = "Say in sql_type() which column it has, or inherit from the kind of field whose column that is."

FIELD = {
    "contribute_to_class": "Declare what it adds in the model itself, or in an abstract one.",
    "db_type": _COLUMN,
    "from_db_value": _READER,
    "get_db_converters": _READER,
    "get_db_prep_save": _WRITER,
    "get_db_prep_value": _WRITER,
    "get_internal_type": _COLUMN,
    "get_prep_value": _WRITER,
    "pre_save": "Set the value in before_save(instance), and say stores = True.",
    "rel_db_type": _COLUMN,
}
EXPRESSION = {**_AS_SQL, "arg_joiner": _BUILD, "bilateral": _BUILD, "template": _BUILD}
SUBQUERY = {
    **EXPRESSION,
    "template": "A number of rows is .order_by().values('story').annotate(n=Count('pk')).values('n') of the queryset; "
    "other SQL is work for RawSQL.",
}
LOOKUP = {
    **_AS_SQL,
    **dict.fromkeys(("get_db_prep_lookup", "get_prep_lookup", "process_lhs", "process_rhs"), _BUILD),
}
QUERYSET = {
    "_fetch_all": "Give what is added to the rows with annotate(), or as properties of the model.",
    "contribute_to_class": "A manager has its model as self.model.",
    "get_query_set": "Its name is get_queryset().",
    "use_for_related_fields": "Meta.base_manager_name names the manager that references are followed with.",
}
MODEL = {
    "from_db": "A field's db_reader(dialect) reads values; a property computes what is made of them.",
    "save_base": "Override save(), or receive pre_save and post_save.",
}


def refuse_never_called(kind: type, names: Mapping[str, str]) -> None:
    """Refuse a class that has something which nobody looks for.

    Args:
        kind: The class, or its mixin.
        names: The names, and what to write in place of each.
    """
    if kind.__module__.startswith("toolkit."):
        return
    for base in kind.__mro__:
        for name in names.keys() & vars(base).keys():
            told = f"{kind.__name__}.{name} is Django's, and nothing here would ever ask for it"
            raise located(DeclarationError(told, hint=names[name]), find_code_line())
