"""Whatever a text says, its conversion does nothing and keeps every word."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markup_texts import (
    GITLAB_MARK,
    HOST,
    JIRA_MARK,
    PIECES,
    faults_for_gitlab,
    faults_for_jira,
)

from requests_sync.foreign_text import drop_controls, quote_for_gitlab
from requests_sync.markup import to_markdown, to_wiki, words_of_markdown, words_of_wiki

hostile = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=25).map("".join)


@given(hostile)
@example("\r/close")
@example("x\u2028/close")
@example(f"x\x1c{GITLAB_MARK}\x1cy")
@example("![a](http://x.y/z.png) !http://x.y/z.png!")
@example("!" + "[a|http://x.y]")
@example("`" * 5 + "{{a`}}" + "$" + "{{x}}" + "$")
def test_gitlab_does_nothing_because_of_a_ticket(text: str) -> None:
    assert list(faults_for_gitlab(to_markdown(text, gitlab_host=HOST))) == []


@given(hostile)
@example("a{code}b")
@example("||a|\n|b|")
def test_no_word_of_a_ticket_is_lost(text: str) -> None:
    markdown = to_markdown(text, gitlab_host=HOST)
    if markdown == quote_for_gitlab(drop_controls(text)):
        return
    assert words_of_markdown(markdown) == words_of_wiki(text)


@given(hostile)
@example("{noformat}\n{anchor:wardbook-data-9}\n{noformat}")
@example(f"```\n{JIRA_MARK}\n{{CODE}}\n```")
@example("\\{code}")
@example("\\\\{code}")
def test_jira_does_nothing_because_of_a_note(text: str) -> None:
    assert list(faults_for_jira(to_wiki(text))) == []


@given(hostile)
@example("a<sup>b</sup>c **d**e")
def test_no_word_of_a_note_is_lost(text: str) -> None:
    wiki = to_wiki(text)
    if not wiki.startswith("{noformat}"):
        assert words_of_wiki(wiki) == words_of_markdown(text)


@given(hostile)
def test_text_without_markup_keeps_every_letter(text: str) -> None:
    """The two readings of words are held against the plainest one."""
    plain = "".join(char for char in text if char.isalnum() or char in " ,")
    expected = unicodedata.normalize("NFC", plain).replace(",", " ").split()
    assert words_of_wiki(plain) == expected
    assert words_of_markdown(plain.strip()) == expected


def pass_through(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


@pytest.mark.parametrize(
    ("text", "fault", "convert"),
    [
        ("a\n/close", "a quick action", str),
        ("a\n\r/close", "a quick action", str),
        ("@all", "@a in the text", pass_through),
        ("voir #12", "#1 in the text", pass_through),
        ("<script>", "HTML <script>", pass_through),
        ("<div>", "HTML", pass_through),
        ("![a](http://x.y/z.png)", "an image", pass_through),
        ("[a](ftp://x.y)", "a link to ftp://x.y", pass_through),
        (f"<https://{HOST}/a>", "a link to", pass_through),
        ("```mermaid\na\n```", "a fence mermaid", pass_through),
        (f"a\n{GITLAB_MARK}", "a mark", str),
        ("a\u2028b", "another line end", pass_through),
        ("a\nb", "a line that is not quoted", str),
    ],
)
def test_the_look_for_gitlab_sees(text: str, fault: str, convert: Callable[[str], str]) -> None:
    assert any(found.startswith(fault) for found in faults_for_gitlab(convert(text)))
    assert not list(faults_for_gitlab(to_markdown(text, gitlab_host=HOST)))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"a\n{JIRA_MARK}", "a mark"),
        (f"{{noformat}}\n{JIRA_MARK}\n{{noformat}}", "a mark"),
        ("{color:red}a", "{ is not escaped"),
        ("[~admin]", "a link to ~admin"),
        ("[a|javascript:z]", "a link to javascript:z"),
        ("[a", "[ is not escaped"),
        ("!a.png!", "! is not escaped"),
        ("a\\\\{{b}}", "a loose backslash"),
        ("a | b", "a bar outside a table"),
    ],
)
def test_the_look_for_jira_sees(text: str, fault: str) -> None:
    assert any(found.startswith(fault) for found in faults_for_jira(text))
    assert not list(faults_for_jira(to_wiki(text)))
