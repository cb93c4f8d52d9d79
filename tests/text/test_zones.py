"""Time zones as tables say what Python's zones say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.text.zones import CYCLE, EPOCH, REPEATED, SECOND, zone_key, zone_of, zone_table

NAMES = ["Europe/Madrid", "America/New_York", "Africa/Casablanca", "Asia/Manila", "Australia/Lord_Howe"]


@settings(max_examples=200)
@given(name=st.sampled_from(NAMES), seconds=st.integers(-62_000_000_000, 253_000_000_000))
def test_a_table_has_the_offset_of_every_instant(name: str, seconds: int) -> None:
    end = (REPEATED - EPOCH) // SECOND + CYCLE
    known = seconds if seconds < end else end - CYCLE + (seconds - end) % CYCLE
    expected = (EPOCH + seconds * SECOND).astimezone(ZoneInfo(name)).utcoffset()
    assert zone_table(name).offset(known) * SECOND == expected


def test_local_changes_are_those_of_what_is_meant_the_first_time() -> None:
    table = zone_table("Europe/Madrid")
    end = (datetime(2026, 10, 25, 1, tzinfo=UTC) - EPOCH) // SECOND
    start = (datetime(2026, 3, 29, 1, tzinfo=UTC) - EPOCH) // SECOND
    local = dict(zip(table.changes, table.local_changes, strict=True))
    assert local[start] - start == 7200  # up to 03:00, what is skipped is counted in winter time
    assert local[end] - end == 7200  # and up to the second 03:00, what comes twice in summer time


def test_days_go_on_but_where_clocks_were_put_back_across_midnight() -> None:
    assert zone_table("Europe/Madrid").keeps_days
    assert not zone_table("America/St_Johns").keeps_days
    assert zone_table(3600).keeps_days


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-3, minutes=-30)), ZoneInfo("Asia/Tokyo")], ids=str)
def test_a_key_names_a_zone(zone: tzinfo) -> None:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    assert zone_of(zone_key(zone)).utcoffset(moment) == zone.utcoffset(moment)
    assert zone_key(ZoneInfo("UTC")) == zone_key(UTC) == 0


def test_a_zone_of_another_kind_has_no_key() -> None:
    class Odd(tzinfo):
        """A zone that nobody else knows."""

    with pytest.raises(ValueError, match="is no ZoneInfo with a name, nor a fixed offset"):
        zone_key(Odd())
