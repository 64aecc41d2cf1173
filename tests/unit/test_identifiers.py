"""The search for identifiers: what is found, what is no identifier, and that no value is told."""

from __future__ import annotations

import json

import pytest

from tests.identifier_corpus.measuring import measure
from wardbook.domain.output import Sensitivity, Verdict
from wardbook.hospital.canaries import PATIENTS
from wardbook.identifiers.checking import judge_findings
from wardbook.identifiers.checksums import compute_nir_key, has_nir_key
from wardbook.identifiers.context import Context
from wardbook.identifiers.finding import Certainty, Kind
from wardbook.identifiers.name_index import NameIndex
from wardbook.identifiers.scanning import scan
from wardbook.identifiers.searching import Place, scan_content
from wardbook.identifiers.site import SitePatterns, check_pattern
from wardbook.messages import LANGUAGES, say, topic_texts

PEOPLE = Context(cohort=NameIndex.of(
    [("Heurtebise", "Cécile"), ("Petit", "Jean"), ("Durand-Mâcle", "Anne-Lise"), ("Rose", "Léa"),
     ("De La Brévine", "Éloi"), ("Martin", "Noël")]
))  # fmt: skip


def kinds(text: str, context: Context = PEOPLE) -> list[str]:
    return [str(one.kind) for one in scan(text, context=context)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("NIR 2 84 07 75 123 456 07", "nir"),
        ("284077512345607", "nir"),
        ("2.84.O7.75.l23.456.07", "nir"),
        ("1 54 03 2A 123 456 42", "nir"),
        ("ch. 12 284077512345607", "nir"),
        ("patient_284077512345607.csv", "nir"),
        ("NIR284077512345607", "nir"),
        ("sécu 2840775123456", "nir"),
        ("284077512345607^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO", "ins"),
        ("IPP 8000000123", "ipp"),
        ("venue N123456789", "nda"),
        ("RPPS 10101234565", "rpps"),
        ("n° FINESS : 350005179", "finess"),
        ("ADELI 759312345", "adeli"),
        ("06 12 34 56 78", "phone"),
        ("0612345678", "phone"),
        ("+33 (0)6.12.34.56.78", "phone"),
        ("+262 692 12 34 56", "phone"),
        ("jean.x@free.fr", "email"),
        ("jean.x [at] free.fr", "email"),
        ("12 bis, rue des Lilas, 35000 Rennes", "address"),
        ("né le 12/03/1954", "birth_date"),
        ("née à Brest le 1er mars 1954", "birth_date"),
        ("Date de naissance (JJ/MM/AAAA) : 12.03.54", "birth_date"),
        ("né le douze mars mille neuf cent cinquante-quatre", "birth_date"),
        ("FR76 3000 6000 0112 3456 7890 189", "iban"),
        ("passeport n° 12AB34567", "passport"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "credential"),
        ("https://bot:s3cr3tpw@gitlab.hopital.example/x.git", "credential"),
        ("machine git.hopital.example login bot password abc123", "credential"),
        ("PRIVATE-TOKEN: glpat-abcdefghij0123456789", "credential"),
        ('"password": "k8Jq2-mm0Zt4"', "credential"),
        ("M. CANARIVOIX", "canary"),
        (PATIENTS[1].nir, "canary"),
        (PATIENTS[2].ipp, "canary"),
        ("Cécile Heurtebise", "name"),
        ("HEURTEBISE", "name"),
        ("heurtebise cecile", "name"),
        ("Heurtebize Cécile", "name"),
        ("Heurtebsie, Cécile", "name"),
        ("DURAND-MACLE Anne Lise", "name"),
        ("C. Heurtebise", "name"),
        ("M. Petit", "name"),
        ("PETIT Jean", "name"),
        ("J. Petit", "name"),
        ("Madame de la Brévine", "name"),
        ("Mme Inconnue", "name"),
    ],
)
def test_it_is_found(text: str, kind: str) -> None:
    assert kind in kinds(text)
    assert kind in kinds(f"Vu ce jour : {text}, sans fièvre.")


