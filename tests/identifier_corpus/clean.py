"""Cells with nothing to find: what tables, reports and logs of the platform are full of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random

WARDS = ["Cardiologie", "Réanimation médicale", "Hématologie", "Soins de suite",
         "Urologie",
         "Chirurgie orthopédique", "Médecine interne", "Pneumologie",
         "Gériatrie aiguë"]  # fmt: skip
CODES = ["I10", "J18.9", "E11.9", "N18.5", "C50.1", "DZQM006", "EQQP004", "JVJF004", "718-7",
         "2345-7",
         "4548-4", "N02BE01", "J01CA04", "L01XC02", "HFFC018", "U07.1", "8480-6",
         "A04A A01"]  # fmt: skip
PROSE = """Le nombre d'admissions augmente pendant l'hiver, puis diminue au printemps.
La durée moyenne de séjour est de 6,4 jours, avec un grand écart entre les services.
Un petit effectif ne permet pas de conclure ; l'intervalle de confiance est large.
Les patients du bloc nord ont été comparés à ceux du service voisin, sans différence nette.
La mortalité à trente jours reste faible, mais le risque relatif est de 1,8 (1,2 à 2,6).
Le test de Wilcoxon et le modèle de Cox donnent le même résultat.
La maladie de Parkinson et le syndrome de Guillain-Barré ont été exclus.
Aucun cas de rougeole n'a été déclaré depuis le mois de mai.
Le premier pic est suivi d'un long plateau, le second est plus bas et plus rapide.
Une rose des vents montre les arrivées par heure ; le matin est le moment le plus chargé.
Les données ont été lues le 12 mars 2024 à 14 h 30 et comptent 12 345 lignes.
Le taux d'occupation des lits a dépassé 95 % pendant quatre semaines de suite.
Voir la figure 3 et le tableau 2 ; les cases vides valent moins de onze.
Les naissances prématurées représentent 7,4 % des accouchements de 2023.
Le code source est à la version 2.14.0, l'environnement est figé.
Le score de Glasgow et l'indice de Charlson sont renseignés dans 88 % des dossiers.
Une femme sur trois et un homme sur quatre déclarent une douleur forte à l'entrée.
La place du traitement court reste à préciser ; la marge est de 3 jours.
Le vaccin blanc, bleu ou vert selon le lot n'a pas d'effet sur le résultat.
Après 5 cours de formation, 12 équipes sur 15 suivent le protocole.""".split("\n")  # noqa: SIM905
NAMED = ["Hôpital Saint-Martin", "CHU de Rennes", "Pavillon Pasteur", "Institut Curie", "Bretagne",
         "Ille-et-Vilaine", "Petit poids de naissance", "Lit de pose", "Examen blanc", "Âge moyen",
         "Femme", "Homme", "Indéterminé", "moins de 11", "NA", "TOTAL", "Tous services",
         "Très grave",
         "Bon état général", "Voie orale", "Chat, griffure de", "Marchand de sommeil"]  # fmt: skip


def _moment(random: Random) -> datetime:
    return datetime(2019, 1, 1, tzinfo=UTC).replace(tzinfo=None) + timedelta(
        minutes=random.randint(0, 4_000_000)
    )


MAKERS: list[Callable[[Random], str]] = [
    lambda r: str(r.randint(0, 99_999)),
    lambda r: f"{r.random() * 100:.{r.randint(1, 14)}f}",
    lambda r: f"{r.random() * 100:.1f}".replace(".", ","),
    lambda r: f"{r.randint(1, 999)} {r.randint(100, 999):03} {r.randint(0, 999):03}",
    lambda r: f"{r.randint(1, 99)} ({r.random() * 100:.1f} %)",
    lambda r: f"{r.random() * 3:.2f} [{r.random():.2f} ; {r.random() * 5:.2f}]",
    lambda r: r.choice(CODES),
    lambda r: _moment(r).isoformat(),
    lambda r: _moment(r).isoformat(sep=" ", timespec="minutes"),
    lambda r: f"{_moment(r):%Y-%m-%d}",
    lambda r: f"{_moment(r):%d/%m/%Y %H:%M}",
    lambda r: f"du {_moment(r):%d/%m/%Y} au {_moment(r):%d/%m/%Y}",
    lambda r: f"{_moment(r):%Y%m%d%H%M%S}",
    lambda r: r.choice(WARDS),
    lambda r: r.choice(NAMED),
    lambda r: hashlib.sha256(r.randbytes(8)).hexdigest(),
    lambda r: hashlib.sha1(r.randbytes(8)).hexdigest()[: r.choice([8, 12, 40])],
    lambda r: f"data-{r.randint(1, 9999)}-{r.randbytes(4).hex()}",
    lambda r: f"DATA-{r.randint(1, 99999)}",
    lambda r: f"!{r.randint(1, 9999)} #{r.randint(1, 9999)} job {r.randint(10**6, 10**9)}",
    lambda r: str(int(_moment(r).timestamp() * 1000)),
    lambda r: str(r.randint(10**7, 10**9)),
    lambda r: f"p = {r.random():.4f} ; n = {r.randint(11, 9999)}",
    lambda r: f"2.{r.randint(0, 40)}.{r.randint(0, 9)}",
    lambda r: f"{r.randint(0, 255)}.{r.randint(0, 255)}.{r.randint(0, 255)}.{r.randint(0, 255)}",
    lambda r: r.choice(PROSE),
    lambda r: r.choice(PROSE),
    lambda r: " ".join(r.sample(PROSE, 2)),
    lambda r: f"{r.randint(1, 5)}e{r.randint(-9, 9)}",
    lambda r: " ".join(f"{r.randint(0, 99):02}" for _ in range(r.randint(2, 4))),
    lambda r: (
        f"{r.randbytes(4).hex()}-{r.randbytes(2).hex()}-{r.randbytes(2).hex()}-{r.randbytes(6).hex()}"
    ),
]


def make_clean(random: Random, count: int) -> Iterator[str]:
    """Yield `count` clean cells."""
    for number in range(count):
        yield MAKERS[number % len(MAKERS)](random)
