"""Receivers that apps declare hear the signals of their site."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit import App
from toolkit.errors import FrozenError
from toolkit.signals import Receivers, post_save
from toolkit.site.receivers import connect_receivers


class Story:
    _meta = SimpleNamespace(label="news.Story", abstract=False)


class Base:
    _meta = SimpleNamespace(label="news.Base", abstract=True)


def site_of(app: App) -> Any:
    return SimpleNamespace(apps=[app], models=[Story], receivers=Receivers())


@pytest.mark.parametrize("sender", ["Story", "news.Story", Story, None])
def test_a_sender_is_a_model_or_its_name(sender: Any) -> None:
    app, heard = App("news", package="tests.site"), []

    @app.receiver(post_save, sender=sender)
    def hear(instance: Any) -> None:
        heard.append(instance)

    site = site_of(app)
    assert connect_receivers(site) == []
    site.receivers.send(post_save, Story, instance=1)
    assert heard == [1]


def test_problems_name_the_place_of_the_declaration() -> None:
    app = App("news", package="tests.site")
    app.receiver(post_save, sender="Stroy")(lambda instance: None)
    app.receiver(post_save, sender=Base)(lambda instance: None)
    app.receiver(post_save)(lambda isntance: None)
    told = [str(problem) for problem in connect_receivers(site_of(app))]
    assert all(text.startswith(f"{Path(__file__)}:") for text in told)
    assert [
        word in text for word, text in zip(("Did you mean 'news.Story'", "abstract", "'instance'"), told, strict=True)
    ]


def test_nothing_is_declared_after_the_site_was_prepared() -> None:
    app = App("news", package="tests.site")
    app.freeze()
    with pytest.raises(FrozenError, match="a receiver of post_save was declared after"):
        app.receiver(post_save)