@pytest.mark.parametrize(
    "text",
    [
        "284077512345608",  # the key is wrong
        "2024-01-05T12:30:11.123456 2024-01-06",
        "05/03/2024 12:30",
        "du 01/02/2024 au 03/04/2024",
        "12 345 678 habitants, 0,123456789",
        "n = 1234567890123456789",
        "0123456789",
        "a0612345678f",
        "01 02 03 04 05 06 07 08 09 10 11 12",
        "DR-2026-031 | 926031",
        "Un petit effectif ; une rose des vents ; Petit déjeuner ; Rose",
        "Hôpital Saint-Martin, rue Heurtebise",
        "Les données ne sont pas lues avant le 12/03/2024",
        "né en 2024",
        "Les naissances du 01/01/2024 au 31/12/2024",
        "5 cours de formation, 12 places de jour",
        "35000 Rennes",
        "weights @ np.exp(-x)",
        "mail@hopital.example",
        "password = os.environ['X_PASSWORD']",
        "token: ${CI_JOB_TOKEN}",
        "https://gitlab.example/unit/wardbook",
        "M. le Directeur, Dr House",
        "sha256 3fa85f6457174562b3fc2c963f66afa60612345678aabbccddeeff0011223344",
    ],
)
def test_it_is_no_identifier(text: str) -> None:
    assert kinds(text) == []


def test_the_key_of_corsica() -> None:
    for department, stands_for in (("2A", 19), ("2B", 18)):
        number = f"15403{department}123456"
        assert compute_nir_key(number) == 97 - int(f"15403{stands_for}123456") % 97
        assert has_nir_key(f"{number}{compute_nir_key(number):02}")


def test_a_finding_says_where_and_never_what() -> None:
    (found,) = scan("tél. 06 12 34 56 78", context=Context())
    assert (found.start, found.end, found.certainty) == (5, 19, Certainty.CERTAIN)
    assert "12 34" not in repr(found)
    assert "eurtebise" not in repr(PEOPLE)


def test_the_column_tells_what_a_cell_is() -> None:
    assert kinds("12/03/1954", Context(column="date_naissance")) == ["birth_date"]
    assert kinds("12/03/1954", Context(column="dateNaissance")) == ["birth_date"]
    assert kinds("12/03/1954", Context(column="entree")) == []
    assert kinds("Petit", Context(column="nom", cohort=PEOPLE.cohort)) == ["name"]
    assert kinds("Petit", Context(column="ward", cohort=PEOPLE.cohort)) == []
    assert kinds("612345678", Context(column="tel")) == ["phone"]


def test_the_site_says_how_its_numbers_look() -> None:
    site = SitePatterns(ipp="P[0-9]{7}", nda="[0-9]{2}SEJ[0-9]{6}")
    assert kinds("P1234567 et 24SEJ123456", Context(site=site)) == ["ipp", "nda"]
    assert kinds("P1234567 et 24SEJ123456") == []


@pytest.mark.parametrize("pattern", ["(a+)+", "[0-9]*", "8[0-9]{3,}", "(", "", "(x)\\1"])
def test_a_pattern_that_could_take_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"bounded|not a regular"):
        check_pattern(pattern)


def test_what_everybody_may_see_is_no_finding() -> None:
    shown = Context(shown=frozenset({"02 99 28 43 21"}))
    assert kinds("tél. 02.99.28.43.21, 02 99 28 43 22", shown) == ["phone"]


def found_at(name: str, content: object, context: Context = PEOPLE) -> dict[str, str]:
    text = content if isinstance(content, str) else json.dumps(content)
    found = scan_content(name, text.encode(), context=context)
    return {str(one.kind): str(one.place) for one in found}


def test_a_table_tells_column_and_row() -> None:
    table = "ward;birth_date;n\nA;1954-03-12;12\nB;;13\n"
    assert found_at("t.csv", table) == {"birth_date": "col. birth_date, l. 2"}
    assert found_at("t.csv", "ward;n\nA;12\nB;284077512345607\n") == {"nir": "col. n, l. 3"}


def test_a_number_split_over_columns_and_a_name_in_two_are_found() -> None:
    assert found_at("t.csv", "a;b;c;d;e;f;g\n2;84;07;75;123;456;07\n") == {"nir": "col. a, l. 2"}
    assert found_at("t.csv", "x;y\nPetit;Jean\n") == {"name": "col. x, l. 2"}
    assert found_at("t.csv", "x;y\nPetit;moyen\nJean;\n") == {}


def test_a_header_that_is_a_name_is_not_told() -> None:
    assert found_at("t.csv", "Heurtebise;n\n1;2\n") == {"name": "col. 1, l. 1"}


def test_sentences_in_a_table_are_free_text() -> None:
    told = (
        "Patient admis hier pour une douleur, il est connu pour un asthme et a été revu ce matin."
    )
    label = "Nombre de nouvelles hospitalisations, moyenne glissante sur sept jours, par région"
    assert found_at("t.csv", f"ward;x\nA;{told}\n") == {"free_text": "col. x, l. 2"}
    assert found_at("t.csv", f"ward;x\nA;{label}\n") == {}


