"""Every refusal of the seal can be told, in both languages, with the same places."""

import re
from pathlib import Path
from string import Formatter

import pipelines
import wardbook.seal
from wardbook.messages import LANGUAGES, topic_texts
from wardbook.seal import SealProblem

CODE = re.compile(r'(?:SealProblem|_read)\([^")]*"(\w+)"|code = "(\w+)" if .* else "(\w+)"')


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def codes_in_source() -> set[str]:
    folder = Path(wardbook.seal.__file__).parent
    files = [*folder.glob("*.py"), *Path(pipelines.__file__).parent.glob("*.py")]
    sources = [file.read_text() for file in files]
    return {code for source in sources for match in CODE.findall(source) for code in match if code}


def test_codes_and_messages_are_the_same_set() -> None:
    found = codes_in_source()
    assert len(found) > 30
    for language in LANGUAGES:
        assert found == set(topic_texts(language, "seal"))


def test_both_languages_have_the_same_places() -> None:
    french, english = (topic_texts(language, "seal") for language in ("fr", "en"))
    assert {code: places(text) for code, text in french.items()} == {
        code: places(text) for code, text in english.items()
    }


def test_french_typography() -> None:
    for code, text in topic_texts("fr", "seal").items():
        assert not re.search(r" [:;?!»]|« |'", re.sub("`[^`]*`", "", text)), code


def test_a_problem_is_told_in_both_languages() -> None:
    problem = SealProblem("target_missing", target="report")
    assert str(problem) == "There is nothing at report. Correct the path."
    assert problem.tell("fr") == "Il n’y a rien à l’adresse report. Corrigez le chemin."
