"""A request: limits, hosts, and what the server tells it."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from toolkit.http import Request
from toolkit.server.client import make_environ
from toolkit.trace import PREVIEW, READER


def ask(path: str = "/", **options: Any) -> Request:
    return Request(make_environ(path, **options))


def test_values_of_the_query_are_text() -> None:
    assert ask("/?q=caf%C3%A9&q=2").args.getlist("q") == ["café", "2"]


def test_a_form_is_read() -> None:
    request = ask(method="POST", body=b"name=In%C3%A9s", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert request.form["name"] == "Inés"


def test_json_is_read_and_what_is_none_is_refused() -> None:
    headers = {"Content-Type": "application/json"}
    assert ask(method="POST", body=b'{"a": 1}', headers=headers).json == {"a": 1}
    with pytest.raises(BadRequest, match="400"):
        _ = ask(method="POST", body=b"{", headers=headers).json


def test_a_body_over_the_limit_is_refused() -> None:
    request = ask(method="POST", body=b"x", headers={"Content-Length": str(17 * 1024 * 1024)})
    with pytest.raises(RequestEntityTooLarge, match="413"):
        request.get_data()


def test_a_form_with_too_many_fields_is_refused() -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    request = ask(method="POST", body=part * 1001 + b"--b--\r\n", headers=headers)
    with pytest.raises(RequestEntityTooLarge, match="413"):
        _ = request.form


def test_a_form_field_over_the_limit_is_refused() -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    request = ask(method="POST", body=b"a=" + b"x" * (1024 * 1024), headers=headers)
    with pytest.raises(RequestEntityTooLarge, match="413"):
        _ = request.form


def test_a_form_with_too_many_short_fields_is_refused() -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    with pytest.raises(RequestEntityTooLarge, match="413"):
        _ = ask(method="POST", body=b"a=1&" * 1000, headers=headers).form
    assert len(ask(method="POST", body=b"&".join([b"a=1"] * 1000), headers=headers).form.getlist("a")) == 1000


def test_a_host_that_is_not_ours_is_refused() -> None:
    request = ask(host="evil.example")
    request.trusted_hosts = ["bay.example"]
    with pytest.raises(BadRequest, match="not trusted"):
        _ = request.url


def test_outside_of_a_site_a_request_belongs_to_a_reader() -> None:
    assert (ask().site, ask().locale, ask().viewer) == (None, "", READER)


def test_the_server_says_where_a_request_is() -> None:
    request = Request({**make_environ("/"), "toolkit.locale": "es", "toolkit.viewer": PREVIEW})
    assert (request.locale, request.viewer) == ("es", PREVIEW)
