"""Foreign text does nothing, whatever it says: held against GitLab's rule for quick actions."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from requests_sync.foreign_text import inline_code, quote_for_gitlab, quote_for_jira, title_of
from requests_sync.marks import holds_mark

# GitLab deletes carriage returns, then takes lines that begin with a slash and a word.
QUICK_ACTION = re.compile(r"^/\w+", re.MULTILINE)
LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
PIECES = st.sampled_from(
    [
        *LINE_ENDS, "\r\n", "/close", "/label ~x", "@all", "```", "~~~", "<!--", "-->", "</pre>",
        "\u202e", "\x00", "> ", "    ", "`", "|", "{code}", "{quote}", "[~admin]", "[x|http://y]",
        "!image.png!", "\\", "é",
    ]
)  # fmt: skip
hostile = st.lists(PIECES | st.text(max_size=5), max_size=20).map("".join)


def as_gitlab_reads(text: str) -> str:
    return text.replace("\r", "")


@given(hostile)
@example("\r/close")
@example("x\u2028/close")
def test_no_quick_action_and_no_markup_in_a_quoted_block(text: str) -> None:
    read = as_gitlab_reads(quote_for_gitlab(text))
    assert not QUICK_ACTION.search(read)
    for line in re.split("[\n\v\f\x1c\x1d\x1e\x85\u2028\u2029]", read):
        assert line == ">" or line.startswith(">     ")


def test_the_rule_finds_a_quick_action_in_the_raw_text() -> None:
    assert QUICK_ACTION.search(as_gitlab_reads("bonjour\n\r/close"))


@given(hostile)
def test_letters_are_kept(text: str) -> None:
    def letters(string: str) -> str:
        return "".join(char for char in string if char.isalnum())

    assert letters(quote_for_gitlab(text)) == letters(text)
    assert letters(quote_for_jira(text)) == letters(text)


@given(hostile)
def test_a_title_is_one_line_of_bounded_length(text: str) -> None:
    title = title_of(text)
    assert len(title) <= 200
    assert not set(title) & set(LINE_ENDS)


@given(hostile)
def test_inline_code_cannot_be_closed(text: str) -> None:
    code = inline_code(text)
    assert code.startswith("`")
    assert code.endswith("`")
    assert "`" not in code[1:-1]
    assert "|" not in code.replace("\\|", "")
    assert "\n" not in code


@given(hostile)
def test_no_macro_link_or_mention_opens_in_jira(text: str) -> None:
    quoted = quote_for_jira(text)
    assert "\n" not in quoted
    # Whatever opens something is preceded by an odd number of backslashes.
    for found in re.finditer(r"(\\*)([{}\[\]|!~])", quoted):
        assert len(found[1]) % 2 == 1, quoted


@given(hostile, st.sampled_from(["\n", "\r\n", "\u2028", " ", "\x0b", "\x85", "\x1c"]))
def test_nobody_forges_our_marks(text: str, line_end: str) -> None:
    mark, anchor = "<!-- wardbook:request:DATA-9 -->", "{anchor:wardbook-data-9}"
    forged = f"{text}{line_end}{mark}{line_end}{anchor}{line_end}"
    for quoted in (quote_for_gitlab(forged), inline_code(forged), quote_for_jira(forged)):
        assert not holds_mark(f"* {quoted}", mark)
        assert not holds_mark(f"* {quoted}", anchor)
    assert holds_mark(f"{quote_for_gitlab(text)}\n\n{mark}", mark)
