"""Responses, and that no header can be split."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

import toolkit.http
from toolkit.http import Response
from toolkit.i18n.lazy import LazyText


def test_all_names_are_there() -> None:
    assert {name for name in toolkit.http.__all__ if getattr(toolkit.http, name).__name__ == name} == set(
        toolkit.http.__all__
    )


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match=r"'toolkit\.http' has no attribute 'Respnse'"):
        _ = toolkit.http.Respnse


def test_importing_the_package_imports_no_werkzeug() -> None:
    code = (
        "import sys, types\n"
        f"package = types.ModuleType('toolkit'); package.__path__ = [{str(Path(toolkit.__file__).parent)!r}]\n"
        "sys.modules['toolkit'] = package\n"
        "import toolkit.http\nassert 'werkzeug' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_text_is_html_unless_told_otherwise() -> None:
    assert Response("a").headers["Content-Type"] == "text/html; charset=utf-8"
    assert Response("a", mimetype="text/csv").headers["Content-Type"] == "text/csv; charset=utf-8"


def test_json_takes_what_models_hold() -> None:
    data = {
        "at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        "on": date(2026, 1, 2),
        "price": Decimal("1.50"),
        "id": UUID(int=1),
        "name": "Inés",
        "label": LazyText("Town"),
    }
    response = Response.json(data, status=201, headers={"X-Count": "1"})
    assert response.get_data(as_text=True) == (
        '{"at":"2026-01-02T03:04:00+00:00","on":"2026-01-02","price":"1.50",'
        '"id":"00000000-0000-0000-0000-000000000001","name":"Inés","label":"Town"}'
    )
    assert (response.status_code, response.headers["X-Count"]) == (201, "1")
    assert response.headers["Content-Type"] == "application/json"


def test_json_says_what_it_cannot_take() -> None:
    with pytest.raises(TypeError, match=r"Path\('a'\).*has no form in JSON"):
        Response.json({"a": Path("a")})
    with pytest.raises(ValueError, match="not JSON compliant"):
        Response.json(float("nan"))


def test_a_template_is_held_until_the_server_renders_it() -> None:
    response = Response.template("search.html", status=202, words="a", name="b")
    assert (response.name, response.context, response.status_code) == ("search.html", {"words": "a", "name": "b"}, 202)


def test_a_download_has_a_name_in_any_script() -> None:
    response = Response.file("a.csv", download_name="año.csv")
    assert "filename*=UTF-8''a%C3%B1o.csv" in response.headers["Content-Disposition"]


def test_a_header_with_a_line_break_is_refused() -> None:
    with pytest.raises(ValueError, match="newline"):
        Response("a", headers={"X-A": "1\r\nSet-Cookie: a=b"})
    with pytest.raises(ValueError, match="newline"):
        Response("a").headers["Location"] = "/\n"
