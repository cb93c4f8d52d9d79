"""The SQLite file as a GeoPackage: opened by plain sqlite3 and by GDAL."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import shapely

from toolkit.errors import GeometryError
from toolkit.gis.codec import encode
from toolkit.gis.geopackage import APPLICATION_ID, check, index_name, install, rebuild, uninstall

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(tmp_path / "site.db")
    opened.execute('CREATE TABLE place (id INTEGER PRIMARY KEY, name TEXT, "the shape" GEOMETRY)')
    install(opened, "place", "the shape", last_change=MOMENT)
    yield opened
    opened.close()


def put(connection: sqlite3.Connection, key: int, geometry: shapely.Geometry | None) -> None:
    blob = encode(geometry, 4326) if geometry is not None else None
    connection.execute("INSERT INTO place VALUES (?, ?, ?)", (key, f"place {key}", blob))


def indexed(connection: sqlite3.Connection) -> list[tuple[float, ...]]:
    return connection.execute('SELECT * FROM "rtree_place_the shape" ORDER BY id').fetchall()


def test_the_file_carries_geopackage_s_mark(connection: sqlite3.Connection) -> None:
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    connection.commit()
    file = connection.execute("PRAGMA database_list").fetchone()[2]
    assert Path(file).read_bytes()[68:72] == b"GPKG"


def test_the_index_follows_every_write(connection: sqlite3.Connection) -> None:
    put(connection, 1, shapely.Point(1, 2))
    put(connection, 2, None)
    put(connection, 3, shapely.Point())
    assert indexed(connection) == [(1, 1, 1, 2, 2)]
    connection.execute('UPDATE place SET "the shape" = ? WHERE id = 2', (encode(shapely.box(3, 4, 5, 6), 4326),))
    assert indexed(connection) == [(1, 1, 1, 2, 2), (2, 3, 5, 4, 6)]
    connection.execute("UPDATE place SET id = 9 WHERE id = 2")
    assert [row[0] for row in indexed(connection)] == [1, 9]
    connection.execute('UPDATE place SET "the shape" = NULL WHERE id = 9')
    connection.execute('UPDATE place SET "the shape" = ? WHERE id = 1', (encode(shapely.Point(7, 8), 4326),))
    assert indexed(connection) == [(1, 7, 7, 8, 8)]
    connection.execute("DELETE FROM place")
    assert indexed(connection) == []


def test_an_upsert_keeps_the_index(connection: sqlite3.Connection) -> None:
    """GeoPackage 1.3's triggers fail here: the outer statement's conflict policy replaces theirs."""
    put(connection, 1, shapely.Point(1, 2))
    connection.execute(
        "INSERT INTO place VALUES (1, 'again', ?)"
        ' ON CONFLICT (id) DO UPDATE SET name = excluded.name, "the shape" = excluded."the shape"',
        (encode(shapely.Point(5, 6), 4326),),
    )
    connection.execute("INSERT OR REPLACE INTO place VALUES (1, 'x', ?)", (encode(shapely.Point(8, 9), 4326),))
    assert indexed(connection) == [(1, 8, 8, 9, 9)]


def test_installing_again_changes_nothing(connection: sqlite3.Connection) -> None:
    put(connection, 1, shapely.Point(1, 2))
    connection.commit()
    before = connection.execute("SELECT * FROM sqlite_master").fetchall()
    install(connection, "place", "the shape", last_change=datetime(2030, 1, 1, tzinfo=UTC))
    assert connection.execute("SELECT * FROM sqlite_master").fetchall() == before
    assert connection.execute("SELECT last_change FROM gpkg_contents").fetchall() == [("2026-01-02T03:04:05.000Z",)]


def test_an_index_whose_triggers_were_lost_is_filled_again(connection: sqlite3.Connection) -> None:
    put(connection, 1, shapely.Point(1, 2))
    connection.execute('DROP TRIGGER "rtree_place_the shape_insert"')
    put(connection, 2, shapely.Point(3, 4))
    found = check(connection)
    assert [str(problem).split(". ")[0] for problem in found] == [
        "the spatial index of place.the shape has lost triggers",
        "the spatial index of place.the shape misses 1 row",
    ]
    install(connection, "place", "the shape")
    assert len(indexed(connection)) == 2
    assert check(connection) == []


def test_a_rebuilt_table_gets_its_index_back(connection: sqlite3.Connection) -> None:
    put(connection, 1, shapely.Point(1, 2))
    connection.execute('CREATE TABLE new (id INTEGER PRIMARY KEY, "the shape" GEOMETRY)')
    connection.execute('INSERT INTO new SELECT id + 5, "the shape" FROM place')
    connection.execute("DROP TABLE place")
    connection.execute("ALTER TABLE new RENAME TO place")
    install(connection, "place", "the shape")
    assert indexed(connection) == [(6, 1, 1, 2, 2)]


def test_rebuild_fills_what_somebody_emptied(connection: sqlite3.Connection) -> None:
    put(connection, 1, shapely.Point(1, 2))
    connection.execute('DELETE FROM "rtree_place_the shape"')
    assert "misses 1 row" in str(check(connection)[0])
    rebuild(connection, "place", "the shape")
    assert check(connection) == []


def test_uninstalling_leaves_the_table_alone(connection: sqlite3.Connection) -> None:
    put(connection, 1, shapely.Point(1, 2))
    uninstall(connection, "place", "the shape")
    uninstall(connection, "place", "the shape")
    assert connection.execute("SELECT count(*) FROM place").fetchone() == (1,)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'rtree%'")}
    assert names == set()
    put(connection, 2, shapely.Point(1, 2))


def test_the_index_is_used(connection: sqlite3.Connection) -> None:
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT * FROM place WHERE id IN"
        ' (SELECT id FROM "rtree_place_the shape" WHERE maxx >= 0 AND minx <= 1 AND maxy >= 0 AND miny <= 1)'
    ).fetchall()
    told = " ".join(row[3] for row in plan)
    assert "VIRTUAL TABLE INDEX 2:" in told
    assert "SEARCH place USING INTEGER PRIMARY KEY" in told


def test_a_connection_without_the_functions_reads_and_deletes_and_cannot_break_the_index(
    connection: sqlite3.Connection,
) -> None:
    put(connection, 1, shapely.Point(1, 2))
    put(connection, 2, shapely.Point(1, 2))
    connection.commit()
    plain = sqlite3.connect(connection.execute("PRAGMA database_list").fetchone()[2])
    plain.execute("DELETE FROM place WHERE id = 2")
    with pytest.raises(sqlite3.OperationalError, match="no such function: ST_IsEmpty"):
        plain.execute("UPDATE place SET name = 'renamed'")
    with pytest.raises(sqlite3.OperationalError, match="no such function: ST_IsEmpty"):
        plain.execute("INSERT INTO place VALUES (3, 'x', ?)", (encode(shapely.Point(1, 2), 4326),))
    plain.commit()
    plain.close()
    assert check(connection) == []


def test_a_second_geometry_column_is_indexed_and_not_registered(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE place ADD COLUMN area POLYGON")
    install(connection, "place", "area", geometry_type="POLYGON")
    connection.execute("INSERT INTO place (id, area) VALUES (1, ?)", (encode(shapely.box(0, 0, 1, 1), 4326),))
    assert connection.execute("SELECT column_name FROM gpkg_geometry_columns").fetchall() == [("the shape",)]
    assert connection.execute(f"SELECT count(*) FROM {index_name('place', 'area')}").fetchone() == (1,)
    assert check(connection) == []


@pytest.mark.parametrize(
    "ddl, column, complaint",
    [
        ("CREATE TABLE t (id TEXT PRIMARY KEY, g)", "g", "needs one INTEGER PRIMARY KEY"),
        ("CREATE TABLE t (a INT, b INT, g, PRIMARY KEY (a, b))", "g", "needs one INTEGER PRIMARY KEY"),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY)", "g", "has no column 'g'"),
        ("CREATE TABLE other (id)", "g", "there is no table 't'"),
    ],
)
def test_a_table_that_cannot_carry_geometry_is_refused(ddl: str, column: str, complaint: str) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute(ddl)
    with pytest.raises(GeometryError, match=complaint):
        install(connection, "t", column)
    connection.close()


def test_another_program_s_file_is_refused() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, g)")
    connection.execute("PRAGMA application_id = 77")
    with pytest.raises(GeometryError, match="carries the application id 0x4d"):
        install(connection, "t", "g")
    with pytest.raises(GeometryError, match="'CIRCLE' is not a geometry type"):
        install(connection, "t", "g", geometry_type="CIRCLE")
    connection.close()


class WithoutRTree(sqlite3.Connection):
    """What a SQLite built without the module answers."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if "USING rtree" in sql:
            raise sqlite3.OperationalError("no such module: rtree")
        return super().execute(sql, *parameters)


