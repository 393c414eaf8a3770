"""audformat: the choice of the label table, segments, and what is refused."""

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from featurize.errors import CorpusError
from pipeline.corpora.layouts.audformat import read
from tests.pipeline.corpora.layouts.same_corpus import CLIPS, audformat, write_audio
from tests.pipeline.split_lists import write_table


def test_the_root_may_be_a_label_table(tmp_path: Path) -> None:
    root = audformat(tmp_path)
    clips = read(root / "db.emotion.csv").clips
    assert [(clip.emotion, clip.split, clip.speaker) for clip in clips] == [
        ("happy", "", clip.speaker) for clip in CLIPS
    ]


def test_segments_and_attributes_of_labels_in_the_header(tmp_path: Path) -> None:
    write_audio(tmp_path, CLIPS[:1])
    (tmp_path / "db.yaml").write_text(
        "name: x\n"
        "schemes:\n"
        "  speaker: {dtype: int, labels: {3: {gender: male, age: 31}, 8: {gender: female}}}\n"
        "tables:\n"
        "  parts: {type: segmented, columns: {emotion: {}, speaker: {scheme_id: speaker}, arousal: {}}}\n"
    )
    table = pa.table(
        {
            "file": ["a1.wav", "a1.wav"],
            "start": [timedelta(0), timedelta(seconds=1.5)],
            "end": [timedelta(seconds=1.5), None],
            "emotion": ["happy", "sad"],
            "speaker": [3, 8],
            "arousal": [0.25, None],
        }
    )
    parquet.write_table(table, tmp_path / "db.parts.parquet")
    found = [
        (clip.start_s, clip.end_s, clip.emotion, clip.speaker, clip.gender, clip.age, clip.arousal)
        for clip in read(tmp_path).clips
    ]
    assert found == [
        (0.0, 1.5, "happy", "3", "male", "31", 0.25),
        (1.5, None, "sad", "8", "female", "", None),
    ]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("tables: [", "not readable as YAML"),
        ("just text", "no tables in it"),
        ("tables: {files: {columns: {speaker: {}}}}", "no table has a column of emotions; there are files"),
        ("tables: {t: {columns: {emotion: {}}}}", "only a pickle of it, which is not opened"),
        ("!!python/object/apply:os.system ['true']", "not readable as YAML"),
    ],
)
def test_what_is_no_database_is_one_line(tmp_path: Path, header: str, message: str) -> None:
    (tmp_path / "db.yaml").write_text(header)
    (tmp_path / "db.t.pkl").write_bytes(b"x")
    with pytest.raises(CorpusError, match=message) as error:
        read(tmp_path)
    assert "\n" not in str(error.value)


def test_a_table_of_facts_that_is_missing_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = audformat(tmp_path)
    (root / "db.files.csv").unlink()
    assert {clip.speaker for clip in read(root).clips} == {""}
    assert "1 table not there: files" in caplog.text


def test_a_label_table_without_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "db.yaml").write_text("tables: {t: {columns: {emotion: {}}}}")
    write_table(tmp_path / "db.t.csv", "clip,emotion", "a1.wav,happy")
    with pytest.raises(CorpusError, match="no index column file"):
        read(tmp_path)
