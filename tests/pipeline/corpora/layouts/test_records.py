"""Rows of JSON Lines and Parquet."""

import gzip
import json
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from featurize.errors import CorpusError
from pipeline.corpora.layouts.records import read_records
from tests.pipeline.split_lists import write_records

RECORD = {
    "key": "k",
    "wav": "a.wav",
    "emo": "happy",
    "length": 1.5,
    "channel": 1,
    "speaker": None,
    "start_time": 0.5,
}


def cells(path: Path) -> list[dict[str, str]]:
    return [row.cells for row in read_records(path)]


def test_lines_of_json(tmp_path: Path) -> None:
    path = write_records(tmp_path / "a.jsonl", [RECORD, {"wav": "ü.wav", "emo": 3.0, "text": "hi, you"}])
    assert cells(path) == [
        {"path": "a.wav", "emotion": "happy", "speaker": "", "text": "", "start": "0.5"},
        {"path": "ü.wav", "emotion": "3", "speaker": "", "text": "hi, you", "start": ""},
    ]
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert cells(packed) == cells(path)
    latin = tmp_path / "c.jsonl"
    latin.write_bytes(path.read_text(encoding="utf-8").encode("cp1252"))
    assert cells(latin) == cells(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"wav": "a.wav", "emo": "x"}\n{"wav": \n', r"a\.jsonl, line 2: not JSON"),
        ('{"wav": "a.wav", "emo": "x"}\n["a.wav"]\n', r"line 2: not an object"),
        ("\n", "no rows"),
        ('{"audio": "a.wav", "length": 3}', r"no column 'emotion_code' or 'label'"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
    ],
)
def test_what_is_no_list_of_clips_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(CorpusError, match=message) as error:
        read_records(tmp_path / "a.jsonl")
    assert "\n" not in str(error.value)


def test_parquet_with_recordings_class_names_and_times(tmp_path: Path) -> None:
    features = {"label": {"names": ["angry", "happy"], "_type": "ClassLabel"}, "audio": {"_type": "Audio"}}
    table = pa.table(
        {
            "audio": [{"bytes": b"RIFF" * 9, "path": "a.wav"}, {"bytes": b"", "path": None}],
            "label": [1, 0],
            "start": [timedelta(seconds=1.5), None],
            "speaker_id": ["s1", None],
        }
    ).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    parquet.write_table(table, tmp_path / "a.parquet")
    assert cells(tmp_path / "a.parquet") == [
        {"path": "a.wav", "emotion": "happy", "start": "1.5", "speaker": "s1"},
        {"path": "", "emotion": "angry", "start": "", "speaker": ""},
    ]


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"x" * 99, b"version https://git-lfs.github.com/spec/v1\n"]
)
def test_a_damaged_parquet_file_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(CorpusError, match=r"a\.parquet") as error:
        read_records(tmp_path / "a.parquet")
    assert "\n" not in str(error.value)
