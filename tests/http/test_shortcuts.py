"""Redirects that lead nowhere unsafe, rows or 404, methods or 405."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import MethodNotAllowed

from toolkit.errors import DeclarationError, ImpossibleValue, NotFound, ObjectDoesNotExist, ValidationError
from toolkit.http import Request, Response, get_object_or_404, redirect, require_methods
from toolkit.server.client import make_environ


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_goes_to_a_path(status: int) -> None:
    response = redirect("/town/?a=1#b", status)
    assert (response.status_code, response.headers["Location"]) == (status, "/town/?a=1#b")


def test_a_redirect_is_percent_encoded() -> None:
    assert redirect("/año/%C3%A9").headers["Location"] == "/a%C3%B1o/%C3%A9"


@pytest.mark.parametrize(
    "url",
    [
        "//evil.example",
        "\\\\evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "https:evil.example",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "/a\r\nSet-Cookie: a=b",
        "/a b",
        "\t//evil.example",
        "/a\x00",
        "///evil.example",
        "http://[",
    ],
)
def test_unsafe_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="cannot redirect to") as caught:
        redirect(url)
    assert caught.value.code == "unsafe_redirect"


def test_another_site_needs_a_word() -> None:
    assert redirect("https://other.example/a", external=True).headers["Location"] == "https://other.example/a"
    with pytest.raises(ValidationError, match="its scheme is 'javascript'"):
        redirect("javascript:alert(1)", external=True)
    with pytest.raises(ValidationError, match="it names no host"):
        redirect("https:evil", external=True)


def test_a_status_that_is_no_redirect_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"200 is no redirect\. Use one of 301"):
        redirect("/", 200)


@given(st.text(max_size=30))
def test_whatever_is_let_through_stays_on_this_site(text: str) -> None:
    try:
        target = redirect(text).headers["Location"]
    except ValidationError:
        return
    assert not target.startswith(("//", "\\", "/\\"))
    assert ":" not in target.partition("/")[0].partition("?")[0].partition("#")[0]
    assert target.isascii() and "\n" not in target


class Rows:
    class DoesNotExist(ObjectDoesNotExist):
        pass

    def get(self, **lookups: Any) -> Any:
        if "id" in lookups:
            raise ImpossibleValue("Story.id cannot be compared: it is out of bounds")
        if lookups != {"slug": "flood"}:
            raise self.DoesNotExist("no Story has slug 'x'")
        return "the flood"


class Model:
    objects = Rows()


@pytest.mark.parametrize("source", [Model, Model.objects])
def test_a_row_or_404(source: Any) -> None:
    assert get_object_or_404(source, slug="flood") == "the flood"
    with pytest.raises(NotFound, match="no Story has slug 'x'"):
        get_object_or_404(source, slug="x")
    with pytest.raises(NotFound, match="id cannot be compared"):
        get_object_or_404(source, id=10**30)


def test_other_methods_are_refused() -> None:
    @require_methods("GET")
    def view(request: Request) -> Response:
        return Response("ok")

    assert view(Request(make_environ("/", method="HEAD"))).status_code == 200
    with pytest.raises(MethodNotAllowed, match="405") as caught:
        view(Request(make_environ("/", method="POST")))
    assert caught.value.valid_methods == ["GET", "HEAD"]
