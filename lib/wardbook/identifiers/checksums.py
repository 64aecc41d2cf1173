"""Checksums and forms of French numbers.

The NIR: decree 82-103 and INSEE's description; its key is 97 less the number modulo 97, with
Corsica's 2A read as 19 and 2B as 18. RPPS and FINESS end in a digit by Luhn's formula.
"""

from __future__ import annotations

import re

NIR_FORM = re.compile(
    r"[123478][0-9]{2}"
    r"(?:0[1-9]|1[0-2]|20|3[0-9]|4[0-2]|[5-9][0-9])"
    r"(?:0[1-9]|[1-9][0-9]|2[AB])"
    r"[0-9]{3}(?!000)[0-9]{3}"
)
"""Sex (3, 4, 7, 8 in temporary numbers), year, month (above 12 where it is unknown), department,
municipality, order."""


def is_nir(number: str) -> bool:
    """Whether 13 characters have the form of a NIR."""
    return NIR_FORM.fullmatch(number) is not None


def compute_nir_key(number: str) -> int:
    """Return the key of the 13 characters of a NIR."""
    department = {"2A": "19", "2B": "18"}.get(number[5:7], number[5:7])
    return 97 - int(number[:5] + department + number[7:]) % 97


def has_nir_key(number: str) -> bool:
    """Whether 15 characters are a NIR and its key."""
    form, key = number[:13], number[13:]
    return is_nir(form) and key.isdigit() and compute_nir_key(form) == int(key)


def has_luhn_digit(number: str) -> bool:
    """Whether the last digit is right by Luhn's formula."""
    from stdnum import luhn

    return bool(luhn.is_valid(number))


def has_iban_digits(number: str) -> bool:
    """Whether this is an account number of a country's length and form with right check digits."""
    from stdnum import iban

    return bool(iban.is_valid(number, check_country=False))
