"""Migrations: the tables follow the models, step by step, in files that people read and keep.

A migration file reads::

    from toolkit import migrations, models

    class Migration(migrations.Migration):
        dependencies = [("newsroom", "0001_initial")]
        operations = [
            migrations.AddField(model_name="Story", name="kicker", field=models.CharField(max_length=80, blank=True)),
        ]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.migrations.checking import check, check_files
    from toolkit.migrations.commands import (
        MigrationStatus,
        apply,
        create_tables,
        merge,
        plan,
        prune,
        rebase,
        show,
        sql,
        squash,
    )
    from toolkit.migrations.executor import Step
    from toolkit.migrations.graph import LoadedMigration
    from toolkit.migrations.loader import App, Migration
    from toolkit.migrations.making import make, optimized, update
    from toolkit.migrations.operations.alterations import AddField, AlterField, RemoveField, RenameField
    from toolkit.migrations.operations.inheriting import AddParent, RemoveParent
    from toolkit.migrations.operations.items import AddConstraint, AddIndex, RemoveConstraint, RemoveIndex, RenameIndex
    from toolkit.migrations.operations.keys import AlterPrimaryKey
    from toolkit.migrations.operations.models import AlterModelTable, CreateModel, DeleteModel, RenameModel
    from toolkit.migrations.operations.operation import Operation
    from toolkit.migrations.operations.options import (
        AlterModelBases,
        AlterModelManagers,
        AlterModelOptions,
        AlterModelTableComment,
    )
    from toolkit.migrations.operations.special import HistoricalModels, RunPython, RunSQL, SeparateDatabaseAndState
    from toolkit.migrations.places import migrated_databases
    from toolkit.migrations.writer import WrittenMigration

__all__ = [
    "update",
    "squash",
    "sql",
    "rebase",
    "prune",
    "optimized",
    "merge",
    "check_files",
    "AddConstraint",
    "AddField",
    "AddIndex",
    "AddParent",
    "AlterField",
    "AlterModelBases",
    "AlterModelManagers",
    "AlterModelOptions",
    "AlterModelTable",
    "AlterModelTableComment",
    "AlterPrimaryKey",
    "App",
    "CreateModel",
    "DeleteModel",
    "HistoricalModels",
    "LoadedMigration",
    "Migration",
    "MigrationStatus",
    "Operation",
    "RemoveConstraint",
    "RemoveField",
    "RemoveIndex",
    "RemoveParent",
    "RenameField",
    "RenameIndex",
    "RenameModel",
    "RunPython",
    "RunSQL",
    "SeparateDatabaseAndState",
    "Step",
    "WrittenMigration",
    "apply",
    "check",
    "create_tables",
    "make",
    "migrated_databases",
    "plan",
    "show",
]

__getattr__ = names_from(
    __name__,
    {
        "checking": ["check", "check_files"],
        "commands": [
            "MigrationStatus",
            "apply",
            "create_tables",
            "merge",
            "plan",
            "prune",
            "rebase",
            "show",
            "sql",
            "squash",
        ],
        "executor": ["Step"],
        "graph": ["LoadedMigration"],
        "loader": ["App", "Migration"],
        "making": ["make", "optimized", "update"],
        "operations.alterations": ["AddField", "AlterField", "RemoveField", "RenameField"],
        "operations.inheriting": ["AddParent", "RemoveParent"],
        "operations.items": ["AddConstraint", "AddIndex", "RemoveConstraint", "RemoveIndex", "RenameIndex"],
        "operations.keys": ["AlterPrimaryKey"],
        "operations.models": ["AlterModelTable", "CreateModel", "DeleteModel", "RenameModel"],
        "operations.operation": ["Operation"],
        "operations.options": ["AlterModelBases", "AlterModelManagers", "AlterModelOptions", "AlterModelTableComment"],
        "operations.special": ["HistoricalModels", "RunPython", "RunSQL", "SeparateDatabaseAndState"],
        "places": ["migrated_databases"],
        "writer": ["WrittenMigration"],
    },
)