def test_json_is_read_through_its_escapes_and_keys() -> None:
    rows = [{"ward": "A", "ddn": "1954-03-12"}, {"nom": "P\u00e9tit", "prenom": "Jean"}]
    assert set(found_at("d.json", rows)) == {"birth_date", "name"}
    assert set(found_at("d.json", {"284077512345607": 1})) == {"nir"}
    assert found_at("d.json", "{broken 06 12 34 56 78")["phone"] == "l. 1"


def test_every_corner_of_a_notebook_is_looked_at() -> None:
    import base64

    inside = base64.b64encode("tél. 06 12 34 56 78".encode()).decode()
    corners = {
        "source": {"source": ["x = 1\n", "# 06 12 34 56 78"]},
        "stream": {"outputs": [{"output_type": "stream", "text": ["a\n", "06 12 34 56 78"]}]},
        "html": {"outputs": [{"output_type": "display_data",
                              "data": {"text/html": "<b>06 12 34 56 78</b>"}}]},
        "traceback": {"outputs": [{"output_type": "error", "ename": "E", "evalue": "",
                                   "traceback": ["\x1b[31m06 12 34\x1b[0m 56 78"]}]},
        "base64": {"outputs": [{"output_type": "display_data", "data": {"text/csv": inside}}]},
        "data address": {"source": [f"![](data:text/plain;base64,{inside})"]},
        "json": {"outputs": [{"output_type": "display_data",
                              "data": {"application/json": {"x": ["06 12 34 56 78"]}}}]},
        "metadata": {"metadata": {"papermill": {"parameters": {"tel": "06 12 34 56 78"}}}},
        "attachment": {"attachments": {"06 12 34 56 78.png": {"image/png": ""}}},
    }  # fmt: skip
    for corner, cell in corners.items():
        cells = [{"cell_type": "code", "source": []}, {"cell_type": "code", **cell}]
        found = found_at("n.ipynb", {"cells": cells, "metadata": {}})
        told = found.get("phone", "")
        assert told.startswith("cell. 2"), corner
    assert found_at("n.ipynb", {"cells": [], "metadata": {"authors": "a@free.fr"}})


def test_bytes_that_are_no_text_are_left_to_others() -> None:
    assert scan_content("x.png", b"\x89PNG\0\0" + b"06 12 34 56 78", context=PEOPLE) == ()


def test_structured_ones_are_refused_and_names_are_held() -> None:
    content = b"Jean Petit, 06 12 34 56 78, 06 12 34 56 79"
    found = scan_content("t.txt", content, context=PEOPLE)
    checks = judge_findings("t", found, sensitivity=Sensitivity.PUBLIC)
    assert {check.reason: check.verdict for check in checks} == {
        "identifier.name": Verdict.HOLD, "identifier.phone": Verdict.REFUSE,
    }  # fmt: skip
    for check in checks:
        for language in LANGUAGES:
            told = say(language, check.reason, **dict(check.details))
            assert "l. 1" in told
            assert "Petit" not in told and "12 34" not in told
    (clean,) = judge_findings("t", (), sensitivity=Sensitivity.PUBLIC)
    assert clean.verdict is Verdict.PASS


def test_what_leaves_sealed_may_name_persons_but_holds_no_secret() -> None:
    listed = f"Jean Petit, IPP {PATIENTS[0].ipp}, glpat-abcdefghij0123456789"
    found = scan_content("t.txt", listed.encode(), context=PEOPLE)
    (check,) = judge_findings("t", found, sensitivity=Sensitivity.SENSITIVE)
    assert (check.reason, check.verdict) == ("identifier.credential", Verdict.REFUSE)
    elsewhere = judge_findings("t", found, sensitivity=Sensitivity.INTERNAL)
    assert {one.reason for one in elsewhere} > {"identifier.credential", "identifier.canary"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_can_be_told(language: str) -> None:
    known = topic_texts(language, "identifier")  # type: ignore[arg-type]
    assert {str(kind) for kind in Kind} <= set(known)


def test_a_place_is_told_in_words_that_both_languages_share() -> None:
    assert str(Place(cell=3, line=2)) == "cell. 3, l. 2"
    assert str(Place(row=4, position=2, column="n")) == "col. n, l. 4"
    assert str(Place()) == "—"


def test_the_small_corpus_is_found_and_clean_cells_are_left_alone() -> None:
    result = measure(seed=7, planted=1000, clean=4000)
    assert result.recall(names=False) >= 0.995
    assert result.recall(names=True) >= 0.95
    assert result.false_per_thousand <= 1
    assert min(result.planted.values()) > 8
