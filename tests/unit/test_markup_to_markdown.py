"""Jira's wiki markup as GitLab's Markdown, construct by construct."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from markup_texts import faults_for_gitlab

from requests_sync.foreign_text import drop_controls, quote_for_gitlab
from requests_sync.markup import conversion, to_markdown, words_of_markdown, words_of_wiki
from requests_sync.markup.conversion import LONGEST
from requests_sync.markup.wiki_blocks import read_wiki

HOST = "gitlab.hospital.example"


def converted(wiki: str) -> str:
    """Return the conversion without the quotation around it."""
    lines = to_markdown(wiki, gitlab_host=HOST).split("\n")
    assert all(line == ">" or line.startswith("> ") for line in lines)
    return "\n".join(line[2:] for line in lines)


@pytest.mark.parametrize(
    ("wiki", "markdown"),
    [
        ("h1. Titre", "# Titre"),
        ("h6. Résumé # 2", "###### Résumé \\# 2"),
        ("un *gras*, une _note_", "un **gras**, une *note*"),
        ("-barré- et +ajouté+", "~~barré~~ et <ins>ajouté</ins>"),
        ("10 m^2^ et H~2~O, x^ab^", "10 m<sup>2</sup> et H<sub>2</sub>O, `x^ab^`"),
        ("a ^b^ c ~d~", "a <sup>b</sup> c <sub>d</sub>"),
        ("un{*}deux{*}trois", "un**deux**trois"),
        ("_*les deux*_", "***les deux***"),
        ("2 * 3 * 4 et a_b_c - d", "2 \\* 3 \\* 4 et a\\_b\\_c - d"),
        ("*sans fin", "\\*sans fin"),
        ("{{x = `y`}}", "`` x = `y` ``"),
        ("{{{}Foo{}}} {{a\\{b\\}}}", "`Foo` `a{b}`"),
        ("{{a}}{{b}}", "`a b`"),
        ("bq. cité", "> cité"),
        ("avant {quote}dedans{quote} après", "avant\n\n> dedans\n\naprès"),
        ("{quote}sans fin", "> sans fin"),
        ("{panel:title=Note|bgColor=#FFF}texte{panel}", "> **Note**\n>\n> texte"),
        ("{code:java}\nint é;\n{code}", "```java\nint é;\n```"),
        ("{code:title=a.py|python}\nx\n{code}", "**a.py**\n\n```python\nx\n```"),
        ("a{code}b{code}c", "a\n\n```\nb\n```\n\nc"),
        ("{code:mermaid}\nx\n{code}", "```\nx\n```"),
        ("{noformat}\n```\n*x* {color}\n{noformat}", "````\n```\n*x* {color}\n````"),
        ("{code}sans fin", "{code}sans fin"),
        ("{color:#f00}rouge{color} suite", "rouge suite"),
        ("{anchor:ici}là", "là"),
        ("{jira:key=A-1|x}", "{jira:key=A-1\\|x}"),
        ("* a\n** b\n** c\n* d", "- a\n  - b\n  - c\n- d"),
        ("*\n** a", "- - a"),
        ("# a\n#* b\n# c", "1. a\n   - b\n2. c"),
        ("- a\nsuite\n- b", "- a\\\n  suite\n- b"),
        ("# a\n{code}\nx\n{code}\n# b", "1. a\n\n   ```\n   x\n   ```\n2. b"),
        ("* a\n\n* b", "- a\n\n* b"),
        ("||h||i||\n|a|b|", "| h | i |\n| --- | --- |\n| a | b |"),
        ("||h|a|\n||i|b|", "|  |  |\n| --- | --- |\n| **h** | a |\n| **i** | b |"),
        ("|a\\|b|[x|http://y.z]|", "|  |  |\n| --- | --- |\n| a\\\\|b | [x](<http://y.z>) |"),
        ("|{{a}}{code}b|c{code}|", "|  |\n| --- |\n| `a` `b\\|c` |"),
        ("[texte|http://x.y/?a=1&b=2]", "[texte](<http://x.y/?a=1\\&b=2>)"),
        ("[http://x.y] http://x.y/z.", "<http://x.y> <http://x.y/z>."),
        ("[a|http://x.y|smart-link]", "[a](<http://x.y>)"),
        ("http://x.y/#s", "[`http://x.y/#s`](<http://x.y/#s>)"),
        ("[a|mailto:a@b.fr]", "[a](<mailto:a@b.fr>)"),
        ("[a|javascript:alert(1)]", "a (`javascript:alert(1)`)"),
        ("[1] et [mot]", "\\[1\\] et \\[mot\\]"),
        ("[^rapport final.pdf] [~jdupont]", "`rapport final.pdf` `jdupont`"),
        ("!plan.png|width=300! oui!", "`plan.png` oui\\!"),
        ("![a|http://x.y]", "\\![a](<http://x.y>)"),
        ("a\n----\nb", "a\n\n---\n\nb"),
        ("a\\\\b", "a\\\nb"),
        ("\\*a\\* \\{code} \\[x]", "\\*a\\* {code} \\[x\\]"),
        ("a\nb", "a\\\nb"),
        ("a\r\nb\rc\u2028d", "a\\\nbc\\\nd"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_construct(wiki: str, markdown: str) -> None:
    assert converted(wiki) == markdown


@pytest.mark.parametrize(
    ("wiki", "markdown"),
    [
        ("@all, voir (#12) et !3", "`@all`, voir (`#12`) et `!3`"),
        ('~bug ~"a b" %1.0 &4 ^alert#5', '`~bug` `~"a` b" `%1.0` `&4` `^alert#5`'),
        ("env. ~50,000 à ~3", "env. `~50,000` à `~3`"),
        ("groupe/projet#4 a@b.fr", "`groupe/projet#4` `a@b.fr`"),
        ("{color}@{color}all", "`@all`"),
        ("\\@all", "`@all`"),
        ("coût $5 ou $x$", "coût `$5` ou `$x$`"),
        ("${{x}}$", "`$ x $`"),
        ("commit deadbeef1", "commit `deadbeef1`"),
        ("[issue:1] [TOC]", "`[issue:1]` `[TOC]`"),
        ("<script> &lt; <!-- x -->", "\\<script\\> `&lt`; \\<\\!-- x --\\>"),
        ("ftp://x.y www.x.y", "`ftp://x.y` `www.x.y`"),
        (f"https://{HOST}/a/-/issues/1", f"`https://{HOST}/a/-/issues/1`"),
        (f"[a|https://{HOST.upper()}/b]", f"a (`https://{HOST.upper()}/b`)"),
        ("[a|https://x.y/?u=gitlab%2Ehospital.example]",
         "a (`https://x.y/?u=gitlab%2Ehospital.example`)"),
        ("1. a\n- b", "1\\. a\n\n- b"),
        ("+ a\n= b\n: c", "\\+ a\\\n\\= b\\\n\\: c"),
        ("    a\n\n\tb", "a\n\nb"),
        ("---\ntitle: x\n---", "\\---\\\ntitle: x\\\n\\---"),
        ("[^1]: note", "`1`: note"),
        ("a\u202eb\x00c", "abc"),
        ("/close", "/close"),
        ("```mermaid\nx\n```", "```` ```mermaid ````\\\nx\\\n```` ``` ````"),
    ],
)  # fmt: skip
def test_what_gitlab_would_act_on(wiki: str, markdown: str) -> None:
    assert converted(wiki) == markdown
    assert not list(faults_for_gitlab(to_markdown(wiki, gitlab_host=HOST)))


def test_a_text_that_is_too_long_is_quoted_as_typed() -> None:
    text = "*a* " * LONGEST
    assert to_markdown(text) == quote_for_gitlab(text)


def test_a_text_of_which_a_word_would_be_lost_is_quoted_as_typed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "un *mot*\n\nla *suite*"
    assert to_markdown(text) != quote_for_gitlab(text)
    monkeypatch.setattr(conversion, "read_wiki", lambda wiki: read_wiki(wiki)[:-1])
    assert to_markdown(text) == quote_for_gitlab(text)


def test_a_wide_or_ragged_table_stays_small() -> None:
    ragged = "|a" * 90 + "|\n" + "|b|\n" * 900
    for table in ("|a" * 300, ragged):
        markdown = to_markdown(table)
        assert len(markdown) < 3 * len(table)
        assert words_of_markdown(markdown) == words_of_wiki(table)


def test_a_run_of_nothing_but_punctuation_is_code_where_gitlab_would_act() -> None:
    assert to_markdown('a !" b') == '> a `!"` b'


def test_halves_of_characters_are_replaced() -> None:
    assert to_markdown("a\ud800b") == "> a\ufffdb"


def test_words_of_wiki() -> None:
    wiki = (
        "h2. Le *titre*\n{code:java|title=A.java}{color}{code} {color:red}b{color}c \\{quote}d\n"
        "!e.png|width=3! [f|http://g] [http://h|http://h] {panel:title=i j}k{panel} "
        "&#92; e\u0301%C3%A9"
    )
    assert words_of_wiki(wiki) == [
        "Le", "titre", "A", "java", "color", "bc", "quote", "d", "e", "png", "f", "http", "g",
        "http", "h", "i", "j", "k", "éé",
    ]  # fmt: skip


def test_words_of_markdown() -> None:
    markdown = (
        "# Le *titre*\n\n```java\nx\n```\n\n3. a `b` [c](http://d) <http://e> ![f](g) <b>h</b>\n"
        "4. i&eacute;\n\n|j|\n|-|\n|k\\|l|\n\nm<sup>2</sup>"
    )
    assert words_of_markdown(markdown) == [
        "Le", "titre", "x", "3", "a", "b", "c", "http", "d", "http", "e", "f", "g", "b", "h", "b",
        "4", "ié", "j", "k", "l", "m", "2",
    ]  # fmt: skip


def texts_of(issue: dict[str, Any]) -> list[str]:
    comments = (issue["fields"].get("comment") or {}).get("comments", [])
    texts = [issue["fields"].get("description"), *(comment["body"] for comment in comments)]
    return [text for text in texts if text]


@pytest.mark.shared_data
def test_real_tickets_are_converted_with_all_their_words(shared: Path) -> None:
    search = json.loads((shared / "data/jira/apache_kafka_search.json").read_text("utf-8"))
    texts = [text for issue in search["issues"] for text in texts_of(issue)]
    assert len(texts) > 300
    as_typed = 0
    for text in texts:
        markdown = to_markdown(text, gitlab_host=HOST)
        as_typed += markdown == quote_for_gitlab(drop_controls(text))
        assert words_of_markdown(markdown) == words_of_wiki(text)
        accents = [char for char in text if char.isalpha() and not char.isascii()]
        assert [char for char in markdown if char.isalpha() and not char.isascii()] == accents
        assert not list(faults_for_gitlab(markdown))
    assert as_typed <= len(texts) * 0.05
