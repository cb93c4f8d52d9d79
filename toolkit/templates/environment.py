"""One Jinja2 environment a site: strict, escaping always, and recording what each page is made of."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any, NoReturn, cast

import jinja2
import msgspec
from jinja2 import nodes
from jinja2.debug import rewrite_traceback_stack
from jinja2.environment import TemplateModule

from toolkit.errors import TemplateError, did_you_mean
from toolkit.i18n.messages import gettext, ngettext, npgettext, pgettext
from toolkit.trace import ABSENT, current, record

from .bytecode import BytecodeFolder
from .compiled import FreshTemplate, QuickContext, RuntimeCodeGenerator, escape_output
from .escaping import ESCAPING_FILTERS, ContextualEscaping
from .failures import template_error
from .filters import FILTERS, markdown_filter
from .folders import TemplateFolder, TemplateFolders, TemplateSearch, TemplateSource
from .fragments import FragmentTag, Kept, Key, check_fragments
from .markdown import Markdown
from .shortcodes import template_shortcodes
from .tags import CustomTags
from .undefined import StrictUndefined

EXTENSIONS: tuple[Any, ...] = (
    "jinja2.ext.do",
    "jinja2.ext.loopcontrols",
    "jinja2.ext.i18n",
    CustomTags,
    FragmentTag,
    ContextualEscaping,
)

STATEMENTS = ("autoescape", "block", "cache", "call", "extends", "filter", "for", "from", "if", "import",
              "include", "macro", "raw", "set", "with")  # fmt: skip
"""Jinja's own tags (``jinja2.parser`` keeps them private)."""


class Loaded(msgspec.Struct):
    """A compiled template, and the digest of the source it was compiled from."""

    template: jinja2.Template
    digest: bytes


