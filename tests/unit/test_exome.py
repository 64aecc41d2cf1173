"""Carriers, counts by gene, and Firth's regression beside other estimates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize
from scipy.stats import chi2

from wardbook.errors import DataProblem
from wardbook.exome import burden, reading
from wardbook.exome.firth import estimate_odds_ratio
from wardbook.exome.panel import CLASSES

PATIENTS = pd.DataFrame(
    {"person": [1, 2, 3, 4], "sex": ["F", "M", "F", "I"], "age": 50, "component": [0, 1, np.nan, 0]}
)


def calls(*rows: tuple[object, ...]) -> pd.DataFrame:
    columns = ["person", "gene", "zygosity", "consequence", "frequency", "acmg"]
    return pd.DataFrame(rows, columns=columns).assign(call=range(len(rows)))


MISSENSE = ("heterozygous", "missense_variant", 1e-5)


def test_a_carrier_has_a_variant_that_counts() -> None:
    found = calls(
        (1, "TTN", *MISSENSE, 5),
        (1, "TTN", *MISSENSE, 4),
        (2, "TTN", *MISSENSE, 3),
        (3, "LDLR", *MISSENSE, 1),
    )
    of = {name: reading.find_carriers(found, PATIENTS, name).table for name in CLASSES}
    assert of["pathogenic"]["TTN"].tolist() == [True, False, False, False]
    assert of["uncertain"]["TTN"].tolist() == [False, True, False, False]
    assert of["benign"]["LDLR"].tolist() == [False, False, True, False]
    classes = [one for kinds in CLASSES.values() for one in kinds]
    assert sorted(classes) == [1, 2, 3, 4, 5], "no definition of a carrier holds another"


def test_uncertain_variants_count_if_they_are_rare_and_change_the_protein() -> None:
    found = calls(
        (1, "TTN", "heterozygous", "missense_variant", 0.01, 3),
        (2, "TTN", "heterozygous", "synonymous_variant", 1e-5, 3),
        (3, "TTN", "heterozygous", "missense_variant", np.nan, 3),
    )
    carried = reading.find_carriers(found, PATIENTS, "uncertain").table["TTN"]
    assert carried.tolist() == [False, False, True, False]


def test_findings_that_cannot_be_placed_are_left_out_and_counted() -> None:
    found = calls(
        (1, "MLL2", *MISSENSE, 5),
        (2, "TTN", None, "missense_variant", 1e-5, 5),
        (3, "TTN", "heterozygous", "odd_variant", 1e-5, 5),
        (99, "TTN", *MISSENSE, 5),
        (4, "TTN", *MISSENSE, 5),
    )
    carriers = reading.find_carriers(found, PATIENTS, "pathogenic")
    assert carriers.odd == {"gene": 1, "zygosity": 1, "consequence": 1, "stranger": 1}
    assert carriers.table.to_numpy().sum() == 1
    sound = reading.find_carriers(found.iloc[[4]], PATIENTS, "pathogenic")
    assert not any(sound.odd.values())


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        (["HP:123"], "phenotype_form"),
        (["HP:0000365", "hearing"], "phenotype_form"),
        (["HP:9999999"], "phenotype_unknown"),
        (["HP:0000365"] * 9, "phenotypes_too_many"),
    ],
)
def test_phenotypes_that_cannot_be_asked_for(codes: list[str], code: str) -> None:
    phenotypes = pd.DataFrame({"person": [2], "code": ["HP:0000365"], "name": [None]})
    having = reading.list_having(phenotypes, PATIENTS, ["HP:0000365"])
    assert having["HP:0000365"].tolist() == [False, True, False, False]
    assert reading.name_phenotypes(phenotypes) == {"HP:0000365": "HP:0000365"}
    with pytest.raises(DataProblem) as raised:
        reading.list_having(phenotypes, PATIENTS, codes)
    assert raised.value.code == code


def test_carriers_are_counted_by_gene_and_phenotype() -> None:
    carriers = pd.DataFrame({"TTN": [True, True, False, False], "LDLR": [False] * 4})
    having = pd.DataFrame({"HP:1": [True, False, True, False]})
    counts = burden.count_carriers(carriers, having).set_index("gene")
    assert counts.loc["TTN"].tolist() == ["HP:1", 2, 1, 1, 1, 1]
    assert counts.loc["LDLR"].tolist() == ["HP:1", 0, 0, 0, 2, 2]


def drawn(number: int, ratio: float, seed: int) -> tuple[pd.DataFrame, ...]:
    rng = np.random.default_rng(seed)
    patients = pd.DataFrame(
        {
            "person": range(number),
            "sex": rng.choice(["F", "M"], number),
            "age": rng.integers(20, 80, number),
            "component": rng.normal(size=number),
        }
    )
    carried = rng.random(number) < 0.1
    odds = 0.2 * ratio**carried
    having = pd.DataFrame({"HP:1": rng.random(number) < odds / (1 + odds)})
    return pd.DataFrame({"TTN": carried, "PTEN": np.arange(number) < 3}), having, patients


def test_in_large_numbers_firth_is_the_usual_estimate() -> None:
    carriers, having, patients = drawn(20_000, 2.0, 1)
    counts = burden.count_carriers(carriers, having)
    found = burden.measure_burden(counts, carriers, having, patients).iloc[0]
    design = sm.add_constant(
        burden.describe_patients(patients).assign(carrier=carriers["TTN"].astype(float))
    )
    usual = sm.Logit(having["HP:1"].astype(float), design).fit(disp=0)
    assert np.log(found["odds_ratio"]) == pytest.approx(usual.params["carrier"], abs=0.002)
    interval = usual.conf_int().loc["carrier"].to_numpy()
    assert np.log([found["low"], found["high"]]) == pytest.approx(interval, abs=0.004)
    crude = burden.measure_enrichment(counts).iloc[0]
    assert crude["low"] < found["odds_ratio"] < crude["high"]


def test_where_all_carriers_have_it_the_estimate_is_finite() -> None:
    exposed = np.repeat([True, False], [20, 40])
    trait = np.repeat([True, True, False], [20, 10, 30])
    covariate = np.random.default_rng(0).normal(size=60)
    found = estimate_odds_ratio(trait, exposed, covariate[:, None])
    design = np.column_stack([np.ones(60), covariate, exposed])

    def lost(beta: np.ndarray) -> float:
        chance = 1 / (1 + np.exp(-design @ beta))
        information = design.T @ np.diag(chance * (1 - chance)) @ design
        likelihood = np.log(np.where(trait, chance, 1 - chance)).sum()
        return -float(likelihood + np.log(np.linalg.det(information)) / 2)

    best = minimize(lost, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9})
    assert np.log(found.estimate) == pytest.approx(best.x[2], abs=1e-4)
    held = minimize(
        lambda rest: lost(np.append(rest, np.log(found.low))), best.x[:2], method="Nelder-Mead"
    )
    assert 2 * (held.fun - best.fun) == pytest.approx(chi2.ppf(0.95, 1), abs=0.01)
    assert found.p < 1e-6
    assert np.isfinite(found.high)


def test_what_rests_on_few_has_no_estimate_and_is_corrected_for() -> None:
    carriers, having, patients = drawn(400, 1.0, 2)
    carriers["LDLR"] = having["HP:1"].to_numpy() & (np.arange(400) < 200)
    counts = burden.count_carriers(carriers, having)
    tested = burden.measure_burden(counts, carriers, having, patients)
    assert list(tested["term"]) == ["TTN HP:1", "LDLR HP:1"], "three carriers are not tested"
    told = burden.keep_told(counts, tested)
    small = counts.set_index("gene").loc["LDLR"]
    assert small["carriers_lacking"] == 0
    assert "LDLR HP:1" not in set(told["term"])
    assert (tested["q"] >= tested["p"]).all()


def test_patients_of_whom_something_is_unknown_are_not_in_the_adjusted_ratios() -> None:
    assert burden.describe_patients(PATIENTS).isna().any(axis=1).tolist() == [
        *(False, False, True, True)
    ]
