"""Placeholder until the converters are merged."""

from requests_sync.foreign_text import quote_for_gitlab, quote_for_jira


def to_markdown(wiki: str, *, gitlab_host: str = "") -> str:
    """Quote."""
    del gitlab_host
    return quote_for_gitlab(wiki)


def to_wiki(markdown: str) -> str:
    """Quote."""
    return "\n".join(quote_for_jira(line) for line in markdown.split("\n"))