class TemplateEnvironment(jinja2.Environment):
    """Jinja's environment, and three things that Jinja does not do.

    - Every template really loaded while a page renders is recorded in its trace, also when it was compiled
      long ago: ``extends``, ``include``, ``import`` and ``from`` all pass ``_load_template`` at run time. A
      name that was looked for in vain is recorded as absent.
    - Whether a loaded template is still current is decided by its content, and never during a build's
      rendering: see :meth:`frozen`.
    - Every failure is a :class:`toolkit.errors.TemplateError` at the template's line.

    Made by :func:`make_environment`.

    Args:
        folders: The search path.
        cache_folder: Where compiled templates are kept between runs; None keeps them nowhere.
        strict: Whether using a name that is not there fails.
        auto_reload: Whether loaded templates are compared with their files (when not frozen).
        tags: Custom tags; see :mod:`toolkit.templates.tags`.
    """

    code_generator_class = RuntimeCodeGenerator
    context_class = QuickContext
    template_class = FreshTemplate
    escape_output = staticmethod(escape_output)

    def __init__(
        self,
        folders: TemplateFolders,
        *,
        cache_folder: Path | None = None,
        strict: bool = True,
        auto_reload: bool = True,
        tags: Mapping[str, Callable[..., object]] | None = None,
    ) -> None:
        self.custom_tags: dict[str, Callable[..., object]] = dict(tags or {})
        super().__init__(
            loader=folders,
            autoescape=True,
            undefined=StrictUndefined if strict else jinja2.Undefined,
            extensions=EXTENSIONS,
            optimized=False,
            cache_size=0,
            auto_reload=auto_reload,
        )
        self.policies["ext.i18n.trimmed"] = True
        self.folders = folders
        self.bytecode = BytecodeFolder(cache_folder, dialect=self._dialect()) if cache_folder else None
        self._loaded: dict[str, Loaded] = {}
        self._answers: dict[str, bytes] = {}
        self._frozen = False
        self.fragments: dict[Key, Kept] | None = None
        self.modules: dict[jinja2.Template, TemplateModule] | None = None

    def _dialect(self) -> str:
        """What this environment compiles sources with, for the bytecode folder."""
        return ",".join(sorted(self.extensions)) + "|" + ",".join(sorted(self.custom_tags))

    # -- rendering

    def render(self, name: str, context: Mapping[str, Any] | None = None, *, url: str | None = None) -> str:
        """Render a template, or one block of it.

        Args:
            name: The template's name, such as ``"story.html"``; ``"story.html#related"`` renders that block
                alone (what htmx asks for), with the template's imports and ``super()`` at work.
            context: The names it may use.
            url: The URL of the page, for messages.

        Raises:
            TemplateError: Whatever went wrong, at the template's line; the original error is its
                ``__cause__``.
        """
        name, _, block = name.partition("#")
        try:
            template = self.find_template(name)
            return self.render_block(template, block, context or {}) if block else template.render(context or {})
        except TemplateError as error:
            error.url = error.url or url or getattr(current.get(), "url", None)
            raise

    def render_block(self, template: jinja2.Template, block: str, context: Mapping[str, Any]) -> str:
        """Render one block of a template, its own or inherited.

        The template runs up to its first output: there its ``extends`` chain is known and its imports are
        made.
        """
        scope = template.new_context(dict(context))
        try:
            next(iter(template.root_render_func(scope)), None)
            if block in scope.blocks:
                return self.concat(scope.blocks[block][0](scope))
        except Exception:  # noqa: BLE001 - whatever it is, it becomes a TemplateError
            self.handle_exception()
        raise TemplateError(
            f"{template.name} has no block {block!r}",
            path=template.filename,
            hint=did_you_mean(block, scope.blocks) or None,
        )

    def find_template(self, name: str) -> jinja2.Template:
        """The template of this name; where ``get_template`` raises Jinja's error, this raises ours."""
        try:
            return self.get_template(name)
        except jinja2.TemplateNotFound:
            self.handle_exception()

    def handle_exception(self, source: str | None = None) -> NoReturn:
        """Jinja's hook, called inside ``except`` by all that compiles or renders."""
        error = cast(Exception, sys.exc_info()[1])
        raise template_error(error, known=self._known_names(error)) from rewrite_traceback_stack(source=source)

    def _known_names(self, error: Exception) -> dict[str, Iterable[str]]:
        """The names that may have been meant where something was not found."""
        if isinstance(error, jinja2.TemplateNotFound):
            return {"template": self.folders.list_templates()}
        tags = {*STATEMENTS, *(tag for extension in self.extensions.values() for tag in extension.tags)}
        return {"filter": self.filters, "test": self.tests, "tag": tags}

    # -- loading and recording

    def _load_template(self, name: str, globals: MutableMapping[str, Any] | None) -> jinja2.Template:
        try:
            loaded = self._loaded.get(name)
        except TypeError:  # a list, which only ``include`` takes
            loaded = None
        if loaded is None or not (self._frozen or self._is_current(name, loaded)):
            loaded = self._load(name)
        record("template", (name,), loaded.digest)
        if globals:
            loaded.template.globals.update(globals)
        return loaded.template

    def _is_current(self, name: str, loaded: Loaded) -> bool:
        return not self.auto_reload or self.folders.digest_of(name) == loaded.digest

    def _load(self, name: str) -> Loaded:
        """Read and compile a template, or record its absence and raise ``TemplateNotFound``."""
        if not isinstance(name, str):
            raise jinja2.TemplateRuntimeError(f"a template is named by text, not by {type(name).__name__} {name!r}")
        known_absent = self._frozen and self._answers.get(name) == ABSENT
        source = None if known_absent else self.folders.read(name)
        if self._frozen:
            self._answers[name] = source.digest if source else ABSENT
        if source is None:
            self._loaded.pop(name, None)
            record("template", (name,), ABSENT)
            raise jinja2.TemplateNotFound(name)
        code = self._code_of(source)
        template = self.template_class.from_code(self, code, self.make_globals(None))
        loaded = self._loaded[name] = Loaded(template, source.digest)
        return loaded

    def _code_of(self, source: TemplateSource) -> CodeType:
        place = str(source.path)
        kept = self.bytecode
        code = kept.find(name=source.name, filename=place, source=source.text) if kept else None
        if code is None:
            code = self.compile(source.text, source.name, place)
            if kept:
                kept.keep(code, name=source.name, filename=place, source=source.text)
        return code

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        check_fragments(tree, self, name=name, filename=filename)
        return tree

    # -- freshness

    def digest_of(self, name: str) -> bytes:
        """What the trace would record for this name today: 16 bytes, or ``ABSENT``.

        While frozen, the first answer stays.
        """
        if not self._frozen:
            return self.folders.digest_of(name)
        loaded = self._loaded.get(name)
        if loaded is not None:
            return loaded.digest
        answer = self._answers.get(name)
        if answer is None:
            answer = self._answers[name] = self.folders.digest_of(name)
        return answer

    def reload_changed(self) -> list[str]:
        """Forget the loaded templates whose file or content is another now; their names, sorted."""
        changed = [name for name, loaded in list(self._loaded.items()) if self.folders.digest_of(name) != loaded.digest]
        for name in changed:
            self._loaded.pop(name, None)
        return sorted(changed)

    def freeze(self) -> None:
        """From now on look at no file twice: a build renders from one state of the templates."""
        self.reload_changed()
        self._answers = {}
        self._frozen = True
        self.fragments = {}
        self.modules = {}

    def thaw(self) -> None:
        """End what :meth:`freeze` began."""
        self._frozen = False
        self._answers = {}
        self.fragments = None
        self.modules = None

    @contextmanager
    def frozen(self) -> Iterator[TemplateEnvironment]:
        """Frozen inside a ``with`` block."""
        self.freeze()
        try:
            yield self
        finally:
            self.thaw()

    def why_template(self, name: str) -> TemplateSearch:
        """The places where a template is looked for, in order, and which of them wins."""
        return self.folders.why(name)

    # -- attributes

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Jinja's ``a.b``, which does not hide an AttributeError from inside a property as "undefined"."""
        try:
            return getattr(obj, attribute)
        except AttributeError:
            if isinstance(getattr(type(obj), attribute, None), property):
                raise
        try:
            return obj[attribute]
        except (TypeError, LookupError, AttributeError):
            return self.undefined(obj=obj, name=attribute)


