"""Columns with documented names and with those of other tools."""

from pathlib import Path

import pytest

from featurize.errors import CorpusError
from pipeline.corpora.tables.table_columns import DOCUMENTED, KNOWN, NAMES, choose_columns, plain

TABLE = Path("my.csv")


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("file_path,emotion_code,speaker", "path emotion speaker"),
        ("file,emotion,speaker,gender", "path emotion speaker gender"),
        ("file,start,end,emotion", "path start end emotion"),
        ("wav,emo,spk,sex", "path emotion speaker gender"),
        ("filename,class,spkid,transcript", "path emotion speaker text"),
        ("audio,class,speaker_id,text,subset", "path emotion speaker text split"),
        (
            "FileName,EmoClass,EmoAct,EmoVal,SpkrID,Gender,Split_Set",
            "path emotion arousal valence speaker gender split",
        ),
        (" Audio Path , Emotion ,Dataset-Split", "path emotion split"),
        ("audio_path,label,partition", "path emotion split"),
    ],
)
def test_names_of_other_tools(header: str, fields: str) -> None:
    chosen = choose_columns(TABLE, header.split(","))
    assert [field for field, _ in sorted(chosen.items(), key=lambda each: each[1])] == fields.split()


def test_the_columns_read_are_logged_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    choose_columns(TABLE, ["file_path", "label", "speaker"])
    assert [record for record in caplog.records if record.name.startswith("pipeline")] == []
    choose_columns(TABLE, ["wav", "label", "emotion", "spk"])
    (record,) = [record for record in caplog.records if record.name.startswith("pipeline")]
    assert "wav as file_path, spk as speaker" in record.getMessage()
    assert "not read: emotion (column label is used)" in record.getMessage()


def test_documented_names_take_precedence() -> None:
    for field in DOCUMENTED:
        names = NAMES[field]
        needed = {"path": "path", "emotion": "label"} | {field: names[0]}
        assert choose_columns(TABLE, [*reversed(names[1:]), *needed.values()])[field] == len(names) - 1 + [
            *needed
        ].index(field)


def test_no_name_is_of_two_fields() -> None:
    assert len(KNOWN) == sum(map(len, NAMES.values()))
    assert all(plain(name) == name for name in KNOWN)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("clips/a.wav,happy", "no header; its first row is clips/a.wav,happy"),
        ("file,File,label", "two columns 'file'"),
        ("pth,label", "no column 'file_path' or 'path'; it has pth, label; is 'pth' meant"),
        ("wav,feeling", "no column 'emotion_code' or 'label'"),
    ],
)
def test_a_missing_column_is_an_error(header: str, expected: str) -> None:
    with pytest.raises(CorpusError) as error:
        choose_columns(TABLE, header.split(","))
    assert expected in str(error.value)
