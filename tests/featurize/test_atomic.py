"""A file is written whole or not at all, whatever characters its text has."""

import json
from pathlib import Path

import pytest

from featurize.atomic import write_json, write_text
from featurize.errors import SerError


def test_names_that_are_no_text_are_written_as_escapes(tmp_path: Path) -> None:
    names = {"ä 🎧": "a\udcff.wav"}
    write_json(tmp_path / "a.json", names)
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == names
    write_text(tmp_path / "a.csv", "a\udcff.wav,é\n")
    assert (tmp_path / "a.csv").read_bytes() == b"a\\udcff.wav,\xc3\xa9\n"


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SerError, match="cannot be written"):
        write_text(tmp_path / "file" / "a.csv", "")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
