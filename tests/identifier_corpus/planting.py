"""Where identifiers are planted: sentences, cells, JSON, file names, notebooks; with noise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tests.identifier_corpus import values
from tests.identifier_corpus.people import MEN, WOMEN, Person

GAPS = [" ", " ", ".", "-", "\u00a0", "\u202f"]
MISREAD = {"0": "Oo", "1": "lI", "5": "S", "8": "B", "2": "Z"}
MAKERS = {
    "nir": values.nir, "short_nir": values.short_nir, "ins": values.nir, "ipp": values.ipp,
    "nda": values.nda, "rpps": values.rpps, "adeli": values.adeli, "finess": values.finess,
    "phone": values.phone, "phone_abroad": values.phone_abroad, "email": values.email,
    "address": values.address, "birth_date": values.birth, "iban": values.iban,
    "passport": values.passport, "credential": values.credential,
}  # fmt: skip
SHARES = {
    "nir": 12, "short_nir": 4, "ins": 5, "ipp": 8, "nda": 5, "rpps": 5, "adeli": 2, "finess": 4,
    "phone": 8, "phone_abroad": 3, "email": 5, "address": 6, "birth_date": 8, "iban": 4,
    "passport": 2, "credential": 5, "name": 20,
}  # fmt: skip
TELL = {
    "nir": ["NIR {}", "n° de sécurité sociale : {}", "assuré {}", "{}", "numéro {}"],
    "short_nir": ["NIR {}", "n° sécu {}", "matricule {}", "immatriculation INSEE : {}"],
    "ins": ["INS {} OID 1.2.250.1.213.1.4.8", "{}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO"],
    "ipp": ["IPP {}", "ipp : {}", "dossier patient {}", "{}"],
    "nda": ["NDA {}", "venue {}", "{}", "séjour n° {}"],
    "rpps": ["RPPS {}", "n° RPPS : {}", "prescripteur (RPPS {})"],
    "adeli": ["ADELI {}", "n° ADELI : {}"],
    "finess": ["FINESS {}", "n° FINESS géographique : {}", "établissement (FINESS {})"],
    "phone": ["tél. {}", "joignable au {}", "portable : {}", "{}", "fils prévenu ({})"],
    "phone_abroad": ["tél. {}", "{}", "appeler le {}"],
    "email": ["courriel : {}", "{}", "écrire à {}"],
    "address": ["demeurant {}", "{}", "adresse : {}", "habite au {}"],
    "birth_date": ["né le {}", "née le {}", "né(e) le {}", "DDN {}", "date de naissance : {}",
                   "Date de naissance (JJ/MM/AAAA) : {}"],
    "iban": ["IBAN {}", "{}", "RIB : {}"],
    "passport": ["passeport {}", "passeport n° {}"],
    "credential": ["{}"],
}  # fmt: skip
AROUND = [
    "Patient admis pour dyspnée, {}, traité par furosémide.",
    "Consultation du jour : {}. Pas de fièvre.",
    "{}",
    "Compte rendu adressé au médecin traitant ; {} ; contrôle dans six mois.",
    "Chambre 12, {}, sortie prévue demain",
    "Hospitalisé pour une pneumopathie ({}), évolution favorable sous amoxicilline.",
]
HEADERS = {
    "nir": ["nir", "num_secu", "NSS", "colonne_7"], "short_nir": ["nir", "matricule"],
    "ins": ["ins", "INS_NIR"], "ipp": ["ipp", "ID", "patient_id"],
    "nda": ["nda", "venue", "sejour"],
    "rpps": ["rpps", "RPPS_prescripteur"], "adeli": ["adeli"], "finess": ["finess", "FINESS_ET"],
    "phone": ["tel", "telephone", "mobile", "contact", "v3"], "phone_abroad": ["tel", "v3"],
    "email": ["mail", "v4"], "address": ["adresse", "v5"],
    "birth_date": ["date_naissance", "birth_date", "DDN", "dateNaissance"],
    "iban": ["iban", "v6"], "passport": ["passeport"], "credential": ["v8"],
    "name": ["nom", "patient", "nom_usuel"],
}  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """One identifier in its surroundings.

    `name` and `content` are a file; `kind` is what is in it; `hardness` 0 to 2. `value` is for the
    generator's own tests: it is what was written.
    """

    kind: str
    hardness: int
    name: str
    content: str
    value: str


def plant(random: Random, people: list[Person], count: int) -> Iterator[Planted]:
    """Yield `count` planted identifiers; a third each is easy, middling and hard."""
    kinds = random.choices(list(SHARES), list(SHARES.values()), k=count)
    for number, kind in enumerate(kinds):
        hardness = number % 3
        if kind == "name":
            person = random.choice(people)
            value, told = _write_name(random, person, hardness)
        else:
            value = _write(random, kind, hardness)
            told = random.choice(TELL[kind]).format(value)
        name, content = _surround(random, kind, value, told)
        yield Planted(kind, hardness, name, content, value)


def _write(random: Random, kind: str, hardness: int) -> str:
    parts = MAKERS[kind](random)
    if kind == "birth_date" and hardness == 2:
        return _misread(random, parts[0], 1)
    if kind in ("email", "address", "credential", "nda"):
        return _disturb_text(random, kind, parts[0]) if hardness == 2 else parts[0]
    if kind == "phone_abroad":
        return parts[0] + random.choice(["", " "]) + random.choice([" ", "", "."]).join(parts[1:])
    if hardness == 0:
        return "".join(parts)
    gap = random.choice(GAPS)
    written = gap.join(parts)
    if hardness == 1:
        return written
    choice = random.random()
    if choice < 0.45:
        return _misread(random, written, random.choice([1, 1, 2]), keep=kind == "iban")
    if choice < 0.65:
        return _misread(random, "".join(parts), 1, keep=kind == "iban")
    if choice < 0.80 and kind not in ("iban", "passport"):
        place = random.randrange(1, len(parts)) if len(parts) > 1 else 0
        return " ".join(parts[:place]) + "\n" + " ".join(parts[place:])
    doubled = list(written)
    spots = [place for place, letter in enumerate(doubled) if letter == gap]
    if spots:
        doubled[random.choice(spots)] = gap if kind in ("iban", "passport") else "  "
    return "".join(doubled)


def _misread(random: Random, text: str, count: int, *, keep: bool = False) -> str:
    """Misread some digits as a scan would; `keep` leaves the first four letters as they are."""
    letters = list(text)
    spots = [p for p, c in enumerate(letters) if c in MISREAD and (p > 3 or not keep)]
    for place in random.sample(spots, min(count, len(spots))):
        letters[place] = random.choice(MISREAD[letters[place]])
    return "".join(letters)


def _disturb_text(random: Random, kind: str, text: str) -> str:
    if kind == "email":
        return text.replace("@", random.choice([" @ ", "[at]", "(at)", "@"]))
    if kind == "address":
        return random.choice([text.upper(), text.lower(), text.replace(" ", "  ", 1)])
    return text


def _write_name(random: Random, person: Person, hardness: int) -> tuple[str, str]:
    """Return a patient's name as somebody might write it, and the words around it."""
    first, last = person.first, person.surname
    title = random.choice(["Mme", "Madame"] if person.woman else ["M.", "Monsieur"])
    if hardness == 0:
        value = random.choice([f"{first} {last}", f"{last.upper()} {first}", f"{title} {last}"])
    elif hardness == 1:
        value = random.choice([
            f"{_plain(last).upper()} {_plain(first)}", f"{last}, {first}", f"{first[0]}. {last}",
            f"{_plain(last).lower()} {_plain(first).lower()}", f"{title} {last.upper()}",
            f"{last.upper()} {first[0]}.", f"{first} {last.replace('-', ' ')}",
        ])  # fmt: skip
    else:
        value = random.choice([
            f"{first} {_mistype(random, last)}", f"{_mistype(random, last).upper()} {first}",
            f"{title} {_mistype(random, last)}" if len(last) > 7 else f"{title} {_plain(last)}",
            f"{last} {_mistype(random, first)}", f"{last.replace('-', '')} {first}",
            f"{first.upper()} {_misread(random, last.upper().replace('O', '0'), 0)}",
            f"{first} {random.choice(WOMEN + MEN)} {last}",
        ])  # fmt: skip
    told = random.choice(["{}", "pour {}", "le dossier de {}", "vu ce jour avec {}"])
    return value, told.format(value)


