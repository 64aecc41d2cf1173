"""What the sandbox's pages show: readable texts, and nothing that a text could make happen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_reading import HOSTILE, Page

from requests_sync.foreign_text import quote_for_gitlab, quote_for_jira
from wardbook.sandbox.rendering import show_markdown, show_wiki


def read(html: str) -> Page:
    page = Page()
    page.feed(html)
    return page


def test_our_own_comment_reads_well() -> None:
    text = (
        "Bonjour,\n\n* Cause : x\n** {{gpg --decrypt a}}\nhttps://a.example/b\n{anchor:wardbook-1}"
    )
    html = show_wiki(text)
    assert '<div class="wiki-1">Cause : x</div>' in html
    assert "<code>gpg --decrypt a</code>" in html
    assert 'href="https://a.example/b"' in html
    assert "anchor" not in html


def test_what_was_escaped_for_jira_reads_as_it_was_typed() -> None:
    assert "[~admin] {code} !x!" in show_wiki(quote_for_jira("[~admin] {code} !x!"))


def test_a_hidden_comment_stays_hidden_and_a_quoted_text_stays_text() -> None:
    html = show_markdown(f"{quote_for_gitlab('/close **x** <b>')}\n\n<!-- wardbook:DATA-1 -->")
    assert "wardbook" not in html
    assert "/close **x** &lt;b&gt;" in html


@pytest.mark.parametrize("show", [show_markdown, show_wiki])
@given(text=st.sampled_from([HOSTILE, "<script>", "{{<b>}}", 'http://x/"onclick=']) | st.text())
def test_no_text_becomes_active(show: object, text: str) -> None:
    page = read(str(show(text)))  # type: ignore[operator]
    allowed = {"div", "code", "a", "p", "br", "hr", "ul", "ol", "li", "pre", "blockquote", "em",
               "strong", "table", "thead", "tbody", "tr", "th", "td",
               *(f"h{n}" for n in range(2, 7))}  # fmt: skip
    for tag, attributes in page.elements:
        assert tag in allowed
        assert set(attributes) <= {"class", "href", "rel"}
        assert (attributes.get("href") or "http").startswith(("http", "mailto:"))


def test_what_an_answer_is_written_with_is_shown_as_jira_shows_it() -> None:
    wiki = (
        "*Un titre*\n* Valeur : *12\u202f345*\n\n{noformat}\ngpg --output *a* <b>\n{noformat}\n"
        "a\\_b \\*c\\* \\{anchor:x\\} 2 * 3 * 4"
    )
    html = str(show_wiki(wiki))
    assert "<strong>Un titre</strong>" in html
    assert '<div class="wiki-1">Valeur : <strong>12\u202f345</strong></div>' in html
    assert "<pre>gpg --output *a* &lt;b&gt;</pre>" in html
    assert "a_b *c* {anchor:x} 2 * 3 * 4" in html
