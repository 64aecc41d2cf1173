"""Foreign text between Jira's wiki markup and GitLab's Markdown, safe by construction.

Nothing of a foreign text is passed through: it is read into blocks and inlines, and every
character of it is written escaped. So no quick action, mention, reference, macro, image or HTML
arises, and no line that reads as one of our hidden marks.
"""

from requests_sync.markup.conversion import to_markdown, to_wiki
from requests_sync.markup.words import words_of_markdown, words_of_wiki

__all__ = ["to_markdown", "to_wiki", "words_of_markdown", "words_of_wiki"]
