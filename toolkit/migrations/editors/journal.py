"""How far a migration got, on a database that cannot take back a change of its tables.

MariaDB and MySQL commit at every statement that changes a table, so a migration that is killed leaves some of its
steps done. Each step is therefore noted before it is taken, with a digest of the tables that it may change as they are
then: whoever comes back sees by the digest whether the step was taken or not (a single statement is atomic there), and
goes on behind it. Steps that change rows are noted in the transaction that changes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from toolkit.errors import DatabaseUnavailable, MigrationError

TABLE = "toolkit_migration_step"
TITLE_LENGTH = 200
"""How many characters of what an operation does are kept."""

Key = tuple[str, str]


@dataclass(frozen=True)
class Progress:
    """Where a migration stopped.

    Args:
        app: The label of its app.
        name: Its name.
        backwards: Whether it was being undone.
        operation: The number of the operation that was begun, from 0.
        title: What that operation does.
        step: How many steps of it were done.
    """

    app: str
    name: str
    backwards: bool
    operation: int
    title: str
    step: int

    def __str__(self) -> str:
        verb = "reversed" if self.backwards else "applied"
        part = f", of which {self.step} {'step is' if self.step == 1 else 'steps are'} done" if self.step else ""
        return (
            f"{self.app}.{self.name} is half {verb}: {self.operation} of its operations are done; "
            f"the next is {self.title!r}{part}"
        )


class Journal:
    """Takes steps, and notes each.

    Attributes:
        is_resuming: Whether the next step was taken by a run that was interrupted.
    """

    is_resuming: bool = False

    def change(self, step: Callable[[], object], *, sql: str = "") -> None:
        """Take a step that changes tables.

        Args:
            step: It.
            sql: The statement that it runs; empty if that may change other tables than it names.
        """
        raise TypeError(f"{type(self).__name__} must define change()")

    def write(self, step: Callable[[], object]) -> None:
        """Take a step that changes rows."""
        raise TypeError(f"{type(self).__name__} must define write()")


class NoJournal(Journal):
    """For a database that takes everything back when it fails."""

    def change(self, step: Callable[[], object], *, sql: str = "") -> None:
        step()

    def write(self, step: Callable[[], object]) -> None:
        step()


class StepJournal(Journal):
    """Notes the steps of one migration in the database.

    Args:
        database: Where.
        key: The migration.
        backwards: Whether it is undone.
        titles: What its operations do, in the order in which they are done.
        digest: Makes a digest of the tables that a statement may change.
        was_taken: Tells by such a digest whether the statement was run.
    """

    def __init__(
        self,
        database: Any,
        key: Key,
        *,
        backwards: bool,
        titles: list[str],
        digest: Callable[[str], str],
        was_taken: Callable[[str], bool],
    ) -> None:
        self._database, self._key, self._backwards = database, key, backwards
        self._titles, self._digest, self._was_taken = titles, digest, was_taken
        self._operation = self._step = 0
        self._done = (0, 0)

    def open(self) -> None:
        """Read what an interrupted run noted.

        Raises:
            MigrationError: It was going the other way, or the file was changed since.
        """
        prepare(self._database)
        found = read_progress(self._database, self._key, was_taken=self._was_taken)
        if found is None:
            return
        if found.backwards is not self._backwards:
            raise MigrationError(str(found), hint="Finish it in the direction in which it was going.")
        if found.operation < len(self._titles) and self._titles[found.operation][:TITLE_LENGTH] != found.title:
            raise MigrationError(
                f"{found}, and in its file that operation is now {self._titles[found.operation]!r}",
                hint="Restore the file, apply it, and make another migration for what changed.",
            )
        self._done = (found.operation, found.step)

    @property
    def is_resuming(self) -> bool:  # type: ignore[override]  # a fact of the class for other journals
        return (self._operation, self._step) < self._done

    def is_past(self, operation: int) -> bool:
        """Whether a run that was interrupted had done an operation."""
        return self._done[0] > operation

    def begin(self, operation: int) -> bool:
        """Begin an operation. False when it was done before."""
        self._operation, self._step = operation, 0
        if operation and self._done < (operation, 0):
            self._note(0, "")
        return self._done[0] <= operation

    def change(self, step: Callable[[], object], *, sql: str = "") -> None:
        if not self.is_resuming:
            self._note(self._step, self._digest(sql))
            try:
                step()
            except DatabaseUnavailable:  # it may have been taken: the digest will tell
                raise
            except Exception:
                self._not_taken()
                raise
        self._step += 1

    def _not_taken(self) -> None:
        """Note for certain that the step was not taken, whatever is mended meanwhile."""
        if self.has_begun:
            self._note(self._step, "")
        else:
            self.close()

    def write(self, step: Callable[[], object]) -> None:
        if not self.is_resuming:
            with self._database.atomic():
                step()
                self._note(self._step + 1, "")
        self._step += 1

    def close(self) -> None:
        """Forget the steps: the migration is done."""
        forget_progress(self._database, self._key)

    def where(self) -> str:
        """What stands, for somebody who has to mend the rest."""
        total, number, steps = len(self._titles), self._operation, self._step
        done = [f"operation 1 of {total}" if number == 1 else f"operations 1 to {number} of {total}"] if number else []
        done += [f"{steps} {'step' if steps == 1 else 'steps'} of operation {number + 1}"] if steps else []
        verb = "stands" if number + steps == 1 or not done else "stand"
        stands = " and ".join(done) or "nothing of it"
        return f"{self._database.dialect} cannot take back changes of tables: {stands} {verb}"

    @property
    def has_begun(self) -> bool:
        """Whether anything was done."""
        return (self._operation, self._step) > (0, 0)

    def _note(self, step: int, digest: str) -> None:
        title = self._titles[self._operation]
        note_progress(
            self._database, Progress(*self._key, self._backwards, self._operation, title, step), digest=digest
        )


def prepare(database: Any) -> None:
    """Make the table of steps, where it is not there."""
    database.execute(
        f"CREATE TABLE IF NOT EXISTS {TABLE} (app VARCHAR(100) NOT NULL, name VARCHAR(200) NOT NULL, "
        "backwards INTEGER NOT NULL, operation INTEGER NOT NULL, title VARCHAR(200) NOT NULL, "
        "step INTEGER NOT NULL, tables VARCHAR(80) NOT NULL, PRIMARY KEY (app, name))"
    )


def note_progress(database: Any, progress: Progress, *, digest: str = "") -> None:
    """Write down where a migration is.

    Args:
        database: Where.
        progress: The next operation, and how many of its steps are done.
        digest: Of the tables that the next step may change, before it; empty when it was certainly not taken.
    """
    if database.dialect != "mysql":
        forget_progress(database, (progress.app, progress.name))
    verb = "REPLACE" if database.dialect == "mysql" else "INSERT"  # where nothing holds two statements together
    marks = ", ".join([_mark(database)] * 7)
    values = (progress.app, progress.name, int(progress.backwards), progress.operation, progress.title[:TITLE_LENGTH])
    database.execute(
        f"{verb} INTO {TABLE} (app, name, backwards, operation, title, step, tables) VALUES ({marks})",
        (*values, progress.step, digest),
    )


def read_progress(database: Any, key: Key, *, was_taken: Callable[[str], bool]) -> Progress | None:
    """Where an interrupted migration is, or None."""
    return next((one for one in read_all_progress(database, was_taken=was_taken) if (one.app, one.name) == key), None)


def read_all_progress(database: Any, *, was_taken: Callable[[str], bool]) -> list[Progress]:
    """All migrations that were interrupted.

    Args:
        database: Where.
        was_taken: Tells by the digest that was noted before a step whether it was taken.
    """
    if not database.has_table(TABLE):
        return []
    rows = database.fetch(f"SELECT app, name, backwards, operation, title, step, tables FROM {TABLE}")  # noqa: S608 - a constant
    found = []
    for app, name, backwards, operation, title, step, tables in rows:
        taken = bool(tables) and was_taken(tables)
        if operation or step + taken:
            found.append(Progress(app, name, bool(backwards), operation, title, step + taken))
    return found


def forget_progress(database: Any, key: Key) -> None:
    """Forget where a migration was."""
    mark = _mark(database)
    database.execute(f"DELETE FROM {TABLE} WHERE app = {mark} AND name = {mark}", key)  # noqa: S608 - constants


def _mark(database: Any) -> str:
    return "?" if database.dialect == "sqlite" else "%s"
