"""Looking messages up: overriding, falling back, counting, recording, reloading."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toolkit.errors import CatalogError, Problems, ValidationError
from toolkit.i18n import Catalogs, Message
from toolkit.stamps import Sighting, Stamp
from toolkit.trace import ABSENT, Trace

from .conftest import HEADER, WriteCatalog, speaking


def entry(msgid: str, translation: str) -> str:
    return f'msgid "{msgid}"\nmsgstr "{translation}"\n\n'


@pytest.fixture
def folders(tmp_path: Path) -> list[tuple[str, Path]]:
    return [("site", tmp_path / "site"), ("app", tmp_path / "app"), ("toolkit", tmp_path / "toolkit")]


def test_the_site_overrides_an_app_which_overrides_the_toolkit_message_by_message(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog
) -> None:
    write_catalog(
        "es",
        entry("Search", "Buscar (toolkit)") + entry("Home", "Inicio") + entry("Map", "Plano"),
        folder="toolkit",
    )
    write_catalog("es", entry("Search", "Buscar (app)") + entry("Map", "Mapa"), folder="app")
    write_catalog("es", entry("Search", "Busca"), folder="site")
    catalogs = Catalogs(folders, ["es"])
    assert [catalogs.lookup("es", msgid) for msgid in ("Search", "Map", "Home")] == [
        "Busca",
        "Mapa",
        "Inicio",
    ]


def test_a_regional_language_falls_back_to_its_parent_and_then_to_the_source(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog
) -> None:
    write_catalog("pt_BR", entry("Bus", "Ônibus"))
    write_catalog("pt", entry("Bus", "Autocarro") + entry("Train", "Comboio"))
    catalogs = Catalogs(folders, ["pt-BR"])
    assert [catalogs.lookup("pt-BR", word) for word in ("Bus", "Train", "Plane")] == [
        "Ônibus",
        "Comboio",
        "Plane",
    ]


def test_a_language_beats_the_strength_of_a_folder(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog
) -> None:
    write_catalog("pt", entry("Bus", "Autocarro"), folder="site")
    write_catalog("pt-BR", entry("Bus", "Ônibus"), folder="toolkit")
    assert Catalogs(folders, ["pt-BR"]).lookup("pt-BR", "Bus") == "Ônibus"


def test_fuzzy_obsolete_and_empty_translations_are_not_shown(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog
) -> None:
    write_catalog("es", "#, fuzzy\n" + entry("a", "A") + '#~ msgid "b"\n#~ msgstr "B"\n\n' + 'msgid "c"\nmsgstr ""\n')
    catalogs = Catalogs(folders, ["es"])
    assert [catalogs.lookup("es", msgid) for msgid in "abc"] == ["a", "b", "c"]


def test_an_untranslated_message_of_the_site_does_not_hide_the_apps(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog
) -> None:
    write_catalog("es", entry("Search", ""))
    write_catalog("es", entry("Search", "Buscar"), folder="app")
    assert Catalogs(folders, ["es"]).lookup("es", "Search") == "Buscar"


def test_the_header_is_never_shown(folders: list[tuple[str, Path]], write_catalog: WriteCatalog) -> None:
    write_catalog("es", "")
    assert Catalogs(folders, ["es"]).lookup("es", "") == ""


def test_a_context_tells_messages_apart(folders: list[tuple[str, Path]], write_catalog: WriteCatalog) -> None:
    write_catalog("es", entry("May", "Puede") + 'msgctxt "month"\n' + entry("May", "mayo"))
    catalogs = Catalogs(folders, ["es"])
    assert catalogs.lookup("es", "May") == "Puede"
    assert catalogs.lookup("es", "May", context="month") == "mayo"
    assert catalogs.lookup("es", "May", context="name") == "May"


ARABIC = HEADER.replace(
    "nplurals=2; plural=(n != 1);",
    "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);",
)


def test_arabic_counts_in_six_forms(folders: list[tuple[str, Path]], write_catalog: WriteCatalog) -> None:
    forms = ["لا مقالات", "مقال واحد", "مقالان", "%(n)s مقالات", "%(n)s مقالًا", "%(n)s مقال"]
    lines = "".join(f'msgstr[{index}] "{form}"\n' for index, form in enumerate(forms))
    write_catalog("ar", f'msgid "one story"\nmsgid_plural "%(n)s stories"\n{lines}', header=ARABIC)
    catalogs = Catalogs(folders, ["ar"])
    shown = [catalogs.lookup("ar", "one story", plural="%(n)s stories", n=number) for number in (0, 1, 2, 7, 42, 100)]
    assert shown == forms


COUNTED = 'msgid "one"\nmsgid_plural "many"\nmsgstr[0] "uno"\nmsgstr[1] "muchos"\n\n'


def test_a_fraction_takes_the_last_form(folders: list[tuple[str, Path]], write_catalog: WriteCatalog) -> None:
    write_catalog("es", COUNTED)
    catalogs = Catalogs(folders, ["es"])
    assert catalogs.lookup("es", "one", plural="many", n=1.5) == "muchos"  # type: ignore[arg-type]
    assert catalogs.lookup("es", "one", plural="many", n=1.0) == "uno"  # type: ignore[arg-type]
    assert catalogs.lookup("es", "one", plural="many", n=-1) == "uno"


def test_a_counting_message_asked_for_without_a_number_answers_in_the_singular(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog
) -> None:
    write_catalog("es", COUNTED + entry("plain", "llano"))
    catalogs = Catalogs(folders, ["es"])
    assert catalogs.lookup("es", "one") == "uno"
    assert catalogs.lookup("es", "plain", plural="plains", n=3) == "plains"


def test_an_empty_form_falls_back_to_the_source(folders: list[tuple[str, Path]], write_catalog: WriteCatalog) -> None:
    write_catalog("es", 'msgid "one"\nmsgid_plural "many"\nmsgstr[0] "uno"\nmsgstr[1] ""\n')
    catalogs = Catalogs(folders, ["es"])
    assert [catalogs.lookup("es", "one", plural="many", n=n) for n in (1, 2)] == ["uno", "many"]


def test_a_lookup_is_recorded_with_a_digest_that_can_be_asked_again(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog
) -> None:
    write_catalog("es", entry("Search", "Buscar"))
    catalogs = Catalogs(folders, ["es"])
    with speaking(catalogs, "es") as trace:
        catalogs.lookup("es", "Search")
        catalogs.lookup("es", "Nowhere", context="menu")
    found, absent = trace
    assert found.kind == "message" and found.key == ("es", "messages", None, "Search", None)
    assert absent.key == ("es", "messages", "menu", "Nowhere", None) and absent.digest == ABSENT
    assert [catalogs.digest_of(item.key) for item in trace] == [item.digest for item in trace]


def test_the_digest_changes_with_the_translation_and_with_nothing_else(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog
) -> None:
    key = ("es", "messages", None, "Search", None)
    write_catalog("es", entry("Search", "Buscar"))
    before = Catalogs(folders, ["es"]).digest_of(key)
    write_catalog("es", "# a note\n" + entry("Search", "Buscar") + entry("Other", "Otro"))
    assert Catalogs(folders, ["es"]).digest_of(key) == before
    write_catalog("es", entry("Search", "Busca"))
    assert Catalogs(folders, ["es"]).digest_of(key) != before


def test_messages_that_readers_would_see_untranslated_are_found(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog
) -> None:
    write_catalog("pt_BR", entry("a", "A") + entry("counts", "conta") + "#, fuzzy\n" + entry("b", "B"))
    write_catalog("pt", entry("c", "C") + 'msgid "n"\nmsgid_plural "ns"\nmsgstr[0] "N"\nmsgstr[1] ""\n', folder="app")
    used = [
        Message("a"),
        Message("b"),
        Message("c"),
        Message("d"),
        Message("n", plural="ns"),
        Message("counts", plural="x"),
    ]
    missing = Catalogs(folders, ["pt-BR"]).find_missing("pt-BR", used)
    assert [message.msgid for message in missing] == ["b", "d", "n", "counts"]


def test_one_digest_stands_for_all_messages_of_a_locale(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog
) -> None:
    write_catalog("es", entry("a", "A"))
    catalogs = Catalogs(folders, ["es", "en"])
    before = (catalogs.digest("es"), catalogs.digest("en"))
    assert Catalogs(folders, ["es"]).digest("es") == before[0]
    write_catalog("es", entry("b", "B"), folder="app")
    catalogs.reload_if_changed()
    assert catalogs.digest("es") != before[0]
    assert catalogs.digest("en") == before[1]


def test_a_changed_plural_rule_changes_the_digest_of_counting_messages_only(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog
) -> None:
    counting, plain = ("es", "messages", None, "one", "many"), ("es", "messages", None, "x", None)
    write_catalog("es", COUNTED + entry("x", "X"))
    before = Catalogs(folders, ["es"])
    before.load()
    write_catalog("es", COUNTED + entry("x", "X"), header=HEADER.replace("n != 1", "n > 1"))
    after = Catalogs(folders, ["es"])
    assert before.digest_of(counting) != after.digest_of(counting)
    assert before.digest_of(plain) == after.digest_of(plain)


def test_a_translation_that_appears_anywhere_on_the_way_is_seen(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog
) -> None:
    catalogs = Catalogs(folders, ["pt-BR"])
    assert catalogs.lookup("pt-BR", "Bus") == "Bus"
    assert not catalogs.reload_if_changed()
    for locale, folder, word in [
        ("pt", "toolkit", "a"),
        ("pt", "site", "b"),
        ("pt_BR", "app", "c"),
        ("pt_BR", "site", "d"),
    ]:
        write_catalog(locale, entry("Bus", word), folder=folder)
        assert catalogs.reload_if_changed()
        assert catalogs.lookup("pt-BR", "Bus") == word
    assert not catalogs.reload_if_changed()


def test_an_edit_of_the_same_size_and_time_is_seen(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog
) -> None:
    path = write_catalog("es", entry("a", "AAA"))
    os.utime(path, ns=(10**18, 10**18))
    catalogs = Catalogs(folders, ["es"])
    assert catalogs.lookup("es", "a") == "AAA"
    write_catalog("es", entry("a", "BBB"))
    os.utime(path, ns=(10**18, 10**18))
    assert catalogs.reload_if_changed()
    assert catalogs.lookup("es", "a") == "BBB"


def test_an_edit_within_one_tick_of_the_clock_is_seen_later(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_catalog("es", entry("a", "AAA"))
    young = Sighting(Stamp(size=1, modified=1, changed=1, inode=1), settled=False)
    monkeypatch.setattr("toolkit.i18n.catalogs.look_at", lambda at: young if at == path else None)
    catalogs = Catalogs(folders, ["es"])
    assert catalogs.lookup("es", "a") == "AAA"
    write_catalog("es", entry("a", "BBB"))
    old = young._replace(settled=True)
    monkeypatch.setattr("toolkit.i18n.catalogs.look_at", lambda at: old if at == path else None)
    assert catalogs.reload_if_changed()
    assert catalogs.lookup("es", "a") == "BBB"


def test_a_settled_file_is_not_read_again(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_catalog("es", entry("a", "A"))
    old = Sighting(Stamp(size=1, modified=1, changed=1, inode=1), settled=True)
    monkeypatch.setattr("toolkit.i18n.catalogs.look_at", lambda at: old if at == path else None)
    catalogs = Catalogs(folders, ["es"])
    catalogs.load()
    monkeypatch.setattr("toolkit.i18n.parsed.parse_po", None)
    assert not catalogs.reload_if_changed()


def test_touching_a_file_changes_nothing(folders: list[tuple[str, Path]], write_catalog: WriteCatalog) -> None:
    path = write_catalog("es", entry("a", "A"))
    catalogs = Catalogs(folders, ["es"])
    catalogs.load()
    os.utime(path)
    assert not catalogs.reload_if_changed()


def test_a_removed_catalog_is_noticed(folders: list[tuple[str, Path]], write_catalog: WriteCatalog) -> None:
    path = write_catalog("es", entry("a", "A"))
    catalogs = Catalogs(folders, ["es"])
    catalogs.load()
    path.unlink()
    assert catalogs.reload_if_changed()
    assert catalogs.lookup("es", "a") == "a"


def test_a_broken_edit_is_reported_each_time_until_mended_and_the_old_messages_stay(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog
) -> None:
    write_catalog("es", entry("a", "A"))
    catalogs = Catalogs(folders, ["es"])
    catalogs.load()
    write_catalog("es", 'msgid "a"\nmsgstr "A\n')
    for _ in range(2):
        with pytest.raises(Problems, match=r"messages\.po:7: this line cannot be understood"):
            catalogs.reload_if_changed()
    assert catalogs.lookup("es", "a") == "A"
    write_catalog("es", entry("a", "mended"))
    assert catalogs.reload_if_changed()
    assert catalogs.lookup("es", "a") == "mended"


def test_loading_reports_the_problems_of_all_languages_together(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog
) -> None:
    write_catalog("es", 'msgid "a"\nmsgstr "A\n')
    write_catalog("ar", COUNTED, header=ARABIC)
    with pytest.raises(Problems, match=r"has 2 forms; Plural-Forms says 6") as caught:
        Catalogs(folders, ["es", "ar"]).load()
    assert [problem.line for problem in caught.value.problems] == [7, 6]


def test_two_spellings_of_one_locale_are_refused(folders: list[tuple[str, Path]], write_catalog: WriteCatalog) -> None:
    write_catalog("pt_BR", entry("a", "A"))
    write_catalog("pt-BR", entry("a", "B"))
    with pytest.raises(Problems, match="two catalogs for pt-BR"):
        Catalogs(folders, ["pt-BR"]).load()


def test_a_locale_that_is_no_language_tag_is_refused(folders: list[tuple[str, Path]]) -> None:
    with pytest.raises(ValidationError, match=r"'pt_BR' is not a language tag.*Write it as 'pt-BR'"):
        Catalogs(folders, ["pt_BR"])


def test_a_cache_folder_spares_parsing_and_may_be_damaged(
    folders: list[tuple[str, Path]],
    write_catalog: WriteCatalog,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_catalog("es", COUNTED + entry("a", "A"))
    cache = tmp_path / "cache"
    first = Catalogs(folders, ["es"], cache_folder=cache)
    first.load()
    (kept,) = cache.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr("toolkit.i18n.parsed.parse_po", None)
        second = Catalogs(folders, ["es"], cache_folder=cache)
        assert second.lookup("es", "one", plural="many", n=5) == "muchos"
        key = ("es", "messages", None, "one", "many")
        assert second.digest_of(key) == first.digest_of(key)
    kept.write_bytes(b"\x00garbage")
    assert Catalogs(folders, ["es"], cache_folder=cache).lookup("es", "a") == "A"


def test_a_cache_folder_holds_one_file_a_catalog_and_never_answers_for_old_content(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog, tmp_path: Path
) -> None:
    for word in ("A", "B", "A"):
        write_catalog("es", entry("a", word))
        assert Catalogs(folders, ["es"], cache_folder=tmp_path / "cache").lookup("es", "a") == word
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_a_cache_folder_that_cannot_be_written_is_no_problem(
    folders: list[tuple[str, Path]], write_catalog: WriteCatalog, tmp_path: Path
) -> None:
    write_catalog("es", entry("a", "A"))
    (tmp_path / "cache").write_text("a file")
    assert Catalogs(folders, ["es"], cache_folder=tmp_path / "cache").lookup("es", "a") == "A"


def test_a_catalog_that_is_a_folder_is_reported(folders: list[tuple[str, Path]], tmp_path: Path) -> None:
    (tmp_path / "site/es/LC_MESSAGES/messages.po").mkdir(parents=True)
    with pytest.raises(Problems, match="the catalog cannot be read"):
        Catalogs(folders, ["es"]).load()


def test_a_locale_of_a_url_never_becomes_a_path(folders: list[tuple[str, Path]]) -> None:
    with pytest.raises(ValidationError, match="is not a language tag"):
        Catalogs(folders, ["es"]).lookup("../../etc", "a")


def test_two_catalogs_of_catalogs_live_side_by_side(tmp_path: Path, write_catalog: WriteCatalog) -> None:
    write_catalog("es", entry("a", "one"), folder="first")
    write_catalog("es", entry("a", "two"), folder="second")
    first, second = (Catalogs([("x", tmp_path / name)], ["es"]) for name in ("first", "second"))
    assert (first.lookup("es", "a"), second.lookup("es", "a")) == ("one", "two")


def test_nothing_is_recorded_when_nobody_asks(folders: list[tuple[str, Path]]) -> None:
    trace = Trace()
    Catalogs(folders, ["es"]).lookup("es", "a")
    assert len(trace) == 0


def test_errors_of_one_file_are_catalog_errors(folders: list[tuple[str, Path]], write_catalog: WriteCatalog) -> None:
    write_catalog("es", "", header=HEADER.replace("n != 1", "n ! 1"))
    with pytest.raises(Problems, match=r"plural expression .* cannot be read") as caught:
        Catalogs(folders, ["es"]).load()
    assert isinstance(caught.value.problems[0], CatalogError)
    assert str(caught.value.problems[0].path).endswith("messages.po")