def make_environment(
    folders: Sequence[TemplateFolder],
    *,
    cache_folder: Path | None = None,
    globals: Mapping[str, Any] | None = None,
    filters: Mapping[str, Callable[..., Any]] | None = None,
    tags: Mapping[str, Callable[..., object]] | None = None,
    strict: bool = True,
    auto_reload: bool = True,
) -> TemplateEnvironment:
    """The environment of one site.

    Args:
        folders: The search path: the site's own templates first, then each app's.
        cache_folder: Where compiled templates are kept between runs.
        globals: Names every template may use, such as ``url_for`` and ``asset``.
        filters: More filters; one of a built-in's name takes its place.
        tags: Custom tags; see :mod:`toolkit.templates.tags`.
        strict: Whether using a name that is not there fails.
        auto_reload: Whether edited templates are seen while the environment is not frozen.

    Raises:
        TemplateError: When two folders share a label.
    """
    environment = TemplateEnvironment(
        TemplateFolders(folders), cache_folder=cache_folder, strict=strict, auto_reload=auto_reload, tags=tags
    )
    cast(Any, environment).install_gettext_callables(
        gettext, ngettext, newstyle=True, pgettext=pgettext, npgettext=npgettext
    )
    environment.filters.update(FILTERS)
    environment.filters["markdown"] = markdown_filter(Markdown(shortcode=template_shortcodes(environment)))
    environment.filters.update(filters or {})
    environment.filters.update(ESCAPING_FILTERS)
    environment.globals.update(globals or {})
    return environment
