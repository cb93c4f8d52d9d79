"""The toolkit's own messages of validation, in each of its languages."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace

import pytest

from tests.validators.catalogs import FOLDER, LOCALES, template_of
from toolkit import validators as v
from toolkit.errors import ValidationError
from toolkit.i18n.catalogs import Catalogs
from toolkit.i18n.check import check_file
from toolkit.i18n.po import read_po
from toolkit.trace import Scope, entered


def test_the_template_has_every_message_of_validation() -> None:
    """After a change: ``python -m tests.validators.catalogs``."""
    found = {message.key for message in template_of("gis", "models", "validators")}
    assert found <= {message.key for message in read_po(FOLDER / "messages.pot")}


@pytest.mark.parametrize("folder", LOCALES)
def test_every_message_is_translated_and_sound(folder: str) -> None:
    path = FOLDER / folder / "LC_MESSAGES/messages.po"
    template = read_po(FOLDER / "messages.pot")
    translated = read_po(path)
    assert {message.key for message in template} == {message.key for message in translated}
    assert not [message.msgid for message in translated if not all(message.translations)]
    assert not [str(finding) for finding in check_file(path, locale=LOCALES[folder])]


@pytest.fixture
def german() -> Iterator[None]:
    site = SimpleNamespace(catalogs=Catalogs([("toolkit", FOLDER)], ["en", "de"]))
    with entered(Scope(site, None, locale="de")):
        yield


def test_a_message_is_in_the_language_of_the_moment(german: None) -> None:
    with pytest.raises(ValidationError, match=r"'x' ist keine E-Mail-Adresse\. In der Form name@host"):
        v.validate_email("x")
    with pytest.raises(ValidationError, match=r"hat mehr als 1 Nachkommastelle$"):
        v.DecimalValidator(5, 1)(Decimal("1.23"))
    with pytest.raises(ValidationError, match=r"hat mehr als 2 Nachkommastellen$"):
        v.DecimalValidator(5, 2)(Decimal("1.234"))
