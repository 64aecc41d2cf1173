"""The answer's text: how a file is opened, whom to ask, how long; and never too long for Jira."""

from __future__ import annotations

import re
from typing import Any

import pytest
from markup_texts import faults_for_jira

from pipelines.answer_text import MOST, Answer, Asked, plain, write_answer, write_figures
from requests_sync.markup.conversion import LONGEST
from wardbook.domain.output import Channel
from wardbook.domain.record import Deliverable
from wardbook.headlines import Headline
from wardbook.messages import LANGUAGES

REPORT = Deliverable(
    "report", "r", Channel.SITE, "https://site.example/reports/data-1/abc/", "/x", "index.html"
)
SEALED = Deliverable(
    "stays",
    "r",
    Channel.SHARE,
    "file://server/share/data-1/abc/592f106ff6ccf9d3.gpg",
    "/x",
    "592f106ff6ccf9d3.gpg",
    "data-1-stays.csv",
)


def answer_of(**changes: Any) -> Answer:
    given: dict[str, Any] = {
        "key": "DATA-1",
        "asked": Asked("Titre", "Combien ?", "Ma demande", [("Premier jour", "1 mars 2026")]),
        "headlines": [Headline("Patients", "12\u202f345", "le 8 janvier 2026")],
        "deliverables": [REPORT],
        "unattached": [],
        "kept_days": None,
        "contact": "",
    }
    return Answer(**(given | changes))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_sealed_file_has_its_exact_command(language: Any) -> None:
    text = write_answer(answer_of(deliverables=[REPORT, SEALED]), language)
    block = re.search(r"\{noformat\}\n(.*)\n\{noformat\}", text)
    assert block is not None
    assert block[1] == "gpg --output data-1-stays.csv --decrypt 592f106ff6ccf9d3.gpg"
    assert "Kleopatra" in text
    assert SEALED.address in text
    assert "noformat" not in write_answer(answer_of(), language), "nothing is sealed"


def test_figures_keep_the_spaces_that_do_not_break() -> None:
    assert write_figures(answer_of().headlines or ()) == (
        "* Patients\u00a0: *12\u202f345* (le 8 janvier 2026)"
    )


def test_whom_to_ask_and_how_long() -> None:
    assert "Écrivez un commentaire" in write_answer(answer_of(), "fr")
    text = write_answer(answer_of(contact="poste 4242", kept_days=365), "fr")
    assert "poste 4242, ou un commentaire" in text
    assert "pendant 365 jours" in text


def test_what_could_not_be_attached_is_told() -> None:
    text = write_answer(answer_of(unattached=["Tableau"]), "fr")
    assert "* Tableau\u00a0: ce fichier n’a pas pu être joint" in text


def test_figures_that_may_not_be_shown_are_told() -> None:
    assert "l’a empêché" in write_answer(answer_of(headlines=None), "fr")
    assert "chiffres clés" not in write_answer(answer_of(headlines=[]), "fr"), "there are none"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_longest_answer_is_short_enough_and_still_leads_to_the_result(language: Any) -> None:
    long = "[" * 5000
    parameters = [(long, long)] * 100
    answer = answer_of(
        asked=Asked(long, long, long, parameters),
        headlines=[Headline(long, long, long)] * 12,
        deliverables=[REPORT, *[SEALED] * 100],
        unattached=[long] * 100,
        contact=long,
    )
    text = write_answer(answer, language)
    assert len(text) <= MOST < LONGEST
    assert REPORT.address in text
    assert list(faults_for_jira(text)) == []
    told = len(re.findall(r"(?m)^\* (?:\\\[)+", text))
    assert told < len(parameters), "so many parameters would be too long"


def test_a_text_is_one_line() -> None:
    assert plain("a\r\nb\u2028c\td\u202e") == "a b c d"
    assert len(plain("x" * 500)) == 200
