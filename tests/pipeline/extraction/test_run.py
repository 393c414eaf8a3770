"""What a stage says and leaves when it is done: rejects by name, and the timing of its last work."""

import json
from pathlib import Path

import pytest

from pipeline.extraction.engine import InProcess
from pipeline.extraction.grouping import Group
from pipeline.extraction.run import extract
from pipeline.rejects import Reject
from tests.pipeline.extraction.toy_job import ToyJob, toy_clips, toy_output


def run(folder: Path, *orders: str, number: str = "one") -> list[Reject]:
    clips = toy_clips(*orders)
    return extract(
        "toys",
        ToyJob(toy_output(folder, number)),
        lambda: iter([Group(0, clips)]),
        engine=InProcess(),
        timing=folder / "timing.json",
        max_reject_fraction=0.9,
    )


def test_rejected_clips_are_named_and_the_list_of_all_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(tmp_path, "keep", "reject")
    assert f"toys: 1 clip rejected: t/1 (silent); see {tmp_path / 'rejects.csv'}" in caplog.text
    caplog.clear()
    run(tmp_path / "many", "keep", *["reject"] * 7)
    assert "7 clips rejected: t/1 (silent), t/2 (silent)" in caplog.text
    assert "t/5 (silent) and 2 more; see" in caplog.text
    caplog.clear()
    run(tmp_path / "none", "keep")
    assert "rejected" not in caplog.text


@pytest.mark.parametrize("orders", [("keep", "keep"), ("keep", "reject", "keep")])
def test_a_run_with_nothing_to_do_says_so_and_keeps_the_last_timing(
    tmp_path: Path, orders: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, *orders)
    first = json.loads((tmp_path / "timing.json").read_text())
    assert first["audio_s"] == 2.0
    assert "× real time" in capsys.readouterr().err
    run(tmp_path, *orders, number="two")
    said = capsys.readouterr().err
    assert said.startswith("toys: nothing to do: 2 clips stand")
    assert ("1 rejected" in said) is ("reject" in orders)
    assert "real time" not in said
    assert json.loads((tmp_path / "timing.json").read_text()) == first
    run(tmp_path, *orders, "keep", number="three")
    assert f"{len(orders) + 1} clips (2 stood already)" in capsys.readouterr().err
    assert json.loads((tmp_path / "timing.json").read_text())["audio_s"] == 1.0
