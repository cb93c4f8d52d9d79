"""Settings: one typed table; every wrong value of a run is told at once, with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import Problems, SettingError
from toolkit.settings import BY_NAME, TABLE, load_settings
from toolkit.trace import Scope, Trace, digest, entered


def load(folder: Path, text: str, environment: dict[str, str] | None = None, **overrides: Any) -> Any:
    (folder / "toolkit.toml").write_text(text, "utf-8")
    return load_settings(folder, environment=environment or {}, overrides=overrides)


def test_values_come_from_the_file_and_defaults_fill_the_rest(tmp_path: Path) -> None:
    settings = load(tmp_path, 'title = "The Courier"\nlocales = ["en", "es", "zh-Hant"]\nworkers = 3\n')
    assert (settings.title, settings.locales, settings.workers) == ("The Courier", ["en", "es", "zh-Hant"], 3)
    assert settings.timezone == "UTC"
    assert (settings.source("title"), settings.source("workers")) == ("toolkit.toml:1", "toolkit.toml:3")
    assert settings.source("timezone") == "default"


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert load(tmp_path, '\ufefftitle = "The Courier"').title == "The Courier"


def test_the_environment_wins_over_the_file_and_code_over_both(tmp_path: Path) -> None:
    environment = {
        "TOOLKIT_TITLE": "From outside",
        "TOOLKIT_WORKERS": " 4 ",
        "TOOLKIT_RAW_HTML": "Yes",
        "TOOLKIT_LOCALES": "en, ar",
        "TOOLKIT_CORPUS": "/anywhere",
        "TOOLKIT_TEST_DATABASES": "postgresql://x",
        "PATH": "/bin",
    }
    settings = load(tmp_path, 'title = "The Courier"', environment, workers=5)
    assert (settings.title, settings.raw_html, settings.locales) == ("From outside", True, ["en", "ar"])
    assert settings.workers == 5
    assert [settings.source(name) for name in ("title", "workers")] == ["TOOLKIT_TITLE", "code"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('titel = "x"', "toolkit.toml:1: there is no setting 'titel'. Did you mean 'title'"),
        ('\n\nworkers = "4"', "toolkit.toml:3: workers = '4': expected a whole number. Remove the quotes."),
        ("workers = true", "workers = True: expected a whole number"),
        ("raw_html = 1", "raw_html = 1: expected true or false"),
        ("title = 3", "title = 3: expected text"),
        ('locales = "en"', "locales = 'en': expected a list of texts"),
        ("locales = []", "there must be at least one locale"),
        ('locales = ["english"]', "'english' is no locale; write BCP 47 tags"),
        ('locales = ["en", "en"]', "'en' stands twice"),
        ('base_url = "courier.example"', "it must be an absolute http or https URL"),
        ('base_url = "https://courier.example/?a=b"', "it must be an absolute http or https URL"),
        ('timezone = "Madrid"', "it is no time zone"),
        ('static_url = "static"', "it must begin and end with a slash"),
        ('[titel]\nx = "y"', "toolkit.toml:1: there is no setting 'titel'"),
    ],
)
def test_a_wrong_value_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(Problems, match="a setting is wrong") as raised:
        load(tmp_path, text)
    assert told in str(raised.value)


def test_all_wrong_values_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(Problems, match="3 settings are wrong") as raised:
        load(tmp_path, 'titel = "x"\nworkers = "4"\n', {"TOOLKIT_RAW_HTML": "perhaps"})
    assert "(TOOLKIT_RAW_HTML): expected true or false" in str(raised.value)


def test_a_variable_that_names_no_setting_is_told(tmp_path: Path) -> None:
    with pytest.raises(Problems, match=r"there is no setting 'wokers' \(TOOLKIT_WOKERS\)\. Did you mean 'workers'"):
        load(tmp_path, "", {"TOOLKIT_WOKERS": "4"})


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    with pytest.raises(Problems, match="secret_key = its value") as raised:
        load(tmp_path, "secret_key = 12345")
    assert "12345" not in str(raised.value)


def test_a_file_that_is_missing_or_no_toml_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"there is no toolkit\.toml in .*Name the site's folder with --site"):
        load_settings(tmp_path, environment={})
    with pytest.raises(SettingError, match=r"toolkit\.toml:2:\d+: not TOML"):
        load(tmp_path, 'title = "a"\nlocales == 3')
    (tmp_path / "toolkit.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(SettingError, match="it cannot be read"):
        load_settings(tmp_path, environment={})


def test_settings_are_frozen_and_know_their_names(tmp_path: Path) -> None:
    settings = load(tmp_path, "")
    with pytest.raises(SettingError, match=r"'title' cannot be changed while the site runs\. Edit toolkit\.toml"):
        settings.title = "x"
    with pytest.raises(AttributeError, match=r"there is no setting 'titel'\. Did you mean 'title'"):
        settings.titel  # noqa: B018 - the read is the test
    assert "title" in dir(settings)


def test_reading_a_setting_while_a_page_renders_is_recorded(tmp_path: Path) -> None:
    settings = load(tmp_path, 'title = "The Courier"')
    trace = Trace()
    with entered(Scope(None, None, trace=trace)):
        assert settings.title == "The Courier"
        assert settings.peek("timezone") == "UTC"
    assert trace.inputs == {("setting", ("title",)): digest("The Courier")}
    assert settings.digest_of("title") == digest("The Courier")
    assert settings.digest_of("gone") == b""


def test_the_table_explains_itself() -> None:
    assert len(BY_NAME) == len(TABLE)
    for setting in TABLE:
        assert setting.help.endswith("."), setting.name
        assert isinstance(setting.default, setting.kind), setting.name
        assert setting.check is None or setting.check(setting.default) == "", setting.name


def test_there_is_no_negative_number_of_workers(tmp_path: Path) -> None:
    with pytest.raises(Problems, match=r"toolkit\.toml:1: workers = -1: it must be 0 or more"):
        load(tmp_path, "workers = -1")
