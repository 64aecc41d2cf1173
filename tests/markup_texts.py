"""Hostile texts for the conversion of markup, and an independent look at what comes out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from requests_sync.marks import holds_mark
from wardbook.sandbox.gitlab.quick_actions import extract

HOST = "gitlab.hospital.example"
GITLAB_MARK = "<!-- wardbook:request:DATA-9 -->"
JIRA_MARK = "{anchor:wardbook-data-9}"
LINE_ENDS = ("\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029")
# One piece a word: what opens, closes, escapes or ends something on either side.
PIECES = (
    *LINE_ENDS, "\n\n", " ", "  ", "    ", "\t", "\u00a0", "\u202e", "\u200b", "\x00", "\x01",
    "a", "é", "été", "e\u0301", "x1", "2", "10.", "1. ", "3) ", "mot ", "snake_case", "²",
    "/close", "/label ~x", "/", "@all", "@", "#1", "#", "!2", "~x", "%3", "$4", "&5", "^alert#6",
    '~"a b"', "$x$", "$`x`$", "$$", "[issue:1]", "[[page]]", "[TOC]", "[[_TOC_]]", "[^1]", "[^1]: ",
    "deadbeef1", "GL-1", "a@b.fr", "<!--", "-->", "<b>", "</pre>", "<sup>", "</sup>", "<ins>",
    "<script>", "&lt;", "&#92;", "&#64;", "&amp;", "%41", "`", "``", "```", "~~~", "```mermaid\n",
    "```suggestion\n", "> ", ">", ">>>", "---", "----", "===", "***", "* ", "** ", "*# ", "# ",
    "- ", "+ ", "*", "**", "_", "__", "-", "+", "^", "~", "~~", "\\", "\\\\", "'", '"', "(", ")",
    "[", "]", "](", "![", "|", "||", "| - |", "|-|", "\n|a|b|\n", "\n|-|-|\n", ":", "::", ":)",
    "{", "}", "{{", "}}", "{}", "{*}", "{_}", "{^}", "{code}", "{code:java}", "{code:title=T|x}",
    "{code:mermaid}", "{noformat}", "{quote}", "{panel}", "{panel:title=P}", "{color:red}",
    "{color}", "{anchor:a}", "{unknown:x=y}", "h1. ", "h3.", "bq. ", "??", "(x)", "[~admin]",
    "[^a.pdf]", "!a.png!", "!a.png|width=3!", "!http://x.y/z.png!", "[a|http://x.y]",
    "[a|javascript:z]", "[x|http://x.y|smart-link]", "[http://x.y|http://x.y]", "[a](b)", "[a]: b",
    "![a](http://x.y/z.png)", "<http://x.y>", "http://x.y/a_b", "https://", "ftp://x.y", "www.x.y",
    f"https://{HOST}/g/p/-/issues/1", f"[a|https://{HOST}/x]", "mailto:a@b.fr", "javascript:z",
    GITLAB_MARK, JIRA_MARK, f"\n{GITLAB_MARK}\n", f"\n{JIRA_MARK}\n", "\n/close\n", "\n> /close\n",
)  # fmt: skip

_OUR_HTML = {"<sup>", "</sup>", "<sub>", "</sub>", "<ins>", "</ins>"}
# A mention or a reference, as GitLab looks for them in the text of the rendered page.
_ACTS = re.compile(
    r"""[@#!~%$&^][\w"]|\[(?:\[|\w+:|TOC)|\b[0-9a-f]{7,40}\b|\bGL-\d|://|\bwww\.|[$`]""", re.I
)
_GOOD_TARGET = re.compile(r"(?:https?://|mailto:)\S+", re.I)


def read_as_gitlab(markdown: str) -> list[Token]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)


def faults_for_gitlab(markdown: str) -> Iterator[str]:
    """Yield what GitLab would do because of a foreign text in this Markdown."""
    framed = f"Notre texte.\n\n{markdown}\n\nLa suite.\n{GITLAB_MARK[:-3]} ours -->"
    for text in (markdown, framed):
        if extract(text)[1] or extract(text.replace("\n", "\r\n"))[1]:
            yield "a quick action"
    if not all(line == ">" or line.startswith("> ") for line in markdown.split("\n")):
        yield "a line that is not quoted"
    if markdown.splitlines() != markdown.split("\n"):
        yield "another line end"
    if holds_mark(framed, GITLAB_MARK) or holds_mark(framed, JIRA_MARK):
        yield "a mark"
    yield from _faults_of_tokens(read_as_gitlab(markdown))


def _faults_of_tokens(tokens: Iterable[Token], linked: bool = False) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield from _faults_of_tokens(token.children or [])
        elif token.type == "image":
            yield "an image"
        elif "html" in token.type and token.content not in _OUR_HTML:
            yield f"HTML {token.content}"
        elif token.type == "link_open":
            linked = True
            target = str(token.attrGet("href"))
            if not _GOOD_TARGET.fullmatch(target) or HOST in target:
                yield f"a link to {target}"
        elif token.type == "link_close":
            linked = False
        elif token.type == "fence" and token.info in ("mermaid", "plantuml", "math", "suggestion"):
            yield f"a fence {token.info}"
        elif token.type == "text":
            shown = token.content.replace("://", "", 1) if linked else token.content
            if acts := _ACTS.search(shown):
                yield f"{acts[0]} in the text"


_VERBATIM = re.compile(r"\{(code|noformat)(?::[a-z+#]+)?\}\n(.*?)\{\1\}", re.S | re.I)
_JIRA_TOKEN = re.compile(
    r"\\(?:[^\w\s\\]|_)|&\#92;"
    r"|\{quote\}|\{\{(?:[^{}\\\n]|\\.)*\}\}|\{[*_\-+^~]\}"
    r"|\[(?:(?:[^\[\]|\\\n]|\\.)+\|)?(?P<target>[^\[\]|\\\s{}!]+)\]"
    r"|(?P<opens>[{}\[\]!~^\\|])",
)


def faults_for_jira(wiki: str) -> Iterator[str]:
    """Yield what Jira would do because of a foreign text in this wiki markup."""
    if holds_mark(f"ours\n{wiki}\n{{anchor:wardbook-other}}", JIRA_MARK):
        yield "a mark"
    rest = _VERBATIM.sub(" ", wiki)
    for line in rest.split("\n"):
        for found in _JIRA_TOKEN.finditer(line):
            yield from _faults_of_jira_token(found, line)
    for body in _VERBATIM.findall(wiki):
        if re.search(r"\{(?:code|noformat|anchor)", body[1], re.I):
            yield "an end inside verbatim text"


def _faults_of_jira_token(found: re.Match[str], line: str) -> Iterator[str]:
    target = found["target"]
    if target is not None and not _GOOD_TARGET.fullmatch(target):
        yield f"a link to {target}"
    opens = found["opens"]
    if opens == "\\":
        after = line[found.end() : found.end() + 1]
        if not after.isalnum():
            yield "a loose backslash"
    elif opens == "|":
        if not line.startswith("|"):
            yield "a bar outside a table"
    elif opens and not (opens in "^~" and _is_phrase(line, found.start())):
        yield f"{opens} is not escaped"


def _is_phrase(line: str, place: int) -> bool:
    """Tell whether a mark is one of a pair around text, which is how we write them."""
    return line.replace(f"\\{line[place]}", "").count(line[place]) % 2 == 0
