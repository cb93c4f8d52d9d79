"""Connecting the receivers that apps declared to the signals of their site."""

from __future__ import annotations

from typing import Any

from toolkit.apps import App, DeclaredReceiver
from toolkit.errors import DeclarationError, ToolkitError, did_you_mean


def connect_receivers(site: Any) -> list[ToolkitError]:
    """Connect them in order of declaration, and give the problems found."""
    problems: list[ToolkitError] = []
    models = {model._meta.label: model for model in site.models}
    for app in site.apps:
        for declared in app.receivers:
            try:
                sender = _find_sender(app, declared, models)
                for signal in declared.signals:
                    site.receivers.connect(signal, declared.function, sender=sender)
            except DeclarationError as error:
                error.path, error.line = declared.path, declared.line
                problems.append(error)
    return problems


def _find_sender(app: App, declared: DeclaredReceiver, models: dict[str, Any]) -> Any:
    """The sender, found by its name if it was given by name."""
    sender, name = declared.sender, declared.function.__qualname__
    if isinstance(sender, str):
        label = sender if "." in sender else f"{app.label}.{sender}"
        if label not in models:
            raise DeclarationError(
                f"the receiver {name} hears {sender!r}, which is no model of this site",
                hint=did_you_mean(label, models),
            )
        return models[label]
    if getattr(sender, "_meta", None) is not None and sender._meta.abstract:
        raise DeclarationError(
            f"the receiver {name} hears {sender.__name__}, which is abstract and has no rows",
            hint="Name the models that inherit from it, or leave out the sender.",
        )
    return sender