def test_a_sqlite_without_r_trees_is_told_what_to_do() -> None:
    connection = sqlite3.connect(":memory:", factory=WithoutRTree)
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, g)")
    with pytest.raises(GeometryError, match=r"built without R\*Tree. Set spatial_index=False on t\.g"):
        install(connection, "t", "g")
    install(connection, "t", "g", spatial_index=False)
    connection.execute("INSERT INTO t (g) VALUES (?)", (encode(shapely.Point(1, 2), 4326),))
    connection.close()


@pytest.mark.skipif(not shutil.which("ogrinfo"), reason="GDAL's ogrinfo is not installed (apt-get install gdal-bin)")
def test_gdal_opens_the_database_and_uses_the_index(connection: sqlite3.Connection) -> None:
    for key in range(1, 200):
        put(connection, key, shapely.Point(key / 10, key / 20))
    connection.commit()
    file = connection.execute("PRAGMA database_list").fetchone()[2]
    renamed = Path(file).with_suffix(".gpkg")
    connection.execute("VACUUM INTO ?", (str(renamed),))
    command = ["ogrinfo", "-ro", "-al", "-spat", "0.95", "0", "1.25", "9", str(renamed), "place"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Feature Count: 3" in told.stdout
    assert "POINT (1.1 0.55)" in told.stdout
    assert 'ID["EPSG",4326]' in told.stdout
    assert "Geometry Column = the shape" in told.stdout
    ask = ["ogrinfo", "-ro", "-sql", "SELECT HasSpatialIndex('place', 'the shape') AS yes", str(renamed)]
    assert "= 1" in subprocess.run(ask, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(not shutil.which("ogrinfo"), reason="GDAL's ogrinfo is not installed (apt-get install gdal-bin)")
def test_gdal_writes_and_the_index_follows(connection: sqlite3.Connection) -> None:
    connection.commit()
    file = connection.execute("PRAGMA database_list").fetchone()[2]
    target = Path(file).with_suffix(".gpkg")
    connection.execute("VACUUM INTO ?", (str(target),))
    source = target.with_suffix(".csv")
    source.write_text("name,WKT\nfrom GDAL,POINT (3 4)\n")
    options = ["-append", "-nln", "place", "-oo", "GEOM_POSSIBLE_NAMES=WKT", "-a_srs", "EPSG:4326"]
    subprocess.run(["ogr2ogr", *options, str(target), str(source)], capture_output=True, text=True, check=True)
    written = sqlite3.connect(target)
    assert written.execute('SELECT * FROM "rtree_place_the shape"').fetchall() == [(1, 3, 3, 4, 4)]
    assert check(written) == []
    written.close()


def test_a_value_that_is_no_geometry_is_named(connection: sqlite3.Connection) -> None:
    connection.execute('DROP TRIGGER "rtree_place_the shape_insert"')
    connection.execute("INSERT INTO place VALUES (7, 'SpatiaLite', x'0001E6100000')")
    (_, problem) = check(connection)
    assert "place.the shape of the row with id 7 is no geometry" in str(problem)
