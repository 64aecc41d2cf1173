"""What is asked of Slurm, and how its answers are read: as recorded from Slurm 22.05.8."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from trial_runs import make_run

from pipelines.executors.slurm.commands import Answer, SlurmCommands
from pipelines.executors.slurm.queue import (
    Job,
    build_sacct,
    build_scancel,
    build_squeue,
    parse_sacct,
    parse_scancel,
    parse_squeue,
)
from pipelines.executors.slurm.submission import (
    MARGIN_MB,
    Blame,
    Refusal,
    Wanted,
    build_sbatch,
    parse_sbatch,
)
from wardbook.domain.run import RunSpec
from wardbook.errors import EnvironmentFault, ForeignFault
from wardbook.settings import SlurmSettings

BATCH = "0123456789abcdef" * 2
MARKED = f"wardbook:{BATCH}"
QUEUE = f"""\
1|0|3|COMPLETED|n1|1795316791|1795316792|{MARKED}|None
1|1|1|COMPLETED|n1|1795316791|1795316792|{MARKED}|None
2|0|2|FAILED|n2|1795316791|1795316791|{MARKED}|NonZeroExitCode
4|2|8|NODE_FAIL|n2|1795316796|1795316804|{MARKED}|NodeDown
4|5|4|PENDING||1795316860|1795316920|{MARKED}|Resources
5|N/A|5|PENDING||1795316856|1795316916|mine | other|Priority
11|0|11|PENDING||N/A|N/A|{MARKED}|PartitionTimeLimit
4|0|6|PREEMPTED|n1|1795316796|1795316800|{MARKED}|None
10|0|10|RUNNING|n1|1795316800|1795316860|{MARKED}|None
3|N/A|3|CANCELLED||1795316834|1795316834|{MARKED}|Priority
1|N/A|1|RUNNING|n1|1795316831|1795316891|(null)|None
"""
AWAY = "Unable to contact slurm controller (connect failure)"


def settings(**chosen: object) -> SlurmSettings:
    return SlurmSettings.model_validate({"kind": "slurm"} | chosen)


def refused(*errors: str) -> Answer:
    return Answer(1, "", "".join(f"sbatch: error: {line}\n" for line in errors))


# --- the queue -----------------------------------------------------------------------------------


def test_one_question_is_asked_for_all_jobs() -> None:
    assert build_squeue() == [
        "squeue",
        "--me",
        "--name=wardbook",
        "--states=all",
        "--array",
        "--noheader",
        "--format=%F|%K|%A|%T|%N|%S|%e|%k|%r",
    ]


def test_jobs_of_ours_are_read_and_no_others() -> None:
    jobs = parse_squeue(Answer(0, QUEUE, ""))
    assert len(jobs) == 9
    assert jobs[0] == Job(1, 0, 3, "COMPLETED", "n1", 1.0, "None", BATCH)
    assert jobs[3] == Job(4, 2, 8, "NODE_FAIL", "n2", 8.0, "NodeDown", BATCH)
    assert jobs[5] == Job(11, 0, 11, "PENDING", "", None, "PartitionTimeLimit", BATCH)
    assert jobs[8] == Job(3, None, 3, "CANCELLED", "", 0.0, "Priority", BATCH)
    assert [job.name for job in jobs[:3]] == ["1_0", "1_1", "2_0"]
    assert jobs[8].name == "3"


@pytest.mark.parametrize("line", ["", "garbage", "1|0|3", f"x|0|3|RUNNING|n1|1|2|{MARKED}|None"])
def test_a_line_that_is_not_a_job_is_left_alone(line: str) -> None:
    assert parse_squeue(Answer(0, f"{line}\n", "")) == []


def test_a_silent_controller_is_no_empty_queue() -> None:
    with pytest.raises(ForeignFault, match=r"cannot be asked now \(Unable to contact"):
        parse_squeue(Answer(1, "", f"slurm_load_jobs error: {AWAY}\n"))


def test_the_database_is_asked_for_arrays_by_number() -> None:
    assert build_sacct([7, 3]) == [
        "sacct",
        "--allocations",
        "--noheader",
        "--parsable2",
        "--jobs=3,7",
        "--format=JobID,JobIDRaw,State,NodeList,Start,End",
    ]


def test_the_database_tells_tasks_of_arrays_asked_for() -> None:
    told = "\n".join(
        [
            "3_0|3|COMPLETED|n1|1795316791|1795316795",
            "3_1|4|CANCELLED by 1000|None assigned|Unknown|1795316795",
            "3_[2-9]|3|PENDING|None assigned|Unknown|Unknown",
            "8_0|8|COMPLETED|n1|1795316791|1795316795",
            "9|9|COMPLETED|n1|1795316791|1795316795",
        ]
    )
    assert parse_sacct(Answer(0, told, ""), {3: BATCH}) == [
        Job(3, 0, 3, "COMPLETED", "n1", 4.0, "", BATCH),
        Job(3, 1, 4, "CANCELLED by 1000", "None assigned", None, "", BATCH),
    ]


@pytest.mark.parametrize("status", [0, 1])
def test_a_cluster_without_accounts_is_told_apart_from_forgotten_jobs(status: int) -> None:
    with pytest.raises(ForeignFault, match="accounting = false"):
        parse_sacct(Answer(status, "", "Slurm accounting storage is disabled\n"), {3: BATCH})


def test_cancelling_names_each_job_and_minds_only_silence() -> None:
    jobs = [Job(3, 0, 3, "RUNNING"), Job(4, 7, 9, "PENDING")]
    assert build_scancel(jobs) == ["scancel", "3_0", "4_7"]
    parse_scancel(
        Answer(1, "", "scancel: error: Kill job error on job id 3_0: Invalid job id specified")
    )
    with pytest.raises(ForeignFault):
        parse_scancel(Answer(8, "", f"scancel: error: Kill job error on job id 3: {AWAY}"))


# --- the submission ------------------------------------------------------------------------------


@pytest.fixture
def spec(tmp_path: Path) -> RunSpec:
    folder = make_run(
        tmp_path, "data-12-abc", "1", request="DATA-12", cpus=2, memory_mb=1000, seconds=90.0
    )
    return RunSpec.read(folder)


def test_a_batch_is_handed_over_by_arguments_alone(spec: RunSpec, root: Path) -> None:
    chosen = settings(partition="normal", account="unit", qos="high")
    wanted = Wanted.of(spec, chosen, exclude="n3")
    batch = Path("/srv/state/100%/slurm") / BATCH
    script = root / "pipelines/executors/slurm/job.sh"
    assert build_sbatch(wanted, chosen, batch, 200, "/opt/python") == [
        *("sbatch", "--parsable", "--export=NONE", "--propagate=NONE", "--no-requeue"),
        *("--job-name=wardbook", f"--comment={MARKED}", "--array=0-199"),
        *("--nodes=1", "--ntasks=1", "--cpus-per-task=2", f"--mem={1000 + MARGIN_MB}M", "--time=3"),
        f"--output=/srv/state/100%%/slurm/{BATCH}/%a/slurm.log",
        *("--open-mode=append", "--chdir=/srv/state/100%/slurm"),
        *("--partition=normal", "--account=unit", "--qos=high", "--exclude=n3"),
        *(str(script), "/opt/python", str(batch)),
    ]


def test_the_templates_words_come_before_those_of_the_settings(spec: RunSpec) -> None:
    chosen = settings(partition="normal")
    own = RunSpec(**(vars(spec) | {"partition": "gpu", "gres": "gpu:1"}))
    command = build_sbatch(Wanted.of(own, chosen), chosen, Path("/s") / BATCH, 1, "/p")
    assert "--partition=gpu" in command
    assert "--gres=gpu:1" in command
    assert not [word for word in command if word.startswith(("--account", "--qos", "--exclude"))]


def test_nothing_of_the_ticket_goes_to_slurm(spec: RunSpec) -> None:
    command = build_sbatch(Wanted.of(spec, settings()), settings(), Path("/s") / BATCH, 1, "/p")
    assert not [word for word in command if re.search(r"data-12|DATA-12|trial", word)]


@pytest.mark.parametrize(("output", "number"), [("17\n", 17), ("17;cluster\n", 17)])
def test_the_arrays_number_is_read(output: str, number: int) -> None:
    assert parse_sbatch(Answer(0, output, ""), own_partition=False) == number


@pytest.mark.parametrize(
    ("errors", "own", "blame"),
    [
        (
            [
                "Memory specification can not be satisfied",
                "Batch job submission failed: Requested node configuration is not available",
            ],
            False,
            Blame.RUN,
        ),
        (["Invalid generic resource (gres) specification"], False, Blame.RUN),
        (["Batch job submission failed: Invalid node name specified"], False, Blame.RUN),
        (["Batch job submission failed: Invalid partition name specified"], True, Blame.RUN),
        (["Batch job submission failed: Invalid partition name specified"], False, Blame.UNIT),
        (["Batch job submission failed: Invalid job array specification"], False, Blame.UNIT),
        (
            [
                "Batch job submission failed: Job violates accounting/QOS policy (job submit "
                "limit, user's size and/or time limits)"
            ],
            False,
            Blame.UNIT,
        ),
        ([f"Batch job submission failed: {AWAY}"], False, Blame.SILENCE),
        (
            ["Batch job submission failed: Socket timed out on send/recv operation"],
            False,
            Blame.SILENCE,
        ),
    ],
)
def test_a_refusal_is_somebodys_matter(errors: list[str], own: bool, blame: Blame) -> None:
    answer = refused(*errors)
    assert parse_sbatch(answer, own_partition=own) == Refusal(blame, errors[-1])


def test_a_success_without_a_number_is_not_believed() -> None:
    taken = parse_sbatch(Answer(0, "thank you\n", ""), own_partition=False)
    assert isinstance(taken, Refusal)
    assert taken.blame is Blame.SILENCE


def test_what_slurm_complains_about_is_told_on_one_short_line() -> None:
    assert refused("first", "sec\x1b[31mond" + "x" * 500).reason.startswith("sec[31mond")
    assert len(refused("x" * 500).reason) == 200
    assert Answer(1, "", "").reason == "no reason was given"


# --- running -------------------------------------------------------------------------------------


def test_a_command_sees_an_environment_of_its_own() -> None:
    environ = {"PATH": "/bin:/usr/bin", "SBATCH_PARTITION": "other", "SQUEUE_FORMAT": "%i"}
    environ |= {"WARDBOOK_JIRA_TOKEN": "secret", "SLURM_CONF": "/etc/slurm/slurm.conf"}
    code = "import os; print(sorted(os.environ))"
    command = [sys.executable, "-c", code]
    told = SlurmCommands(None, environ).run(command).output
    assert told == "['LC_ALL', 'PATH', 'SLURM_CONF', 'SLURM_TIME_FORMAT']\n"
    code = "import os; print(os.environ['SLURM_CONF'])"
    command = [sys.executable, "-c", code]
    assert SlurmCommands(Path("/other.conf"), environ).run(command).output == "/other.conf\n"


def test_a_missing_command_says_what_to_install() -> None:
    with pytest.raises(EnvironmentFault, match="Install Slurm's client commands"):
        SlurmCommands(None, {"PATH": "/nowhere"}).run(["squeue"])


def test_a_command_that_hangs_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.executors.slurm.commands.TIMEOUT_SECONDS", 0.2)
    with pytest.raises(ForeignFault, match="did not answer"):
        SlurmCommands(None).run(["sleep", "60"])
