"""A script without comments and spaces does the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.assets.condensing import condense
from toolkit.assets.tokens import iter_tokens


@pytest.mark.parametrize(
    ("script", "small"),
    [
        ("const a  =  1; // why\n/* what */ f( a )", "const a=1;f(a)"),
        ("const s = `a  ${ `in  ner ${ 1 + 2 }` }  b`;", "const s=`a  ${`in  ner ${1+2}`}  b`;"),
        ("const s = `${ /`  /.test(x) }  y`", "const s=`${/`  /.test(x)}  y`"),
        ("typeof /a  b/; throw /a  '/", "typeof/a  b/;throw/a  '/"),
        ("const f = s => /'  a/.test(s); g('x  y')", "const f=s=>/'  a/.test(s);g('x  y')"),
        ("x = function () {} / 2; s = '/  '", "x=function(){}/2;s='/  '"),
        ("function f() {}\n/'  a/.test(x)", "function f(){}\n/'  a/.test(x)"),
        ("1 .toString(); 1.5.toFixed(); a ? .5 : 1", "1 .toString();1.5.toFixed();a? .5:1"),
        ("a + ++b; a++ + b; a - --b; a / /x/", "a+ ++b;a++ +b;a- --b;a/ /x/"),
        ("/a/ in x; 'a' in b; return\"x\"", "/a/ in x;'a'in b;return\"x\""),
        ("let a = 1\nlet b = 2\n\n(f)()\n[1].x", "let a=1\nlet b=2\n(f)()\n[1].x"),
        ("f(\n  a,\n  b\n)\n  .then(\n c)", "f(a,b).then(c)"),
        ("return\n1", "return\n1"),
        ("return /* two\nlines */ 1", "return\n1"),
        ("class A {\n  static\n  a\n  get\n  *b() {}\n}", "class A{static\na\nget\n*b(){}}"),
        ("/*! (c) me */\nf() /* @license MIT */ // x", "/*! (c) me */f()/* @license MIT */"),
        ("#!/usr/bin/env node\nf( )", "#!/usr/bin/env node\nf()"),
        ("const ü = 'é  ñ';  const 中 = 1", "const ü='é  ñ';const 中=1"),
    ],
)  # fmt: skip
def test_spaces_and_comments_go_where_they_mean_nothing(script: str, small: str) -> None:
    assert condense(script) == small
    assert condense(small) == small


@pytest.mark.parametrize("script", ["a <!-- b", "x  = 'never closed", "x  = `never ${ closed", "x = `a${  b }"])
def test_what_cannot_be_read_for_sure_stays_as_it_is(script: str) -> None:
    assert condense(script) == script


PARTS = [
    "a",
    "1",
    ".5",
    "+",
    "++",
    "/",
    "/r/",
    "'s",
    "",
    "'",
    "`t`",
    "in",
    "(",
    ")",
    "{",
    "}",
    "?",
    ".",
    "`${",
    "}`",
    ";",
    "/*c*/",
    "return",
    "function",
    "=>",
    "<",
    "!",
]


@given(st.lists(st.sampled_from([*PARTS, " ", "\n", "//c\n"])))
def test_no_script_reads_otherwise_than_before(parts: list[str]) -> None:
    script = "".join(parts)
    assert [token.text for token in iter_tokens(condense(script))] == [token.text for token in iter_tokens(script)]
