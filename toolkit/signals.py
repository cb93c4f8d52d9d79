"""Signals: what happens to rows, told to whoever declared that they want to hear it.

A ``Signal`` is only a name and the values that come with it; who hears it belongs to one site (``Receivers``), so two
sites in one process hear nothing of each other. An app declares a receiver, and the site connects it when it is
prepared::

    @app.receiver(post_save, sender=Story)
    def announce(instance, created): ...

A receiver gets the values that its parameters name, or all of them as ``**values``. Receivers are called in the order
of their declaration.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from toolkit.errors import DeclarationError, ReceiverError, did_you_mean
from toolkit.trace import current

Function = Callable[..., Any]

_numbers = itertools.count()

COMMON = ("sender", "signal", "scope")
"""Values that come with every signal; the scope has the site and the database."""


class Signal:
    """A kind of event.

    Args:
        name: Its name, for messages.
        values: Names of what comes with it, beside ``sender``, ``signal`` and ``scope``.
    """

    def __init__(self, name: str, *values: str) -> None:
        self.name = name
        self.values = (*COMMON, *values)

    def __repr__(self) -> str:
        return f"<Signal {self.name}>"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Say where receivers are declared, to whoever connects one as in Django."""
            told = f"{type(self).__name__!r} object has no attribute {name!r}"
            if name == "connect":
                told += f". A receiver belongs to an app: @app.receiver({self.name}, sender=Story) before its function"
            raise AttributeError(told, name=name, obj=self)

    def send(self, sender: Any, **values: Any) -> None:
        """Tell the receivers of the current site; nobody, if there is no current site.

        Args:
            sender: What it happened to: a model class, or anything else that receivers may choose by.
            values: What comes with the signal.
        """
        scope = current.get()
        receivers: Receivers | None = getattr(scope.database, "receivers", None) if scope is not None else None
        if receivers is not None and self in receivers:
            receivers.send(self, sender, scope=scope, **values)


pre_save = Signal("pre_save", "instance", "update_fields")
"""Before ``save()`` writes a row, inside its transaction; an error stops it."""

post_save = Signal("post_save", "instance", "created", "update_fields")
"""After ``save()`` wrote a row, inside its transaction; an error takes it back."""

pre_delete = Signal("pre_delete", "instance")
"""Before a row is deleted, on its own or along with others, inside the transaction; an error stops it."""

post_delete = Signal("post_delete", "instance")
"""After a row was deleted, inside the transaction; an error takes it back."""

m2m_changed = Signal("m2m_changed", "instance", "action", "reverse", "model", "pk_set")
"""Around a change of a many-to-many relation. The sender is the model between.

``action`` is ``pre_add``, ``post_add``, ``pre_remove``, ``post_remove``, ``pre_clear`` or ``post_clear``; ``pk_set``
has the keys of the partners, and is None for the last two.
"""

rows_changed = Signal("rows_changed", "keys", "operation")
"""After rows were written by any path, bulk and raw SQL included, and committed.

The sender is the model; ``operation`` is ``insert``, ``update``, ``delete`` or ``raw``; ``keys`` is the set of primary
keys, or None when it is not known which rows. It comes once for a transaction, model and operation.
"""


class Receivers:
    """Who hears what, in one site.

    Attributes:
        watching: Whether anybody hears ``rows_changed``: asked at each statement, so it is not looked up.
    """

    def __init__(self) -> None:
        self.watching = False
        self._signals: dict[Signal, Any] = {}
        self._order: dict[Any, int] = {}

    def __contains__(self, signal: object) -> bool:
        """Whether anybody hears a signal at all."""
        found = self._signals.get(signal) if self._signals else None  # type: ignore[call-overload]  # any key may be asked
        return found is not None and bool(found.receivers)

    def connect(self, signal: Signal, function: Function, *, sender: Any = None) -> Callable[[], None]:
        """Let a function hear a signal.

        Args:
            signal: The signal.
            function: Called with the values that its parameters name.
            sender: Only of this sender; of any by default.

        Returns:
            A function that ends it.

        Raises:
            DeclarationError: The function has a parameter that the signal has no value for.
        """
        import blinker

        call = _caller(signal, function)
        found = self._signals.setdefault(signal, blinker.Signal())
        found.connect(call, sender=blinker.ANY if sender is None else sender, weak=False)
        self._order[call] = next(_numbers)
        self.watching = rows_changed in self

        def disconnect() -> None:
            found.disconnect(call)
            self._order.pop(call, None)
            self.watching = rows_changed in self

        return disconnect

    @contextmanager
    def connected(self, signal: Signal, function: Function, *, sender: Any = None) -> Iterator[None]:
        """A block in which a function hears a signal; for tests."""
        disconnect = self.connect(signal, function, sender=sender)
        try:
            yield
        finally:
            disconnect()

    def hears(self, signal: Signal, sender: Any) -> bool:
        """Whether anybody hears a signal of this sender."""
        return signal in self and any(True for _ in self._signals[signal].receivers_for(sender))

    def _calls(self, signal: Signal, sender: Any) -> list[Any]:
        """The receivers in the order of their declaration; blinker keeps them in none."""
        found = self._signals.get(signal)
        return [] if found is None else sorted(found.receivers_for(sender), key=self._order.__getitem__)

    def send(self, signal: Signal, sender: Any, **values: Any) -> None:
        """Tell the receivers; the first error ends it."""
        for call in self._calls(signal, sender):
            call({"sender": sender, "signal": signal, **values})

    def send_to_all(self, signal: Signal, sender: Any, **values: Any) -> list[Exception]:
        """Tell every receiver, whatever the others do, and give their errors."""
        errors: list[Exception] = []
        for call in self._calls(signal, sender):
            try:
                call({"sender": sender, "signal": signal, **values})
            except Exception as error:  # noqa: BLE001 - reported by the caller
                told = f"{call.__qualname__}, a receiver of {signal.name}, failed: {type(error).__name__}: {error}"
                failed = ReceiverError(told, hint="What it was told of is written.")
                failed.__cause__ = error
                errors.append(failed)
        return errors


def _caller(signal: Signal, function: Function) -> Any:
    """A function of all values that hands on those which a receiver asks for."""
    parameters = inspect.signature(function).parameters.values()
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    optional = {p.name for p in parameters if p.default is not p.empty}
    for name in named:
        if name not in signal.values and name not in optional:
            raise DeclarationError(
                f"the receiver {function.__qualname__} takes {name!r}, which {signal.name} does not give",
                hint=did_you_mean(name, signal.values),
            )
    wanted = [name for name in named if name in signal.values]

    def call(values: dict[str, Any]) -> None:
        function(**(values if takes_all else {name: values[name] for name in wanted}))

    call.__qualname__ = function.__qualname__
    return call
