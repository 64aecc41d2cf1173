"""Policies: what comes with Wardbook is sound, a wrong file is told, the strictest holds."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from sample_settings import load_sample, make_settings

from pipelines.house import House
from pipelines.sample_settings import SAMPLE
from tests.sample_outputs import policy
from wardbook.disclosure import choose_policy, load_policies, load_policy
from wardbook.disclosure.policy import SCALES, Policy, laxer_keys
from wardbook.domain.output import Check, Verdict
from wardbook.domain.record import Work
from wardbook.errors import SettingsFault
from wardbook.ledger.columns import JSON_COLUMNS
from wardbook.shipped import shipped_folder
from wardbook.template.spec import load_template

FOLDER = shipped_folder("policies")
FR = (FOLDER / "fr-hospital.toml").read_text(encoding="utf-8")


def write(folder: Path, text: str, name: str = "fr-hospital") -> Path:
    file = folder / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    return file


def fault(folder: Path, old: str, new: str) -> str:
    assert old in FR
    file = write(folder, FR.replace(old, new))
    with pytest.raises(SettingsFault) as caught:
        load_policy(file)
    assert str(file) in str(caught.value)
    return str(caught.value)


def test_the_numbers_that_were_promised() -> None:
    fr = policy()
    assert (fr.minimum_count, fr.degrees_of_freedom, fr.p_ratio) == (11, 10, 0.10)
    assert {(rule.largest, rule.share) for rule in fr.dominance} == {(2, 0.90), (1, 0.85)}
    assert (fr.rounding_base, fr.redact_up_to) == (5, 12)
    assert set(load_policies(FOLDER)) == {"fr-hospital", "opensafely-like", "acro-default"}


def test_name_version_and_digest_are_those_of_the_file(tmp_path: Path) -> None:
    reference = policy().reference
    raw = (FOLDER / "fr-hospital.toml").read_bytes()
    assert reference.digest == hashlib.sha256(raw).hexdigest()
    assert str(reference) == f"fr-hospital {policy().version} sha256:{reference.digest}"
    changed = load_policy(write(tmp_path, FR + "# a word more\n"))
    assert changed.digest != reference.digest
    assert changed.model_dump(exclude={"digest"}) == policy().model_dump(exclude={"digest"})


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("minimum_count = 11", "minimum_count = 1", "minimum_count"),
        ("minimum_count = 11", 'minimum_count = "eleven"', "minimum_count"),
        ("minimum_count = 11", "minimal_count = 11", "minimal_count"),
        ('zeros = "class"', 'zeros = "sometimes"', "zeros"),
        ("share = 0.90", "share = 90", "dominance.0.share"),
        ('".csv", ', '"csv", ', "file_types.0"),
        ("p_ratio = 0.10\n", "", "p_ratio"),
        ('version = "1.0.0"', 'version = "new"', "version"),
        ('name = "fr-hospital"', 'name = "other"', "name"),
        ('name = "fr-hospital"', 'name = "fr-hospital"\ndigest = "a"', "digest"),
        ("minimum_count = 11", "minimum_count = ", "TOML"),
        ("redact_up_to = 12", "redact_up_to = 9", "at least 10"),
        ("redact_up_to = 12", "redact_up_to = 11", "write 12"),
        ("redact_up_to = 12", "redact_up_to = 13", "write 17"),
        ("rounding_base = 5", "rounding_base = 10", "write 14"),
    ],
)
def test_a_wrong_file_is_told_by_file_and_key(
    old: str, new: str, told: str, tmp_path: Path
) -> None:
    assert told in fault(tmp_path, old, new)


def test_a_missing_policy_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault, match="cannot be read"):
        load_policy(tmp_path / "none.toml")
    with pytest.raises(SettingsFault, match=r"service X.*no policy 'none'.*acro-default"):
        choose_policy(load_policies(FOLDER), "fr-hospital", {"service X": "none"})


def test_every_key_has_its_scale() -> None:
    assert set(SCALES) == set(Policy.model_fields) - {"name", "version", "digest"}


STRICTER = {
    "minimum_count": 12, "zeros": "held", "rounding_base": 6, "redact_up_to": 17, "p_ratio": 0.2,
    "dominance": (*policy().dominance, policy().dominance[0].model_copy(update={"share": 0.5})),
    "beyond_percentile": 12, "survival_count": 12, "degrees_of_freedom": 11, "extremes": "refuse",
    "figures": "hold", "models": "refuse", "file_types": (".csv",), "most_bytes": 1,
    "most_rows": 1, "approvals": policy().approvals.model_copy(update={"held": 2}),
}  # fmt: skip


@pytest.mark.parametrize("key", SCALES)
def test_a_stricter_key_is_seen_as_such(key: str) -> None:
    stricter = policy(**{key: STRICTER[key]})
    assert laxer_keys(stricter, policy()) == ()
    assert laxer_keys(policy(), stricter) == (key,)


def test_the_strictest_that_somebody_asks_for_holds() -> None:
    strict = policy(minimum_count=13, name="strict")
    lax = policy(p_ratio=0.0, name="lax")
    mixed = policy(minimum_count=13, p_ratio=0.0, name="mixed")
    known = {one.name: one for one in (policy(), strict, lax, mixed)}
    chosen = {
        asked: choose_policy(known, "fr-hospital", {"the service": "", "the template": asked}).name
        for asked in ("", "strict", "lax", "fr-hospital")
    }
    assert chosen == {
        "": "fr-hospital", "strict": "strict", "lax": "fr-hospital", "fr-hospital": "fr-hospital",
    }  # fmt: skip
    with pytest.raises(SettingsFault, match=r"the template asks for.*mixed.*laxer.*p_ratio"):
        choose_policy(known, "fr-hospital", {"the template": "mixed"})


def house_of(folder: Path, **names: str) -> House:
    """A house whose unit, service and template name these policies; `folder` holds a strict one."""
    strict = FR.replace('name = "fr-hospital"', 'name = "strict"')
    write(folder, strict.replace("minimum_count = 11", "minimum_count = 12"), "strict")
    write(folder, FR)
    settings = make_settings(disclosure={"policy": names["unit"], "policies": folder})
    service = settings.services["Direction médicale"].model_copy(
        update={"policy": names["service"]}
    )
    return House(settings.model_copy(update={"services": {"Direction médicale": service}}))


@pytest.mark.parametrize(
    ("unit", "service", "of_template", "chosen"),
    [
        ("fr-hospital", "", "", "fr-hospital"),
        ("fr-hospital", "strict", "", "strict"),
        ("fr-hospital", "", "strict", "strict"),
        ("strict", "fr-hospital", "", "strict"),
    ],
)
def test_the_house_asks_unit_service_and_template(
    unit: str, service: str, of_template: str, chosen: str, tmp_path: Path
) -> None:
    template = load_template(shipped_folder("templates") / "line_list")
    spec = template.spec.model_copy(update={"policy": of_template})
    house = house_of(tmp_path, unit=unit, service=service)
    assert house.policy_for("Direction médicale", replace(template, spec=spec)).name == chosen


def test_the_default_is_the_french_one_and_its_own_folder_is_relative(tmp_path: Path) -> None:
    assert House(make_settings()).policies["fr-hospital"] == policy()
    text = SAMPLE.replace('# policies = "policies"', 'policies = "ours"')
    assert load_sample(tmp_path, text).disclosure.policies == tmp_path / "ours"
    assert load_sample(tmp_path).disclosure.policy == "fr-hospital"


def test_the_policy_of_a_check_outlives_the_ledger() -> None:
    check = Check("t", "cells", Verdict.HOLD, "small_counts", (("cells", "2"),), policy().reference)
    work = JSON_COLUMNS["work"]
    kept = json.loads(json.dumps(work.dump_python(Work(checks=(check,)), mode="json")))
    assert work.validate_python(kept).checks == (check,)
    # What was checked before policies were kept is still read.
    for key in ("policy", "approvals"):
        del kept["checks"][0][key]
    assert work.validate_python(kept).checks[0].policy is None
