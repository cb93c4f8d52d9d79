"""An incremental build equals a clean build, byte for byte, whatever changed.

A machine edits the press at random, one thing or a few at a time: rows (through the models and past them), content
files, templates, catalogs, assets, settings, data files, code, the clock and the output itself. After each step it
builds on top of what is there, and from nothing, each in a process of its own, and compares the files.

``EXACTNESS_EXAMPLES=2000`` makes that many examples, for a good while.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.builder.given import add_given
from toolkit.errors import ToolkitError

VARIABLE = "PRESS_DESK"
"""What the page of inputs reads of the environment."""

EXAMPLES = int(os.environ.get("EXACTNESS_EXAMPLES", "3"))
STEPS = 14

words = st.sampled_from(["Flood", "Ferry & <quay>", "Tide", "“Ñandú”", "مد", "x", "Vote {{ no }}", "Rain's end"])
slugs = st.sampled_from(
    ["story-0", "flood", "Flood", "ferry.2", "crème", "cafe\u0301", "m-d", "page", "2", "مد", "stats"]
)
numbers = st.integers(0, 6)
hours = st.integers(-24 * 8, 24 * 8)
fields = st.sampled_from(["title", "slug", "body", "weight", "status", "published", "expires", "section", "author"])
texts = st.sampled_from(
    ["plain", "*marked* <b>raw</b><script>x</script>", "[a](story:story-5)", "[n](note:first)", "![i](img/heavy.svg)"]
)
NOWHERE = "[broken](story:nowhere)"


class Exactness(RuleBasedStateMachine):
    """The press, edited at random."""

    make: ClassVar[Callable[[Path], Any]]
    tree: ClassVar[Callable[[Path], dict[str, bytes]]]
    noon: ClassVar[datetime]
    place: ClassVar[Path]

    @initialize(sealable=st.booleans())
    def begin(self, sealable: bool) -> None:
        """Where builds can be sealed, each holds the seal of the one before to what it finds to do."""
        self.home = Path(tempfile.mkdtemp(dir=type(self).place))
        self.press = type(self).make(self.home / "site")
        add_given(self.press)
        if sealable:
            self.press.make_sealable()
        self.moment = type(self).noon
        self.press.build(moment=self.moment)
        self.save()

    def teardown(self) -> None:
        os.environ.pop(VARIABLE, None)
        if hasattr(self, "home"):
            shutil.rmtree(self.home, ignore_errors=True)

    # comparing

    def save(self) -> None:
        """Remember the site, to go back to when an edit made it impossible to build."""
        shutil.rmtree(self.home / "saved", ignore_errors=True)
        shutil.copytree(self.press.folder, self.home / "saved")
        self.saved_moment = self.moment

    def restore(self) -> None:
        shutil.rmtree(self.press.folder)
        shutil.copytree(self.home / "saved", self.press.folder)
        self.moment = self.saved_moment

    def check(self, **options: Any) -> None:
        """Build both ways and compare: equal files, or failures both."""
        tree = type(self).tree
        before = tree(self.press.out) if self.press.out.exists() else {}
        failure = clean_failure = None
        try:
            report = self.press.build(moment=self.moment, **options)
            note(f"   {report.summary()} {[str(event) for event in report.events][:6]}")
        except ToolkitError as error:
            failure = error
        try:
            clean = self.press.clean(moment=self.moment)
        except ToolkitError as error:
            clean_failure = error
        if failure or clean_failure:
            assert failure, f"only the clean build failed: {clean_failure}"
            assert clean_failure, f"only the incremental build failed: {failure}"
            assert not self.press.out.exists() or tree(self.press.out) == before, "a failed build touched the output"
            self.restore()
            return
        built = tree(self.press.out)
        wrong = sorted(path for path in built.keys() | clean.keys() if built.get(path) != clean.get(path))
        shown = [(path, built.get(path), clean.get(path)) for path in wrong[:1]]
        assert not wrong, f"{len(wrong)} files differ: {wrong[:6]}; {shown}"
        self.save()

    # rows

    def story(self, number: int) -> int:
        rows = self.press.sql("SELECT id FROM press_story ORDER BY id")
        return int(rows[number % len(rows)][0])

    def set(self, table: str, pk: int, column: str, value: Any) -> None:
        try:
            self.press.sql(f"UPDATE {table} SET {column} = ? WHERE id = ?", value, pk)
        except Exception as error:  # noqa: BLE001 - a slug that is taken
            note(f"   refused: {error}")

    @rule(number=numbers, field=fields, word=words, slug=slugs, text=texts, hour=hours, checks=st.booleans())
    def edit_story(self, number: int, field: str, word: str, slug: str, text: str, hour: int, checks: bool) -> None:
        moment = (self.moment + timedelta(hours=hour)).isoformat(" ")
        values: dict[str, tuple[str, Any]] = {
            "title": ("title", word),
            "slug": ("slug", slug),
            "body": ("body", text if hour < 180 else NOWHERE),
            "weight": ("weight", hour % 8),
            "status": ("status", "draft" if hour % 2 else "live"),
            "published": ("published", moment),
            "expires": ("expires", moment if hour % 3 else None),
            "section": ("section_id", 1 + hour % 2),
            "author": ("author_id", (1, 2, None)[hour % 3]),
        }
        self.set("press_story", self.story(number), *values[field])
        if checks:
            self.check()

    @rule(number=numbers, word=words, slug=slugs, remove=st.booleans())
    def edit_edition(self, number: int, word: str, slug: str, remove: bool) -> None:
        pk = self.story(number)

        def edit(m: Any) -> None:
            row = m.Story.objects.get(pk=pk)
            if remove:
                m.Story._meta.translation.objects.filter(source=row, locale="es").delete()
            else:
                row.translate("es", title=word, slug=slug, body="texto")

        self.by_models(edit)

    def by_models(self, edit: Callable[[Any], None], **options: Any) -> None:
        try:
            self.press.edit(edit)
        except ToolkitError as error:
            note(f"   refused: {error}")
        self.check(**options)

    @rule(number=numbers, tags=st.sets(st.integers(1, 3)))
    def set_tags(self, number: int, tags: set[int]) -> None:
        pk = self.story(number)
        self.by_models(lambda m: m.Story.objects.get(pk=pk).tags.set([t for t in m.Tag.objects.all() if t.pk in tags]))

    @rule(word=words, slug=slugs, hour=hours, locale=st.booleans())
    def add_story(self, word: str, slug: str, hour: int, locale: bool) -> None:
        moment = self.moment

        def edit(m: Any) -> None:
            section = m.Section.objects.first()
            row = m.Story.objects.create(
                title=word, slug=slug, section=section, published=moment + timedelta(hours=hour)
            )
            if locale:
                row.translate("es", title=word, slug=f"{slug}-es", body="")

        self.by_models(edit)

    @rule(number=numbers)
    def delete_story(self, number: int) -> None:
        pk = self.story(number)
        if len(self.press.sql("SELECT id FROM press_story")) > 3:
            self.by_models(lambda m: m.Story.objects.get(pk=pk).delete())

    @rule(
        kind=st.sampled_from(["section", "tag", "author"]), pk=st.integers(1, 3), word=words, slug=slugs, what=numbers
    )
    def edit_partner(self, kind: str, pk: int, word: str, slug: str, what: int) -> None:
        if kind == "author" and what < 3:
            self.set("press_author", pk, "active", what % 2)
        elif kind != "author" and what < 2:
            self.set(f"press_{kind}", pk, "slug", slug)
        else:
            self.set(f"press_{kind}", pk, "name", word)
        self.check()

    @rule(pk=st.integers(1, 3))
    def delete_tag(self, pk: int) -> None:
        self.by_models(lambda m: m.Tag.objects.filter(pk=pk).delete())

    # files

    @rule(
        name=st.sampled_from(
            ["base", "home", "section", "story", "parts/macros", "parts/masthead", "note", "404", "inputs"]
        ),
        text=st.sampled_from(
            ["<i>x</i>", "{{ site.timezone }}", "{{ locale }}", '{{ asset("img/mark.svg") }}', "{{ oops }}"]
        ),
    )
    def edit_template(self, name: str, text: str) -> None:
        place = f"templates/{name}.html"
        mark = "</html>" if name == "base" else "{% endblock %}" if "{% endblock %}" in self.read(place) else "\n"
        head, _, tail = self.read(place).rpartition(mark)
        self.press.write(place, f"{head}{text}{mark}{tail}")
        self.check()

    def read(self, name: str) -> str:
        return str((self.press.folder / name).read_text("utf-8"))

    @rule(
        name=st.sampled_from(["parts/banner", "parts/note", "app:parts/banner", "app:parts/note", "app:home"]),
        text=st.sampled_from(["<b>banner</b>", "{{ page.url }}", '<a href="{{ url_for("stats") }}">s</a>']),
    )
    def toggle_template(self, name: str, text: str) -> None:
        folder = "press/templates" if name.startswith("app:") else "templates"
        path = self.press.folder / folder / f"{name.removeprefix('app:')}.html"
        path.unlink() if path.exists() else self.press.write(str(path.relative_to(self.press.folder)), text)
        self.check()

    @rule(name=st.sampled_from(["masthead", "macros"]))
    def move_template_to_the_app(self, name: str) -> None:
        own, other = (self.press.folder / folder / f"parts/{name}.html" for folder in ("templates", "press/templates"))
        source, target = (own, other) if own.exists() else (other, own)
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
        self.check()
        if not own.exists():
            own.write_bytes(other.read_bytes())

    @rule(old=st.sampled_from(["Leer más", "artículos", "Todos los", "nplurals=2; plural=(n != 1)"]), word=words)
    def edit_catalog(self, old: str, word: str) -> None:
        name = "locale/es/LC_MESSAGES/messages.po"
        new = "nplurals=2; plural=(n > 1)" if old.startswith("npl") else word.replace('"', "'") + " "
        if old in self.read(name):
            self.press.replace(name, old, new)
        self.check()

    @rule(
        message=st.sampled_from(["Not found", "Nothing yet", "Read more"]),
        word=words,
        locale=st.sampled_from(["es", "en"]),
    )
    def add_message(self, message: str, word: str, locale: str) -> None:
        name = f"locale/{locale}/LC_MESSAGES/messages.po"
        head = f'msgid ""\nmsgstr ""\n"Language: {locale}\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
        text = self.read(name) if (self.press.folder / name).exists() else head
        if f'msgid "{message}"' not in text:
            self.press.write(name, f'{text}\nmsgid "{message}"\nmsgstr "{word}"\n')
        self.check()

    @rule(
        name=st.sampled_from(["img/back.svg", "img/heavy.svg", "img/mark.svg", "css/print.css", "css/site.css"]),
        word=words,
    )
    def edit_asset(self, name: str, word: str) -> None:
        comment = f"/* {word} */" if name.endswith("css") else f"<!-- {word} -->"
        self.press.write(f"static/{name}", self.read(f"static/{name}") + comment)
        self.check()

    @rule(name=st.sampled_from(["img/back.svg", "img/heavy.svg", "img/unused.svg", "css/print.css"]))
    def delete_asset(self, name: str) -> None:
        (self.press.folder / "static" / name).unlink(missing_ok=True)
        self.check()

    @rule(
        line=st.sampled_from(
            [
                'title = "The Other Press"',
                'base_url = "https://other.example"',
                'locales = ["en"]',
                'locales = ["es", "en"]',
                'locales = ["en", "es", "pt-BR"]',
                'timezone = "Asia/Tokyo"',
                'static_url = "/assets/"',
                "raw_html = true",
                'templates = "press/templates"',
                "titel = 1",
            ]
        )
    )
    def edit_settings(self, line: str) -> None:
        name = line.partition(" ")[0]
        kept = [one for one in self.read("toolkit.toml").splitlines() if not one.startswith(f"{name} ")]
        self.press.write("toolkit.toml", "\n".join([*kept, line]) + "\n")
        self.check()

    @rule(what=numbers, word=words)
    def edit_data(self, what: int, word: str) -> None:
        data = self.press.folder / "data"
        if what < 2:
            votes = json.loads((data / "votes.json").read_text())
            votes[("yes", "maybe", "no")[what]] = word
            (data / "votes.json").write_text(json.dumps(votes))
        elif what == 2:
            (data / "figures.txt").write_text(word)
        elif what == 3:
            extra = data / "extra.txt"
            extra.unlink() if extra.exists() else extra.write_text(word)
        else:
            (data / f"{what}.bin").touch()
        self.check()

    @rule(name=st.sampled_from(["first", "second", "third"]), word=words, text=texts, what=numbers)
    def edit_content(self, name: str, word: str, text: str, what: int) -> None:
        notes = self.press.folder / "content/notes"
        if what == 0:
            (notes / f"{name}.md").unlink(missing_ok=True)
        elif what == 1 and (notes / f"{name}.md").exists():
            (notes / f"{name}.md").rename(notes / "fourth.md")
        else:
            (notes / f"{name}.md").write_text(
                f"---\ntitle: {json.dumps(word, ensure_ascii=False)}\n---\n{text}\n", "utf-8"
            )
        self.check()

    @rule(
        name=st.sampled_from(
            ["humans.txt", "stats/index.html", "about", "about/x.txt", "town/Story-2/index.html", ".x"]
        )
    )
    def toggle_public(self, name: str) -> None:
        path = self.press.folder / "public" / name
        if path.exists():
            path.unlink()
            if path.parent.name != "public" and not any(path.parent.iterdir()):
                path.parent.rmdir()
        elif not path.parent.is_file() and not path.is_dir():
            self.press.write(f"public/{name}", "public")
        self.check()

    @rule(number=numbers)
    def edit_code(self, number: int) -> None:
        name = "press/pages.py"
        changes = [
            ('"/stats/"', '"/numbers/"'),
            ("per_page=3", "per_page=2"),
            ('name="tag"', ""),
            ('@app.page("/plain/"', '@app.page("/flat/"'),
            ("story.related(3)", "story.related(1)"),
            ('aliases=["/home/"]', 'aliases=["/start/", "/stats/x/"]'),
            ('"<p>{vote.slug}', '"<p>{vote.slug} says'),
        ]
        old, new = changes[number]
        self.press.write(name, self.read(name).replace(old, new))
        self.check()

    @rule(
        name=st.sampled_from(["parts/town", "parts/sport", "parts/flood", "app:parts/town"]),
        text=st.sampled_from(["<b>by name</b>", '{% include "parts/deeper.html" ignore missing %}', "{{ oops }}"]),
    )
    def toggle_included_by_name(self, name: str, text: str) -> None:
        """Templates that are included by a computed name: of the section of the heaviest story."""
        self.toggle_template(name, text)

    @rule(word=words)
    def edit_a_macro_imported_by_name(self, word: str) -> None:
        text = word.replace("{{", "").replace("}}", "")
        self.press.write(
            "templates/parts/stamps.html", f"{{% macro stamp(text) %}}<s>{text} {{{{ text }}}}</s>{{% endmacro %}}\n"
        )
        self.check()

    @rule(word=st.one_of(st.none(), words))
    def edit_environment(self, word: str | None) -> None:
        if word is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = word
        self.check()

    @rule(word=st.sampled_from(["!", "?", "", "…"]), upper=st.booleans())
    def edit_code_of_a_filter(self, word: str, upper: bool) -> None:
        name = "press/filters.py"
        kept = [line for line in self.read(name).splitlines() if not line.startswith("MARK")]
        place = kept.index("from . import app") + 1
        text = "\n".join([*kept[:place], f"MARK = {word!r}", *kept[place:]])
        old, new = ("lower", "upper") if upper else ("upper", "lower")
        self.press.write(name, text.replace(old, new) + "\n")
        self.check()

    @rule(number=numbers, weight=st.integers(-3, 40))
    def edit_a_weight(self, number: int, weight: int) -> None:
        """Aggregates, the heaviest of each section, and a template's name hang on it."""
        self.set("press_story", self.story(number), "weight", weight)
        self.check()

    # time, and the output

    @rule(hour=hours)
    def move_the_clock(self, hour: int) -> None:
        self.moment += timedelta(hours=hour, seconds=hour)
        self.check()

    @rule(hour=hours)
    def build_elsewhere(self, hour: int) -> None:
        """Another output of the same database, at another moment: it adds to the history of URLs."""
        try:
            self.press.clean("elsewhere", moment=self.moment + timedelta(hours=hour))
        except ToolkitError as error:
            note(f"   {error}")
        self.check()

    @rule(seed=st.integers(0, 10_000), how=st.sampled_from(["delete", "tamper", "touch", "folder", "all"]))
    def damage_output(self, seed: int, how: str) -> None:
        files = sorted(path for path in self.press.out.rglob("*") if path.is_file())
        path = files[seed % len(files)]
        if how == "delete":
            path.unlink()
        elif how == "tamper":
            time.sleep(0.01)
            path.write_bytes(b"x" * path.stat().st_size)
        elif how == "touch":
            os.utime(path, (seed, seed))
        elif how == "folder" and path.parent != self.press.out:
            shutil.rmtree(path.parent)
        else:
            shutil.rmtree(self.press.out)
        self.check()

    @rule(seed=st.integers(0, 10_000), workers=st.sampled_from([1, 2]), word=words)
    def kill_a_build(self, seed: int, workers: int, word: str) -> None:
        chance = random.Random(seed)
        self.set("press_section", 1, "name", word)
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            try:
                self.press.build(moment=self.moment, workers=workers)
            finally:
                os._exit(0)
        time.sleep(chance.random() * 0.35)
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        time.sleep(0.05)  # until its children have let go of the lock
        self.set("press_story", self.story(seed), "weight", seed % 8)
        self.check()

    @rule(workers=st.sampled_from([2, 3]), word=words)
    def build_in_processes(self, workers: int, word: str) -> None:
        self.press.write("templates/parts/banner.html", word.replace("{{", "").replace("}}", ""))
        self.check(workers=workers, clean=len(word) % 2 == 0)

    @rule(body=st.sampled_from([b"", b"garbage", b"SQLite format 3\x00" + b"\x00" * 4000, None]))
    def damage_the_manifest(self, body: bytes | None) -> None:
        self.check()
        manifest = self.press.out.with_name("out.manifest.db")
        if manifest.exists():
            content = manifest.read_bytes()
            manifest.write_bytes(content[: len(content) // 2] if body is None else body)
        self.check()


def test_an_incremental_build_equals_a_clean_one_whatever_changed(
    planted: Path,
    make_press: Callable[[Path], Any],
    tree_of: Callable[[Path], dict[str, bytes]],
    noon: datetime,
    tmp_path: Path,
) -> None:
    def make(folder: Path) -> Any:
        shutil.copytree(planted, folder)
        return make_press(folder)

    given = {"make": staticmethod(make), "tree": staticmethod(tree_of), "noon": noon, "place": tmp_path}
    machine = type("Machine", (Exactness,), given)
    long = EXAMPLES > 3
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS if not long else 30,
            derandomize=not long,
            database=None,
            report_multiple_bugs=False,
            print_blob=False,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def noon() -> datetime:
    from datetime import UTC

    return datetime(2026, 3, 1, 12, tzinfo=UTC)
