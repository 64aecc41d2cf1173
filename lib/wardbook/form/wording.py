"""The words of a form: what it writes into the ticket, and what its script says."""

from __future__ import annotations

from collections.abc import Mapping

from wardbook.messages import Language, say
from wardbook.settings import Settings
from wardbook.settings.create_link import ListField

WORDS_OF_JS = (
    "field_summary",
    "field_description",
    "field_language",
    "summary_example",
    "too_long_for_jira",
    "problems",
    "composed",
    "copied",
    "copy_by_hand",
    "copy",
    "copy_field",
    "by_hand_left",
    "link_too_long",
    "looks_like",
    "looks_like_nir",
    "looks_like_phone",
    "looks_like_email",
    "looks_like_number",
    "looks_like_birth",
    "shown_choices",
)
"""Messages of topic `form` that go to the page as data."""


def write_word(
    field: ListField, code: str, meanings: Mapping[str, str], settings: Settings, language: Language
) -> str:
    """Return the word that says `code` in a field of the ticket.

    It is the option of the unit's Jira where the settings name the options, else our own.
    """
    create = settings.jira.create
    for option in create.options.get(field, {}) if create else {}:
        words = [option.casefold(), *(part.strip() for part in option.casefold().split("/"))]
        if any(meanings.get(word) == code for word in words):
            return option
    return say(language, f"form.{field}_{code}")
