"""An analyst's Markdown as Jira's wiki markup, construct by construct."""

from __future__ import annotations

import pytest
from markup_texts import faults_for_jira

from requests_sync.markup import conversion, to_wiki
from requests_sync.markup.conversion import LONGEST
from requests_sync.markup.jira_blocks import write_blocks


@pytest.mark.parametrize(
    ("markdown", "wiki"),
    [
        ("# Titre\n\n### Suite", "h1. Titre\n\nh3. Suite"),
        ("un **gras**, une *note*, ~~non~~", "un *gras*, une _note_, -non-"),
        ("un**deux**trois ***x***", "un{*}deux{*}trois _*x*_"),
        ("m<sup>2</sup> H<sub>2</sub>O <ins>a</ins>", "m{^}2{^} H{~}2{~}O +a+"),
        ("</sup>a <sup>b", "a b"),
        ("a `b|c{d}` e", "a {{b\\|c\\{d\\}}} e"),
        ("a\nb\\\nc  \nd", "a b\nc\nd"),
        ("> a\n>\n> > b", "{quote}\na\n\nb\n{quote}"),
        ("- a\n  1. b\n     - c\n- d", "* a\n*# b\n*#* c\n* d"),
        ("- a\n\n  suite\n\n- b", "* a\nsuite\n* b"),
        ("2. deux\n3. trois", "2. deux\n3. trois"),
        ("- a\n  ```\n  x\n  ```", "* a\n{noformat}\nx\n{noformat}"),
        ("```py\nx = {code} * {1}\n```", "{code:python}\nx = { code} * {1}\n{code}"),
        ("```mermaid\nx\n```", "{noformat}\nx\n{noformat}"),
        ("    x\n    y", "{noformat}\nx\ny\n{noformat}"),
        ("|a|b|\n|-|-|\n|c||\n|d\\|e|**f**|", "||a||b||\n|c| |\n|d\\|e|*f*|"),
        ("a\n\n---\n\nb", "a\n\n----\n\nb"),
        ("[t](http://x.y/a?b=1&c={d}~)", "[t|http://x.y/a?b=1&c=%7Bd%7D%7E]"),
        ("[a|b] [c](http://x.y 'd')", "\\[a\\|b\\] [c|http://x.y]"),
        ("[[a] | b](http://x.y)", "[(a) / b|http://x.y]"),
        ("<http://x.y> http://x.y/a_b.", "[http://x.y] [http://x.y/a_b]."),
        ("[t](/uploads/a.pdf) ![u](/uploads/b.png)", "t (/uploads/a.pdf) u (/uploads/b.png)"),
        ("[t](javascript:x) [t](ftp://x.y)", "\\[t\\](javascript:x) t (ftp\\://x.y)"),
        ("![i](http://x.y/z.png)", "[i|http://x.y/z.png]"),
        ("[~admin] {code} !a.png! {anchor:b}",
         "\\[\\~admin\\] \\{code\\} \\!a.png\\! \\{anchor:b\\}"),
        ("C:\\dir \\\\\\\\srv\\\\{x} a\\\\", "C:\\dir &#92;\\srv&#92;\\{x\\} a&#92;"),
        ("2 \\* 3, a_b, x-y, -5, --z, \\*a\\*", "2 * 3, a_b, x-y, \\-5, \\-\\-z, \\*a\\*"),
        ("h1\\. a\n\nbq. b\n\n\\# c\n\n\\- d", "h1\\. a\n\nbq\\. b\n\n\\# c\n\n\\- d"),
        ("a (x) b :) c &amp;lt; ftp://d", "a \\(x) b \\:) c \\&lt; ftp\\://d"),
        ("<b>a</b>\n\n<div>\nb\n</div>", "<b>a</b>\n\n<div>\nb\n</div>"),
        ("<!-- wardbook:x -->", "<\\!\\-\\- wardbook:x \\-\\->"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_construct(markdown: str, wiki: str) -> None:
    assert to_wiki(markdown) == wiki
    assert not list(faults_for_jira(wiki))


@pytest.mark.parametrize(
    "markdown",
    ["a " * LONGEST, "![" * 15_000, ">" * 100 + " {noformat} a"],
    ids=["too long", "too costly", "too deep"],
)
def test_what_cannot_be_converted_is_shown_as_typed(markdown: str) -> None:
    typed = markdown.replace("{noformat}", "{ noformat}")
    assert to_wiki(markdown) == f"{{noformat}}\n{typed}\n{{noformat}}"


def test_a_note_of_which_a_word_would_be_lost_is_shown_as_typed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conversion, "write_blocks", lambda tokens: write_blocks(tokens[:-3]))
    assert to_wiki("un *mot*\n\nfin") == "{noformat}\nun *mot*\n\nfin\n{noformat}"


@pytest.mark.parametrize("fence", ["```", "~~~", "```sql"])
def test_no_mark_of_ours_in_code(fence: str) -> None:
    wiki = to_wiki(f"{fence}\n{{anchor:wardbook-data-9}}\n{fence[:3]}")
    assert "{anchor" not in wiki
    assert "anchor:wardbook-data-9}" in wiki
