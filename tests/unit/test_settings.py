"""The settings: what `wardbook init` writes is accepted, and each mistake is told with its mend."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sample_settings import load_sample, write_sample

from pipelines.sample_settings import SAMPLE
from wardbook.errors import SettingsFault
from wardbook.settings import Settings, load_settings


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(SettingsFault) as caught:
        load_sample(folder, text)
    return str(caught.value)


def test_the_sample_is_accepted_and_names_every_setting(tmp_path: Path) -> None:
    settings = load_sample(tmp_path)
    assert settings.unit.language == "fr"
    optional = {"templates", "account", "address"}
    for model in (type(getattr(settings, name)) for name in Settings.model_fields):
        for key in getattr(model, "model_fields", {}):
            assert key in SAMPLE or key in {"token"} | optional, key


def test_relative_paths_are_the_files_own(tmp_path: Path) -> None:
    settings = load_sample(tmp_path)
    assert settings.unit.state == tmp_path / "state"
    assert settings.ledger == f"sqlite:///{tmp_path}/state/ledger.db"
    assert settings.sources["spf"].path.is_relative_to(tmp_path)


def test_an_unknown_key_is_refused_with_the_near_one(tmp_path: Path) -> None:
    message = refusal(tmp_path, SAMPLE.replace("overlap_minutes", "overlap_minuts"))
    assert "jira.overlap_minuts is not a setting. Did you mean `overlap_minutes`?" in message


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    message = refusal(tmp_path, SAMPLE.replace('project = "DATA"\n', ""))
    assert "jira.project is missing" in message


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = SAMPLE.replace('project = "DATA"\n', "").replace("workers = 2", "workers = 0")
    message = refusal(tmp_path, text)
    assert "jira.project" in message
    assert "executor.workers" in message


def test_a_wrong_fingerprint_is_refused(tmp_path: Path) -> None:
    assert "seal.signer" in refusal(tmp_path, SAMPLE.replace("0" * 40, "0" * 16))


def test_a_missing_file_names_init(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault, match="wardbook init"):
        load_settings(tmp_path / "wardbook.toml", {})


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    assert "line 3" in refusal(tmp_path, "a = 1\nb = 2\nc = = 3\n")


def test_a_missing_token_says_where_to_set_it(tmp_path: Path) -> None:
    text = SAMPLE.replace('token_file = "state/jira.token"\n', "")
    with pytest.raises(SettingsFault, match="WARDBOOK_JIRA_TOKEN"):
        load_settings(write_sample(tmp_path, text), {"WARDBOOK_GITLAB_TOKEN": "b"})


def test_a_token_in_plain_sight_is_refused_without_repeating_it(tmp_path: Path) -> None:
    text = SAMPLE.replace('token_file = "state/jira.token"', 'token = "hunter2"')
    message = refusal(tmp_path, text)
    assert "plain sight" in message
    assert "hunter2" not in message


def test_a_token_file_must_be_private(tmp_path: Path) -> None:
    token = tmp_path / "state" / "jira.token"
    token.parent.mkdir()
    token.write_text("s3cret\n")
    token.chmod(0o644)
    environ = {"WARDBOOK_GITLAB_TOKEN": "b"}
    with pytest.raises(SettingsFault, match="chmod 600"):
        load_settings(write_sample(tmp_path), environ)
    token.chmod(0o600)
    settings = load_settings(write_sample(tmp_path), environ)
    assert settings.jira.token.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings)


def test_the_environment_gives_the_ledgers_address(tmp_path: Path) -> None:
    environ = {
        "WARDBOOK_JIRA_TOKEN": "a",
        "WARDBOOK_GITLAB_TOKEN": "b",
        "WARDBOOK_LEDGER_URL": "postgresql://unit@db/ledger",
    }
    assert load_settings(write_sample(tmp_path), environ).ledger == "postgresql://unit@db/ledger"


WEBHOOKS = SAMPLE[SAMPLE.index("# [webhooks]") : SAMPLE.index("# How outputs are reviewed")]
WITH_WEBHOOKS = SAMPLE.replace(WEBHOOKS, re.sub(r"(?m)^# ", "", WEBHOOKS))
SIGNING = "whsec_" + "A" * 43 + "="


def test_the_sample_of_webhooks_is_accepted_with_its_secrets_from_files(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    secrets = {
        "jira-webhook": "secret de seize lettres",
        "gitlab-webhook": "jeton de seize lettres",
        "gitlab-signing": SIGNING,
    }
    for name, secret in secrets.items():
        file = tmp_path / "state" / f"{name}.secret"
        file.write_text(secret + "\n")
        file.chmod(0o600)
    webhooks = load_sample(tmp_path, WITH_WEBHOOKS).webhooks
    assert webhooks is not None
    assert (webhooks.host, webhooks.port, webhooks.max_bytes) == ("127.0.0.1", 8089, 1_048_576)
    found = (webhooks.jira_secret, webhooks.gitlab_secret, webhooks.gitlab_signing_secret)
    assert [secret and secret.get_secret_value() for secret in found] == list(secrets.values())
    assert load_sample(tmp_path).webhooks is None


@pytest.mark.parametrize(
    ("lines", "environ", "told"),
    [
        ("", {}, "no secret"),
        ("", {"WARDBOOK_JIRA_WEBHOOK_SECRET": ""}, "webhooks.jira_secret"),
        ("", {"WARDBOOK_JIRA_WEBHOOK_SECRET": "court"}, "at least 16"),
        ("", {"WARDBOOK_GITLAB_SIGNING_SECRET": SIGNING[6:]}, "whsec_"),
        ("", {"WARDBOOK_GITLAB_SIGNING_SECRET": "whsec_c2hvcnQ="}, "24 bytes"),
        ("port = 70000", {"WARDBOOK_GITLAB_SIGNING_SECRET": SIGNING}, "webhooks.port"),
        ('jira_secret = "hunter2hunter2hunter2"', {}, "plain sight"),
        ('jira_secret_file = "absent"', {}, "jira_secret_file"),
    ],
)
def test_webhooks_are_refused_with_their_mend(
    tmp_path: Path, lines: str, environ: dict[str, str], told: str
) -> None:
    file = write_sample(tmp_path, f"{SAMPLE}\n[webhooks]\n{lines}\n")
    tokens = {"WARDBOOK_JIRA_TOKEN": "a", "WARDBOOK_GITLAB_TOKEN": "b"}
    with pytest.raises(SettingsFault, match=re.escape(told)) as caught:
        load_settings(file, tokens | environ)
    assert "hunter2" not in str(caught.value)
    for secret in environ.values():
        assert not secret or secret not in str(caught.value)


def test_metrics_stand_in_the_state_folder_unless_told_otherwise(tmp_path: Path) -> None:
    assert load_sample(tmp_path).metrics_database == f"sqlite:///{tmp_path}/state/metrics.db"
    text = SAMPLE.replace("[grafana]", '[grafana]\ndatabase = "sqlite:///other/m.db"')
    assert load_sample(tmp_path, text).metrics_database == f"sqlite:///{tmp_path}/other/m.db"
    environ = {
        "WARDBOOK_JIRA_TOKEN": "a",
        "WARDBOOK_GITLAB_TOKEN": "b",
        "WARDBOOK_GRAFANA_TOKEN": "glsa_s3cret",
        "WARDBOOK_METRICS_URL": "postgresql://unit:s3cret@db/metrics",
    }
    settings = load_settings(write_sample(tmp_path, text), environ)
    assert settings.metrics_database == "postgresql://unit:s3cret@db/metrics"
    assert settings.grafana.token is not None
    assert settings.grafana.token.get_secret_value() == "glsa_s3cret"
    assert "glsa_s3cret" not in repr(settings)


def test_a_metrics_database_of_another_kind_is_refused(tmp_path: Path) -> None:
    text = SAMPLE.replace("[grafana]", '[grafana]\ndatabase = "mysql://db/metrics"')
    assert "grafana.database" in refusal(tmp_path, text)


DATABASE = """
[sources.warehouse]
kind = "omop"
address = "postgresql://reader@cdw/omop?schema=cdm"
sensitivity = "sensitive"
"""
WAREHOUSE = "WARDBOOK_SOURCE_WAREHOUSE_PASSWORD"


def test_a_databases_password_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    tokens = {"WARDBOOK_JIRA_TOKEN": "a", "WARDBOOK_GITLAB_TOKEN": "b"}
    file = write_sample(tmp_path, SAMPLE + DATABASE + 'password_file = "cdw"\n')
    (tmp_path / "cdw").write_text("hunter2\n")
    (tmp_path / "cdw").chmod(0o600)
    for environ, secret in (({}, "hunter2"), ({WAREHOUSE: "hunter3"}, "hunter3")):
        settings = load_settings(file, tokens | environ)
        password = settings.sources["warehouse"].password
        assert password is not None
        assert password.get_secret_value() == secret
        assert "hunter" not in repr(settings)
    (tmp_path / "cdw").chmod(0o640)
    with pytest.raises(SettingsFault, match="chmod 600"):
        load_settings(file, tokens)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("[sources.w", "[sources.w", None),
        ("sensitivity", 'password = "hunter2"\nsensitivity', "plain sight"),
        ("reader@", "reader:hunter2@", "plain sight"),
        ("?schema=cdm", "?password=hunter2", "plain sight"),
        ('kind = "omop"', 'kind = "ward-stays"', "`address` goes with"),
        ('address = "postgresql://reader@cdw/omop?schema=cdm"', 'path = "a.csv"', "`address`"),
        ("sensitivity", 'refresh = "often"\nsensitivity', "sources.warehouse.refresh"),
        ("sensitivity", 'services = ["Lingerie"]\nsensitivity', "no service 'Lingerie'"),
        ("sensitivity", 'purposes = ["curiosity"]\nsensitivity', "sources.warehouse.purposes"),
        ("sensitivity", 'tables = { person = "a; drop" }\nsensitivity', "tables.person"),
    ],
)
def test_a_database_is_refused_with_its_mend(
    tmp_path: Path, before: str, after: str, told: str | None
) -> None:
    changed = DATABASE.replace(before, after)
    if told is None:
        settings = load_sample(tmp_path, SAMPLE + changed)
        assert settings.sources["warehouse"].is_database
        return
    message = refusal(tmp_path, SAMPLE + changed)
    assert told in message
    assert "hunter2" not in message


def test_the_age_of_data_is_a_span(tmp_path: Path) -> None:
    for text, span in (("2 days", timedelta(days=2)), ("1 week", timedelta(weeks=1)), ("", None)):
        sample = SAMPLE + DATABASE + (f'refresh = "{text}"\n' if text else "")
        assert load_sample(tmp_path, sample).sources["warehouse"].oldest == span
