"""Rejected clips are listed; too many stop the stage with the commonest reason."""

import csv
from pathlib import Path
from typing import get_args

import pytest

from featurize.errors import Reason, RejectsError, SerError
from pipeline.rejects import ADVICE, Reject, check_rejects, read_rejects, write_rejects

REJECTS = [
    Reject("a", "a.wav", "empty", "a.wav holds no bytes"),
    Reject("b", 'b,"x".wav', "silent", "b.wav is silent"),
    Reject("c", "c.wav", "silent", "c.wav is silent"),
]


def test_the_list_is_readable_csv(tmp_path: Path) -> None:
    write_rejects(tmp_path / "rejects.csv", REJECTS)
    with (tmp_path / "rejects.csv").open(newline="", encoding="utf-8") as file:
        assert [tuple(row.values()) for row in csv.DictReader(file)] == REJECTS
    assert read_rejects(tmp_path / "rejects.csv", "denoise") == REJECTS


def test_a_list_that_is_none_names_the_stage_to_run(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    with pytest.raises(SerError, match=r"rejects\.csv: missing; run `ser denoise` first"):
        read_rejects(path, "denoise")
    for content in (b"", b"clip_id,path,reason\n", b"\xff\xfe{"):
        path.write_bytes(content)
        with pytest.raises(SerError, match=r"rejects\.csv: .*run `ser denoise` again"):
            read_rejects(path, "denoise")


def test_there_is_advice_for_every_reason() -> None:
    assert tuple(ADVICE) == get_args(Reason)


def test_few_rejects_pass(tmp_path: Path) -> None:
    check_rejects(tmp_path / "rejects.csv", REJECTS, 30, 0.1)
    check_rejects(tmp_path / "rejects.csv", [], 5, 0.0)


@pytest.mark.parametrize(("num_clips", "max_fraction"), [(29, 0.1), (3, 1.0)])
def test_too_many_stop_the_stage(tmp_path: Path, num_clips: int, max_fraction: float) -> None:
    with pytest.raises(RejectsError, match=r"2 silent, the first b\.wav is silent") as caught:
        check_rejects(tmp_path / "rejects.csv", REJECTS, num_clips, max_fraction)
    assert str(tmp_path / "rejects.csv") in str(caught.value)
