"""The settings of the executor: which kind, and words that may go to Slurm."""

from __future__ import annotations

from pathlib import Path

import pytest
from sample_settings import load_sample

from pipelines.sample_settings import SAMPLE
from wardbook.errors import SettingsFault
from wardbook.settings import DaskSettings, SlurmSettings

DASK = 'kind = "dask"\nworkers = 2 '


def with_slurm(*lines: str) -> str:
    assert DASK in SAMPLE
    chosen = "\n".join(['kind = "slurm"', *lines])
    return SAMPLE.replace(DASK, f"{chosen}\n#")


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(SettingsFault) as caught:
        load_sample(folder, text)
    return str(caught.value)


def test_dask_is_the_default(tmp_path: Path) -> None:
    text = SAMPLE.replace('kind = "dask"\n', "")
    assert load_sample(tmp_path, text).executor == DaskSettings()


def test_slurm_may_be_left_to_itself(tmp_path: Path) -> None:
    assert load_sample(tmp_path, with_slurm()).executor == SlurmSettings(kind="slurm")


def test_every_key_of_the_sample_is_one(tmp_path: Path) -> None:
    begin = SAMPLE.index("# Or Slurm")
    commented = SAMPLE[begin : SAMPLE.index("\n\n", begin)].splitlines()[1:]
    lines = [line.removeprefix("# ") for line in commented]
    chosen = load_sample(tmp_path, with_slurm(*lines[1:])).executor
    assert isinstance(chosen, SlurmSettings)
    assert set(chosen.model_dump(exclude_unset=True)) == set(SlurmSettings.model_fields)


def test_slurms_configuration_is_found_from_the_settings_folder(tmp_path: Path) -> None:
    chosen = load_sample(tmp_path, with_slurm('conf = "cluster/slurm.conf"')).executor
    assert isinstance(chosen, SlurmSettings)
    assert chosen.conf == tmp_path / "cluster" / "slurm.conf"


@pytest.mark.parametrize(
    "word", ["two words", "line\\nbreak", "-p", "a;b", "$(id)", "a'b", "x" * 101, "tab\\t"]
)
@pytest.mark.parametrize("key", ["partition", "account", "qos"])
def test_what_is_no_word_of_slurms_is_refused(tmp_path: Path, key: str, word: str) -> None:
    message = refusal(tmp_path, with_slurm(f'{key} = "{word}"'))
    assert f"executor.{key}: " in message
    assert "letters, digits" in message


def test_an_interpreter_must_be_named_whole(tmp_path: Path) -> None:
    assert "executor.python: " in refusal(tmp_path, with_slurm('python = "python3"'))


def test_another_kind_is_refused_with_those_there_are(tmp_path: Path) -> None:
    message = refusal(tmp_path, SAMPLE.replace('kind = "dask"', 'kind = "slrum"'))
    assert 'executor: kind is "dask" or "slurm"' in message


def test_a_key_of_the_other_kind_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, with_slurm("workers = 2"))
    assert "executor.workers is not a setting" in message
