"""YAML 1.1 as PyYAML's safe loader reads it: a list of records. No aliases, so that a small file stays small."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import cache
from typing import IO, Any

from toolkit.errors import ContentError
from toolkit.serialization.formats.nested import record_of
from toolkit.serialization.formats.reading import Bounded, cut_off, not_utf8
from toolkit.serialization.records import Place, Record
from toolkit.text.yaml_scalars import check_scalars
from toolkit.text.yaml_writing import written


class YAML:
    """A list of records."""

    textual = False

    def write(self, records: Iterable[Record], out: IO[str], /) -> None:
        any_written = False
        for record in records:
            out.write(written([record.as_dict()], _dumper))
            any_written = True
        if not any_written:
            out.write("[]\n")

    def read(self, source: IO[bytes], /) -> Iterator[Record | ContentError]:
        import yaml

        bounded = Bounded(source)
        loader = _loader()(bounded)
        line = None
        try:
            for number, each in enumerate(_nodes(loader), 1):
                bounded.begin_record()
                line = each.start_mark.line + 1
                yield record_of(loader.construct_document(each), Place(line, number))
            if not bounded.is_ended:
                raise cut_off(line=bounded.line_of(sys.maxsize))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            raise ContentError(f"the file is no YAML: {error.problem}", line=mark.line + 1 if mark else None) from error
        except yaml.reader.ReaderError as error:
            line = bounded.line_of(error.position)
            if "UTF-8" in error.reason:
                raise not_utf8(error.reason, line=line) from error
            told = f"the file is no YAML: a character #x{error.character:04x}, which must be written as an escape"
            raise ContentError(told, line=line, hint='Such as "\\x01", in quotes.') from error
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            told = "it is nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())
            raise ContentError(f"the file is no YAML: {told}", line=line) from error
        finally:
            loader.dispose()


def _nodes(loader: Any) -> Iterator[Any]:
    """The items of the one list in a file, each when it is asked for."""
    import yaml

    loader.get_event()  # of the file
    if loader.check_event(yaml.StreamEndEvent):
        return
    loader.get_event()  # of the document
    if not loader.check_event(yaml.SequenceStartEvent):
        raise ContentError("the file is no list of records", line=loader.peek_event().start_mark.line + 1)
    parent = loader.get_event()
    number = 0
    while not loader.check_event(yaml.SequenceEndEvent):
        yield loader.compose_node(parent, number)
        number += 1
    for _ in ("the list", "the document"):
        loader.get_event()
    if not loader.check_event(yaml.StreamEndEvent):
        raise ContentError(
            "the file is no YAML: something follows the list", line=loader.peek_event().start_mark.line + 1
        )


@cache
def _dumper(base: Any) -> Any:
    class Dumper(base):  # type: ignore[misc]  # one of two classes
        """Without anchors; text that another reader would take for something else in quotes."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: Any, data: str) -> Any:
        odd = any(mark in data for mark in "\r\x85\u2028\u2029\ufeff")
        style = '"' if odd else "|" if "\n" in data and data.strip() == data else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    Dumper.add_representer(str, text)
    return Dumper


@cache
def _parser() -> Any:
    """PyYAML's safe loader with libyaml for its scanner, where that is there: four times as fast.

    ``CSafeLoader`` makes nodes in C too, where no alias can be refused and no list be read item by item.
    """
    import yaml

    try:
        from yaml.cyaml import CParser  # type: ignore[attr-defined] # it is there, and not in the stubs
    except ImportError:
        return yaml.SafeLoader

    class Parser(yaml.composer.Composer, CParser, yaml.constructor.SafeConstructor, yaml.resolver.Resolver):
        def __init__(self, stream: Any) -> None:
            CParser.__init__(self, stream)
            yaml.composer.Composer.__init__(self)
            yaml.constructor.SafeConstructor.__init__(self)
            yaml.resolver.Resolver.__init__(self)

    return Parser


@cache
def _loader() -> Any:
    import yaml

    base: Any = _parser()

    class Loader(base):  # type: ignore[misc]  # one of two classes
        """Without aliases, keys that stand twice, and dates: what is a date is its field's to say."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                mark = self.peek_event().start_mark
                raise yaml.composer.ComposerError(None, None, "an alias (*name) is not taken", mark)
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen = set()
            for key, _ in node.value:
                name = str(key.value)  # whatever its kind: as keys of JSON, 1 and '1' are one
                if name in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} stands twice", key.start_mark
                    )
                seen.add(name)
            return super().construct_mapping(node, deep=True)

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    check_scalars(Loader)
    return Loader
