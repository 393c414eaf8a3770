"""Whatever a terminal can print, and whatever goes wrong: no command ends in a traceback."""

import csv
import io
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from featurize.errors import SerError
from pipeline import cli
from pipeline.cli import main
from pipeline.terminal import TRACEBACK, can_print

NAME = "Ärger 🎧 → …\udcff.wav"
ENCODINGS = ("ascii", "latin-1", "cp1252", "utf-8")


def printed(encoding: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    """Exit code of `ser` and what it prints on streams of an encoding."""
    streams = [io.BytesIO(), io.BytesIO()]
    texts = [io.TextIOWrapper(stream, encoding=encoding, newline="\n") for stream in streams]
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", texts[0])
        patch.setattr(sys, "stderr", texts[1])
        with pytest.raises(SystemExit) as left:
            main(arguments)
        for text in texts:
            text.flush()
    out, err = (stream.getvalue().decode(encoding) for stream in streams)
    return int(left.value.code or 0), out, err


@pytest.fixture
def named(small_run: Any, tmp_path: Path) -> Path:
    """A recording whose name has characters that few encodings have, and a byte that is no text."""
    try:
        (tmp_path / NAME).touch()
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    clip = next((small_run.data / "raw" / "demo").rglob("*.wav"))
    return Path(shutil.copy(clip, tmp_path / NAME))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_predictions_of_any_name(
    encoding: str, named: Path, small_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def predict(*options: str) -> str:
        arguments = ["predict", str(named), "-c", str(small_run.checkpoints), *options]
        code, out, err = printed(encoding, arguments, monkeypatch)
        assert (code, "Traceback" in err) == (0, False)
        return out

    assert "rger" in predict()
    assert os.fsencode(json.loads(predict("--json"))["file"]) == os.fsencode(named) or encoding == "utf-8"
    (row,) = csv.DictReader(io.StringIO(predict("--csv")))
    assert row["file"].endswith(".wav")
    assert row["file"] == str(named).encode(encoding, "replace").decode(encoding)
    code, _, err = printed(encoding, ["predict", f"{named}x", "-c", str(small_run.checkpoints)], monkeypatch)
    assert (code, len(err.splitlines())) == (2, 1)
    assert "no such file" in err


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_other_commands_print_on_any_terminal(
    encoding: str, named: Path, small_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = ["--data", str(small_run.data), "--reports", str(small_run.reports)]
    for arguments in (
        ["--help"],
        ["predict", "--help"],
        ["inspect", str(named)],
        ["doctor"],
        ["summary", *folders[2:]],
        ["compare", *[str(small_run.reports)] * 2],
        ["report", *folders],
    ):
        code, out, err = printed(encoding, arguments, monkeypatch)
        assert (code, out != "", "Traceback" in err) == (0, True, False), arguments


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (SerError("one\nline"), 2, "ser: one line"),
        (PermissionError(13, "Permission denied", "data/x"), 2, "ser: data/x: permission denied"),
        (
            OSError(28, "No space left on device"),
            2,
            "ser: the operating system refused: No space left on device",
        ),
        (OSError("no\nnumber"), 2, "ser: the operating system refused: no number"),
        (MemoryError(), 2, "ser: not enough memory"),
        (KeyError("speaker"), 1, "ser: a fault of the program, not of its input: KeyError: 'speaker' ("),
    ],
)
def test_what_goes_wrong_is_one_line(
    error: Exception, code: int, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    found = printed("utf-8", [], monkeypatch)
    assert found[0] == code
    assert found[2].startswith(line)
    assert len(found[2].splitlines()) == 1


def test_a_fault_of_the_program_shows_its_traceback_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise KeyError("speaker")

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.setenv(TRACEBACK, "1")
    code, _, err = printed("utf-8", [], monkeypatch)
    assert code == 1
    assert "Traceback" in err


def test_whether_a_terminal_has_a_character() -> None:
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert can_print("a", ascii_only)
    assert not can_print("ä", ascii_only)
    assert not can_print("\udcff", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
