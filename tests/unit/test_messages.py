"""The message catalogue: both languages say the same, with the typography of each."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from string import Formatter

import pytest

from wardbook import messages
from wardbook.messages import say, topic_texts

FOLDER = Path(messages.__file__).parent
TOPICS = sorted(file.stem for file in (FOLDER / "fr").glob("*.toml"))
SPACED_WRONGLY = re.compile(r"« | »| [;?!](?!\S)| :(?=\s|$)")


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_have_the_same_topics() -> None:
    assert sorted(file.stem for file in (FOLDER / "en").glob("*.toml")) == TOPICS


@pytest.mark.parametrize("topic", TOPICS)
def test_both_languages_have_the_same_messages_and_places(topic: str) -> None:
    french, english = topic_texts("fr", topic), topic_texts("en", topic)
    assert {key: places(text) for key, text in french.items()} == {
        key: places(text) for key, text in english.items()
    }


@pytest.mark.parametrize("topic", TOPICS)
def test_french_has_its_unbreakable_spaces(topic: str) -> None:
    wrong = [key for key, text in topic_texts("fr", topic).items() if SPACED_WRONGLY.search(text)]
    assert wrong == []


def test_the_look_for_spaces_finds_a_wrong_one() -> None:
    assert SPACED_WRONGLY.search("Voici : un « mot ».")
    assert not SPACED_WRONGLY.search("Voici\u00a0: un «\u00a0mot\u00a0» à 12:30.")


def test_a_value_is_inserted_as_it_is_and_never_read_as_a_place() -> None:
    assert "{0.__class__}" in say("en", "gate.not_a_number", name="n", found="{0.__class__}")


def test_a_missing_value_is_a_defect_and_not_an_empty_place() -> None:
    with pytest.raises(KeyError):
        say("fr", "gate.not_a_number", name="n")


def test_every_file_is_a_flat_table_of_texts() -> None:
    for file in FOLDER.glob("*/*.toml"):
        texts = tomllib.loads(file.read_text(encoding="utf-8"))
        assert all(isinstance(text, str) and text.strip() for text in texts.values()), file.name
