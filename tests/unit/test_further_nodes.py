"""What a run on several nodes is told of its job, and what it asks of Slurm for the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError
from trial_runs import make_run

from wardbook.compute import open_nodes
from wardbook.domain.run import RunSpec
from wardbook.engines.further_nodes import build_sbatch, build_scancel, keep_of_job
from wardbook.engines.scratch import build_environment
from wardbook.errors import EnvironmentFault
from wardbook.settings import SlurmSettings
from wardbook.template.spec import ResourcesSpec

JOB = {
    "WARDBOOK_JOB": "17",
    "SLURM_CONF": "/etc/slurm/slurm.conf",
    "SLURM_JOB_PARTITION": "short",
    "SLURM_JOB_QOS": "normal",
    "SLURM_MEM_PER_NODE": "1400",
    "SLURMD_NODENAME": "n1",
}
HOSTILE = [
    "short --exclusive",
    "short\n#SBATCH --exclusive",
    "short\n",
    "short\r",
    "short;id",
    "$(id)",
    "`id`",
    "a'b",
    'a"b',
    "a\tb",
    "a\x00b",
    "a/b",
    "%j",
    "é",
    "x" * 101,
]


def spec(parent: Path, **given: object) -> RunSpec:
    return RunSpec.read(make_run(parent, "run", cpus=2, memory_mb=1000, **given))


def test_a_run_is_told_of_its_job_only_if_it_may_ask_for_nodes(tmp_path: Path) -> None:
    several = spec(tmp_path, nodes=2)
    one = RunSpec(**(vars(several) | {"nodes": 1}))
    job = JOB | {"SLURM_JOB_USER": "unit", "WARDBOOK_JIRA_TOKEN": "secret"}
    assert keep_of_job(several, job) == JOB
    assert keep_of_job(one, job) == {}
    elsewhere = {name: value for name, value in job.items() if name != "WARDBOOK_JOB"}
    assert keep_of_job(several, elsewhere) == {}
    environment = build_environment(tmp_path, several, job, tmp_path)
    assert environment.items() >= JOB.items()
    assert "secret" not in environment.values()


def test_workers_are_handed_over_by_arguments_alone(tmp_path: Path) -> None:
    folder = Path("/srv/state/100%/run")
    assert build_sbatch(spec(tmp_path, nodes=3, gres="gpu:1"), folder, JOB, 61.0) == [
        *("sbatch", "--parsable", "--export=NONE", "--propagate=NONE", "--no-requeue"),
        *("--nodes=1", "--ntasks=1", "--cpus-per-task=2", "--mem=1400M", "--time=2"),
        *("--job-name=wardbook-for-17", "--output=/srv/state/100%%/run/workers.log"),
        *("--open-mode=append", "--chdir=/srv/state/100%/run/scratch"),
        *("--partition=short", "--qos=normal", "--gres=gpu:1"),
    ]
    assert build_scancel(17) == ["scancel", "--me", "--name=wardbook-for-17"]


def test_a_folder_that_a_script_cannot_bear_is_refused(tmp_path: Path) -> None:
    odd = tmp_path / "a b"
    odd.mkdir()
    run = make_run(odd, "run", nodes=2)
    with pytest.raises(EnvironmentFault, match="plain name"):
        open_nodes(run, JOB)


@pytest.mark.parametrize("word", HOSTILE)
@pytest.mark.parametrize("name", ["partition", "gres"])
def test_hostile_words_of_a_template_are_refused(name: str, word: str) -> None:
    with pytest.raises(ValidationError, match=name):
        ResourcesSpec.model_validate({name: word})


@pytest.mark.parametrize("word", HOSTILE)
@pytest.mark.parametrize("name", ["partition", "account", "qos"])
def test_hostile_words_of_the_settings_are_refused(name: str, word: str) -> None:
    with pytest.raises(ValidationError, match=name):
        SlurmSettings.model_validate({"kind": "slurm", name: word})


@pytest.mark.parametrize("nodes", [0, -1, 65, 1.5, "two"])
def test_a_template_asks_for_one_to_64_nodes(nodes: object) -> None:
    with pytest.raises(ValidationError, match="nodes"):
        ResourcesSpec.model_validate({"nodes": nodes})
    assert ResourcesSpec.model_validate({"nodes": 64, "partition": "gpu", "gres": "gpu:1"}).nodes
