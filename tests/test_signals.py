"""Signals: a name, and who hears it in one site."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.database import Database
from toolkit.errors import DeclarationError
from toolkit.signals import Receivers, Signal, post_save, pre_save, rows_changed
from toolkit.trace import Scope, entered


class Story:
    pass


class Tag:
    pass


def test_a_receiver_gets_the_values_that_it_names() -> None:
    receivers, heard = Receivers(), []
    receivers.connect(post_save, lambda instance, created: heard.append((instance, created)))
    receivers.connect(post_save, lambda sender, **values: heard.append((sender, sorted(values))))
    receivers.connect(post_save, lambda *, created, extra=7: heard.append((created, extra)))
    receivers.send(post_save, Story, instance="s", created=True, update_fields=None, scope=None)
    assert heard == [
        ("s", True),
        (Story, ["created", "instance", "scope", "signal", "update_fields"]),
        (True, 7),
    ]


def test_who_connects_to_a_signal_is_told_of_the_app() -> None:
    with pytest.raises(AttributeError, match=r"'connect'\. A receiver belongs to an app: @app\.receiver\(post_save, "):
        post_save.connect(print)  # type: ignore[attr-defined]  # there is none


def test_a_parameter_that_the_signal_does_not_give_is_refused() -> None:
    def announce(instance: Any, craeted: bool) -> None: ...

    with pytest.raises(DeclarationError, match=r"announce takes 'craeted', which post_save.*Did you mean 'created'"):
        Receivers().connect(post_save, announce)


def test_receivers_hear_their_sender_in_the_order_of_declaration_until_they_are_disconnected() -> None:
    receivers, heard = Receivers(), []
    for name in "abcdefgh":
        receivers.connect(pre_save, lambda name=name: heard.append(name), sender=Story)
    end = receivers.connect(pre_save, lambda: heard.append("tag"), sender=Tag)
    receivers.send(pre_save, Story)
    receivers.send(pre_save, Tag)
    end()
    receivers.send(pre_save, Tag)
    assert "".join(heard) == "abcdefghtag"
    assert (receivers.hears(pre_save, Story), receivers.hears(pre_save, Tag)) == (True, False)
    assert (pre_save in receivers, post_save in receivers) == (True, False)


def test_whether_rows_are_watched_follows_the_receivers() -> None:
    receivers = Receivers()
    with receivers.connected(rows_changed, lambda: None):
        assert receivers.watching
    assert not receivers.watching


def test_an_app_has_signals_of_its_own_and_each_site_hears_only_its_own() -> None:
    published = Signal("published", "story")
    first, second = Database("sqlite://"), Database("sqlite://")
    heard: list[str] = []
    first.receivers.connect(published, lambda story: heard.append(f"first {story}"))
    second.receivers.connect(published, lambda story, scope: heard.append(f"second {story} {scope.locale}"))
    published.send(Story, story="nobody listens outside of a site")
    with entered(Scope(None, first)):
        published.send(Story, story=1)
    with entered(Scope(None, second)):
        published.send(Story, story=2)
    assert heard == ["first 1", "second 2 en"]