def _plain(text: str) -> str:
    table = str.maketrans("éèêëàâäîïôöùûüçÉÈÊËÀÂÎÏÔÛÇ", "eeeeaaaiioouuucEEEEAAIIOUC")
    return text.translate(table)


def _mistype(random: Random, text: str) -> str:
    spots = [p for p in range(1, len(text)) if text[p].isalpha()]
    place = random.choice(spots)
    kind = random.randrange(4)
    if kind == 0:
        return text[:place] + random.choice("aeinrst") + text[place:]
    if kind == 1:
        return text[:place] + text[place + 1 :]
    if kind == 2 and place + 1 < len(text):
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return text[:place] + random.choice("aeinrst") + text[place + 1 :]


def _surround(random: Random, kind: str, value: str, told: str) -> tuple[str, str]:
    draw = random.random()
    sentence = random.choice(AROUND).format(told)
    if draw < 0.45:
        return "note.txt", sentence
    header = random.choice(HEADERS.get(kind, ["v9"]))
    if draw < 0.70 and kind != "credential":
        return "table.csv", _write_table(random, header, _one_line(value), kind)
    if draw < 0.82:
        value = f"{value} OID 1.2.250.1.213.1.4.8" if kind == "ins" else value
        record = {"service": "Cardiologie", header: value, "n": random.randint(1, 99)}
        return "data.json", json.dumps({"rows": [record]}, ensure_ascii=random.random() < 0.5)
    if draw < 0.86 and "/" not in told and "\n" not in told and len(told) < 80:
        return f"export_{told.replace(' ', '_')}_v2.bin", ""
    return "notebook.ipynb", _write_notebook(random, sentence)


