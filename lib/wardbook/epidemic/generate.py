"""Hospital files in Santé publique France's format, invented, where no real file is at hand.

    python -m wardbook.epidemic.generate --out DIR --seed S [--days N]

The same seed and days give the same bytes. Waves, departments and people are invented; the two
files are consistent: each day's stock is the day before plus new admissions minus returns home
and deaths, and the flows are the differences of the totals.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from wardbook.epidemic.geography import expected_departments
from wardbook.epidemic.spf import FLOW_LAYOUTS, STOCK_LAYOUTS
from wardbook.files import write_atomically

STOCK_FILE = "donnees-hospitalieres-covid19.csv"
FLOW_FILE = "donnees-hospitalieres-nouveaux-covid19.csv"
FIRST_DAY = date(2020, 3, 18)
DAYS = 297
WAVES = ((15, 9, 1.0), (225, 16, 0.8), (390, 25, 0.6), (520, 20, 0.3), (670, 30, 0.7))
"""Day of the peak since FIRST_DAY, width in days, height against the first."""
SEX_SHARES = (0.54, 0.44, 0.02)
"""Men, women, unknown sex: why sex 0 is not always 1 + 2."""
TO_CRITICAL, OUT_OF_CRITICAL, HOME, DEATH = 0.15, 0.07, 0.06, 0.015
"""Daily shares: admissions to critical care; critical care left, returns home, deaths."""


def generate_files(folder: Path, *, seed: int, days: int = DAYS) -> tuple[Path, Path]:
    """Write a stock and a flow file of `days` days into `folder`, which exists.

    The stock starts on 18 March 2020, the flow a day later, as the real ones do.

    Returns:
        The paths of both, stock first.
    """
    codes = sorted(expected_departments())
    stock, flow = _simulate(np.random.default_rng(seed), len(codes), days)
    calendar = [(FIRST_DAY + timedelta(days=n)).isoformat() for n in range(days)]
    paths = folder / STOCK_FILE, folder / FLOW_FILE
    write_atomically(paths[0], _write_stock(codes, calendar, stock), mode=0o644)
    write_atomically(paths[1], _write_flow(codes, calendar, flow), mode=0o644)
    return paths


def _simulate(random: np.random.Generator, places: int, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Return stock (days × places × sexes × 4) and flow, in the files' order of columns.

    Sexes are men, women and unknown here; the writers add them up to the total.
    """
    size = random.lognormal(mean=2.2, sigma=0.9, size=places)
    delay = random.normal(scale=5, size=places)
    shares = np.array(SEX_SHARES)
    state = np.zeros((4, places, 3), dtype=np.int64)  # hosp, rea, rad, dc
    stock, flow = np.zeros((2, days, places, 3, 4), dtype=np.int64)
    for day in range(days):
        level = sum(h * np.exp(-(((day - delay - at) / w) ** 2) / 2) for at, w, h in WAVES)
        admitted = random.poisson((size * (level + 0.03))[:, None] * shares)
        hosp, rea, rad, dc = state
        ward = hosp - rea
        home = random.binomial(ward, HOME)
        died = random.binomial(ward - home, DEATH)
        critical = random.binomial(admitted, TO_CRITICAL)
        stepped_down = random.binomial(rea, OUT_OF_CRITICAL)
        state = np.stack(
            (
                hosp + admitted - home - died,
                rea + critical - stepped_down,
                rad + home,
                dc + died,
            )
        )
        stock[day] = np.moveaxis(state, 0, -1)
        flow[day] = np.stack((admitted, critical, died, home), axis=-1)
    return stock, flow


def _write_stock(codes: Sequence[str], calendar: Sequence[str], stock: np.ndarray) -> str:
    """Rows by day, department, sex: 0 the total, 1 men, 2 women."""
    by_sex = np.stack((stock.sum(axis=2), stock[:, :, 0], stock[:, :, 1]), axis=2)
    rows = (
        f'"{code}";"{sex}";"{day}";' + ";".join(map(str, by_sex[d, c, sex]))
        for d, day in enumerate(calendar)
        for c, code in enumerate(codes)
        for sex in range(3)
    )
    return _lines(STOCK_LAYOUTS[0], rows)


def _write_flow(codes: Sequence[str], calendar: Sequence[str], flow: np.ndarray) -> str:
    """Rows by department and day, from the second day on."""
    total = flow.sum(axis=2)
    rows = (
        f'"{code}";{calendar[d]};' + ";".join(map(str, total[d, c]))
        for c, code in enumerate(codes)
        for d in range(1, len(calendar))
    )
    return _lines(FLOW_LAYOUTS[0], rows)


def _lines(header: Sequence[str], rows: Iterable[str]) -> str:
    first = ";".join(f'"{name}"' for name in header)
    return "".join(f"{line}\r\n" for line in (first, *rows))


def main(arguments: Sequence[str] | None = None) -> None:
    """Write both files into a folder and name them on standard output."""
    parser = argparse.ArgumentParser(prog="python -m wardbook.epidemic.generate")
    parser.add_argument("--out", type=Path, required=True, help="folder, made if missing")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--days", type=int, default=DAYS, help=f"default {DAYS}")
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    for path in generate_files(chosen.out, seed=chosen.seed, days=chosen.days):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
