"""Right numbers of every kind, made anew here from their public descriptions."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date, timedelta
from random import Random

Written = tuple[str, ...]
"""The parts of a value, which separators may part."""


def digits(random: Random, count: int) -> str:
    return "".join(random.choice("0123456789") for _ in range(count))


def luhn(body: str) -> str:
    """Append Luhn's digit."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit)
        if place % 2 == 0:
            value *= 2
            value -= 9 * (value > 9)
        total += value
    return body + str(-total % 10)


def nir(random: Random) -> Written:
    """Seven parts with the key; 1 in 10 is Corsican, 1 in 12 temporary."""
    sex = random.choice("12") if random.random() > 0.08 else random.choice("3478")
    month = f"{random.randint(1, 12):02}" if random.random() > 0.03 else str(random.randint(30, 42))
    department = (
        f"{random.randint(1, 95):02}" if random.random() > 0.1 else random.choice(["2A", "2B"])
    )
    if department == "20":
        department = "99"
    parts = [sex, digits(random, 2), month, department, f"{random.randint(1, 990):03}",
             f"{random.randint(1, 999):03}"]  # fmt: skip
    number = "".join(parts)
    less = {"2A": 1_000_000, "2B": 2_000_000}.get(department, 0)
    key = 97 - (int(number.replace("A", "0").replace("B", "0")) - less) % 97
    return (*parts, f"{key:02}")


def short_nir(random: Random) -> Written:
    return nir(random)[:-1]


def ipp(random: Random) -> Written:
    body = "8" + digits(random, 9)
    return (body[:1], body[1:4], body[4:7], body[7:])


def nda(random: Random) -> Written:
    return ("N" + digits(random, 9),)


def rpps(random: Random) -> Written:
    number = luhn("10" + digits(random, 8))
    return (number[:2], number[2:5], number[5:8], number[8:])


def adeli(random: Random) -> Written:
    number = f"{random.randint(1, 95):02}" + digits(random, 7)
    return (number[:2], number[2:3], number[3:])


def finess(random: Random) -> Written:
    number = luhn(f"{random.randint(1, 95):02}0" + digits(random, 5))
    return (number[:2], number[2:3], number[3:6], number[6:])


def phone(random: Random) -> Written:
    return (f"0{random.choice('123456679')}", *(digits(random, 2) for _ in range(4)))


def phone_abroad(random: Random) -> Written:
    code = random.choice(["+33", "+33", "0033", "+262", "+590", "+596", "+33(0)"])
    return (code, random.choice("1234679"), *(digits(random, 2) for _ in range(4)))


def email(random: Random) -> Written:
    name = "".join(random.choice("abcdefghijlmnoprstuv") for _ in range(random.randint(4, 9)))
    host = random.choice(["free.fr", "orange.fr", "laposte.net", "gmail.com", "chu-ville.fr"])
    return (f"{name}{random.choice(['.', '-', '_', ''])}{digits(random, 2)}@{host}",)


STREETS = [
    "rue",
    "avenue",
    "boulevard",
    "impasse",
    "allée",
    "chemin",
    "place",
    "route",
    "quai",
    "rue",
]
CALLED = ["des Lilas", "du Moulin", "de la République", "Victor Hugo", "des Acacias",
          "de Bretagne", "Jean Jaurès", "du 8 Mai 1945", "de l'Église", "Pasteur", "des Fougères",
          "Émile Zola"]  # fmt: skip
TOWNS = ["35000 Rennes", "29200 Brest", "44000 NANTES", "75014 Paris", "69003 Lyon",
         "20000 Ajaccio",
         "97400 Saint-Denis", "22300 Lannion", "56100 LORIENT", "13005 Marseille"]  # fmt: skip


def address(random: Random) -> Written:
    house = f"{random.randint(1, 240)}{random.choice(['', '', '', ' bis', ' ter', 'B'])}"
    street = random.choice(STREETS)
    called = random.choice(CALLED)
    if street in ("place", "route", "quai"):
        called = random.choice(["Pasteur", "de la République", "de Bretagne"])
    comma = random.choice([" ", ", "])
    return (f"{house}{comma}{street} {called}{random.choice([', ', ' '])}{random.choice(TOWNS)}",)


MONTHS = ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
          "octobre", "novembre", "décembre"]  # fmt: skip


def birth(random: Random) -> Written:
    day = date(1925, 1, 1) + timedelta(days=random.randint(0, 36_000))
    forms = [
        day.isoformat(),
        f"{day:%d/%m/%Y}", f"{day:%d/%m/%Y}", f"{day:%d.%m.%Y}", f"{day:%d-%m-%Y}",
        f"{day:%d/%m/%y}",
        f"{day.day}{'er' if day.day == 1 else ''} {MONTHS[day.month - 1]} {day.year}",
        f"{day:%d%m%Y}",
    ]  # fmt: skip
    return (random.choice(forms),)


def iban(random: Random) -> Written:
    account = digits(random, 23)
    check = 98 - int(account + "152700") % 97
    whole = f"FR{check:02}{account}"
    return tuple(whole[place : place + 4] for place in range(0, 27, 4))


def passport(random: Random) -> Written:
    letters = "".join(random.choice("ABCDEFGHJKLMNPRSTVWXYZ") for _ in range(2))
    return (digits(random, 2), letters, digits(random, 5))


ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def drawn(random: Random, count: int, letters: str = ALNUM) -> str:
    return "".join(random.choice(letters) for _ in range(count))


def _segment(random: Random, body: str) -> str:
    return base64.urlsafe_b64encode((body + drawn(random, 12)).encode()).decode().rstrip("=")


def credential(random: Random) -> Written:
    makers: list[Callable[[], str]] = [
        lambda: "glpat-" + drawn(random, 20),
        lambda: "ATATT3x" + drawn(random, 60),
        lambda: "glsa_" + drawn(random, 32) + "_" + drawn(random, 8, "0123456789abcdef"),
        lambda: "AKIA" + drawn(random, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
        lambda: ".".join(_segment(random, '{"a') for _ in range(3)),
        lambda: f"https://{drawn(random, 6)}:{drawn(random, 10)}@gitlab.hopital.example/x.git",
        lambda: f"machine gitlab.hopital.example login bot password {drawn(random, 14)}",
        lambda: f"-----BEGIN {random.choice(['RSA ', 'EC ', 'OPENSSH ', ''])}PRIVATE KEY-----",
        lambda: (
            f'{random.choice(["password", "mdp", "API_KEY", "token"])} = "{drawn(random, 14)}7"'
        ),
    ]
    return (random.choice(makers)(),)