def _one_line(value: str) -> str:
    return value.replace("\n", " ")


def _write_table(random: Random, header: str, value: str, kind: str) -> str:
    rows = [["ward", header, "n"], ["Urologie", value, str(random.randint(11, 400))],
            ["Cardiologie", "", str(random.randint(11, 400))]]  # fmt: skip
    if kind == "ins":
        rows[1][0] = "1.2.250.1.213.1.4.8"
    if (
        kind == "nir"
        and value.count(" ") == 6
        and not set("OolISBZ") & set(value[:8] + value[10:])
        and random.random() < 0.5
    ):
        rows = [["s", "a", "m", "d", "c", "o", "k"], value.split(" ")]
    return "\n".join(";".join(f'"{cell}"' if ";" in cell else cell for cell in row) for row in rows)


def _write_notebook(random: Random, sentence: str) -> str:
    cell = {
        "cell_type": "code", "execution_count": 1, "metadata": {}, "source": ["df.head()"],
        "outputs": [],
    }  # fmt: skip
    place = random.randrange(4)
    if place == 0:
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": [sentence]}]
    elif place == 1:
        data = {"text/html": f"<td>{sentence}</td>", "text/plain": "table"}
        cell["outputs"] = [
            {"output_type": "display_data", "data": data, "metadata": {}},
        ]
    elif place == 2:
        cell["metadata"] = {"tags": ["x"], "papermill": {"note": sentence}}
    else:
        cell["outputs"] = [
            {"output_type": "error", "ename": "ValueError", "evalue": sentence, "traceback": []}
        ]
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
