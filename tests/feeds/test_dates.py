from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

from hypothesis import given
from hypothesis import strategies as st

from toolkit.feeds.dates import format_rfc822, is_rfc822, is_rfc3339

moments = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0))


@given(moments)
def test_rss_dates_are_those_of_mail(moment: datetime) -> None:
    assert format_rfc822(moment) == format_datetime(moment)
    assert is_rfc822(format_rfc822(moment))


@given(moments)
def test_atom_dates_are_those_of_python(moment: datetime) -> None:
    assert is_rfc3339(moment.isoformat())


def test_dates_must_exist_and_say_their_zone() -> None:
    assert is_rfc3339("2026-02-28T23:00:00.5z") and is_rfc3339("2026-02-28T23:00:00+01:00")
    assert not is_rfc3339("2026-02-30T23:00:00Z") and not is_rfc3339("2026-02-28 23:00:00Z")
    assert not is_rfc3339("2026-02-28T25:00:00Z") and not is_rfc3339("2026-02-28T23:00:00")
    assert is_rfc822("28 Feb 2026 23:00 GMT") and is_rfc822("Sat, 28 Feb 2026 23:00:00 -0500")
    assert not is_rfc822("30 Feb 2026 23:00 GMT") and not is_rfc822("Sun, 28 Feb 2026 23:00:00 GMT")
    assert not is_rfc822("Sat, 28 Feb 26 23:00:00 GMT") and not is_rfc822("Sat, 28 Feb 2026 24:00:00 GMT")
