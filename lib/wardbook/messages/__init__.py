"""What people read, in French and English, from one catalogue.

A message is named `topic.key`; topics are the TOML files `fr/TOPIC.toml` and `en/TOPIC.toml` beside
this module. Texts are ours, values are foreign: values are inserted as they are, so each sink
(HTML, wiki markup, Markdown) quotes them itself.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Literal, cast, get_args

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@cache
def topic_texts(language: Language, topic: str) -> dict[str, str]:
    """Return the texts of one topic: key to text with `{name}` places.

    Raises:
        KeyError: there is no such topic.
    """
    file = resources.files(__package__) / language / f"{topic}.toml"
    try:
        return cast(dict[str, str], tomllib.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise KeyError(f"no messages for topic {topic!r} in {language!r}") from None


def say(language: Language, message: str, /, **values: object) -> str:
    """Return the message `topic.key` in `language`, its places filled with `values`.

    Raises:
        KeyError: the message or one of its values is missing.
    """
    topic, _, key = message.partition(".")
    return topic_texts(language, topic)[key].format_map(values)
