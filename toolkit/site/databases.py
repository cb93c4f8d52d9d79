"""The databases of a site: the main one, and those of the setting ``databases``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

from toolkit.database import DEFAULT, Database
from toolkit.errors import DatabaseError, SettingError, did_you_mean
from toolkit.models.routing import ask_router
from toolkit.trace import Scope

OPTIONS = {"url", "read_only", "replica_of", "atomic_requests"}


class Databases(Mapping[str, Database]):
    """Databases by alias; ``"default"`` is the main one.

    Args:
        url: The main one's URL.
        others: Alias to its options: ``url``, and if wanted ``read_only`` or ``replica_of``.
        folder: Where relative paths start.
        router: The site's; see ``toolkit.models.Router``.
        atomic_requests: A view is one transaction of the main one.

    Raises:
        SettingError: An option is unknown, or makes no sense.
    """

    def __init__(
        self,
        url: str,
        others: Mapping[str, Mapping[str, Any]],
        *,
        folder: Path,
        router: Any = None,
        atomic_requests: bool = False,
    ) -> None:
        self._router = router
        self._found = {DEFAULT: Database(url, folder=folder, atomic_requests=atomic_requests)}
        for alias, options in others.items():
            self._found[alias] = _make(alias, options, folder)
        for alias, database in self._found.items():
            if database.replica_of and database.replica_of not in self._found:
                raise SettingError(
                    f"databases.{alias}: replica_of = {database.replica_of!r} is no database of this site",
                    hint=did_you_mean(database.replica_of, self._found),
                )
            database.siblings = [other for other in self._found.values() if other is not database]
        _refuse_one_file(self._found.values() if others else ())
        self._replicas = {
            alias: cycle(copies)
            for alias in self._found
            if (copies := [one for one in self._found.values() if one.replica_of == alias])
        }

    def __getitem__(self, alias: str) -> Database:
        return self._found[alias]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    @property
    def homes(self) -> list[Database]:
        """Those that rows live in: all but the copies. Pages are rendered from these."""
        return [database for database in self._found.values() if not database.replica_of]

    def named(self, alias: str) -> Database:
        """The database of this alias.

        Raises:
            DatabaseError: There is none.
        """
        found = self._found.get(alias)
        if found is None:
            raise DatabaseError(
                f"there is no database {alias!r}",
                hint=did_you_mean(alias, self._found) + " Databases are named in toolkit.toml, under [databases].",
            )
        return found

    def choose(self, scope: Scope, model: Any, *, writing: bool) -> Database:
        """Where a model is read or written.

        The default answer is where it lives. What is read outside of pages comes from a copy, if there is one, until
        something is written: then this scope reads what it wrote. Inside a snapshot it comes from where that was taken.

        Raises:
            DatabaseError: The router names a database that there is not, or lets a page read past its trace.
        """
        home = self.named(model._meta.database)
        method = "db_for_write" if writing else "db_for_read"
        alias = ask_router(self._router, method, model)
        if alias is not None:
            if not isinstance(alias, str):
                raise DatabaseError(
                    f"the router's {method}({model.__name__}) gives {alias!r}, which names no database",
                    hint="Let it give an alias, or None.",
                )
            named = self.named(alias)
            if scope.trace is None:
                return named if writing else self._not_behind(named, model)
            if named.place != home.place:
                raise DatabaseError(
                    f"the router reads {model.__name__} from {alias!r} while a page is rendered, and the model is in "
                    f"{home.alias!r}",
                    hint="Set Meta.database: pages remember where their rows are.",
                )
            return home
        copies = self._replicas.get(home.alias)
        if writing or copies is None or scope.trace is not None:
            return home
        return home if _is_held(home) or home.version != scope.seen else next(copies)

    def _not_behind(self, named: Database, model: Any) -> Database:
        """Where a model is read: what the router names, but inside a transaction or a snapshot of the database that
        it writes the model to, this one.

        Whoever writes reads what they wrote; a row that was saved is read back.
        """
        alias = ask_router(self._router, "db_for_write", model)
        written = self.named(model._meta.database if alias is None else alias)
        return written if written is not named and _is_held(written) else named

    # all together

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """A block in which every read sees each database as of one instant."""
        with ExitStack() as stack:
            for database in self.homes:
                stack.enter_context(database.snapshot())
            yield

    @property
    def share_snapshots(self) -> bool:
        """Whether processes can all see one snapshot of each."""
        return all(database.shares_snapshots for database in self.homes)

    def export_snapshots(self) -> dict[str, str]:
        """Names under which other processes enter this thread's snapshots."""
        return {database.alias: database.export_snapshot() for database in self.homes}

    def begin_snapshots(self, names: Mapping[str, str]) -> None:
        """Enter the snapshots of these names."""
        for database in self.homes:
            database.begin_snapshot(names.get(database.alias, ""))

    def forget(self) -> None:
        """See ``Database.forget``."""
        for database in self._found.values():
            database.forget()

    def release(self) -> None:
        """See ``Database.release``."""
        for database in self._found.values():
            database.release()

    def close(self) -> None:
        """Close this thread's connections."""
        for database in self._found.values():
            database.close()

    def close_all(self) -> None:
        """Close the connections of all threads."""
        for database in self._found.values():
            database.close_all()


def _is_held(database: Database) -> bool:
    """Whether this thread reads a database as its transaction, or one instant, has it."""
    return database.transaction is not None or database.in_snapshot


def _make(alias: str, options: Mapping[str, Any], folder: Path) -> Database:
    unknown = options.keys() - OPTIONS
    if alias == DEFAULT or not alias.isidentifier():
        raise SettingError(f"databases.{alias}: a database cannot be called so", hint="Use a plain word.")
    if unknown:
        raise SettingError(
            f"databases.{alias}: unknown option {min(unknown)!r}", hint=did_you_mean(min(unknown), OPTIONS)
        )
    kinds = {"url": str, "read_only": bool, "replica_of": str, "atomic_requests": bool}
    for name, value in options.items():
        if not isinstance(value, kinds[name]):
            raise SettingError(f"databases.{alias}.{name} = {value!r} is no {kinds[name].__name__}")
    if "url" not in options:
        raise SettingError(f"databases.{alias}: there is no url", hint='Write url = "sqlite:///archive.db".')
    if options.get("atomic_requests") and (options.get("read_only") or options.get("replica_of")):
        raise SettingError(
            f"databases.{alias}.atomic_requests: nothing is written there", hint="Leave atomic_requests out."
        )
    return Database(
        options["url"],
        folder=folder,
        alias=alias,
        read_only=options.get("read_only", False),
        replica_of=options.get("replica_of", ""),
        atomic_requests=options.get("atomic_requests", False),
    )


def _refuse_one_file(databases: Iterable[Database]) -> None:
    """Two connections of one thread that write to one file would wait for each other."""
    seen: dict[Path, Database] = {}
    for database in databases:
        if database.path is None or database.read_only:
            continue
        other = seen.setdefault(database.path.resolve(), database)
        if other is not database:
            raise SettingError(
                f"databases.{database.alias} is the file of {other.alias!r}: {database.path}",
                hint="One of them would wait for the other's lock. Give it a file of its own, or read_only = true.",
            )


def living_in(database: Database, models: Iterable[Any]) -> list[Any]:
    """The models whose tables are in a database."""
    return [model for model in models if model._meta.database == database.alias]
