"""RAVDESS: file names, and the real corpus."""

from collections import Counter
from pathlib import Path

import pytest

from featurize.errors import CorpusError
from pipeline.corpora.by_name.ravdess import RAVDESS
from tests.pipeline.corpora.trees import grow


def test_the_code_is_read(tmp_path: Path) -> None:
    grow(tmp_path, "Actor_16/03-01-05-02-01-01-16.wav", "Actor_07/03-01-08-01-02-02-07.flac")
    first, second = RAVDESS.read(tmp_path).clips
    assert (first.clip_id, first.speaker, first.gender) == (
        "ravdess/Actor_07/03-01-08-01-02-02-07",
        "07",
        "male",
    )
    assert first.emotion == "surprised"
    assert (second.speaker, second.gender, second.emotion) == ("16", "female", "angry")
    assert (first.sentence, second.sentence) == ("02", "01")


def test_files_that_are_not_speech_recordings_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    grow(tmp_path, "03-01-01-01-01-01-01.wav", "03-02-01-01-01-01-01.wav", "01-01-01-01-01-01-01.mp4")
    grow(
        tmp_path,
        "._03-01-01-01-01-01-01.wav",
        "notes.mp3",
        "03-01-09-01-01-01-01.wav",
        "03-01-01-01-01-01-25.wav",
    )
    assert len(RAVDESS.read(tmp_path).clips) == 1
    assert "1 file skipped: sung, not spoken" in caplog.text
    assert "1 file skipped: with video" in caplog.text
    assert "3 files skipped: no RAVDESS code as name" in caplog.text


def test_an_archive_that_holds_the_corpus_twice(tmp_path: Path) -> None:
    names = ["Actor_01/03-01-01-01-01-01-01.wav", "Actor_02/03-01-02-01-01-01-02.wav"]
    grow(tmp_path, *names, *(f"audio_speech_actors_01-24/{name}" for name in names))
    corpus = RAVDESS.read(tmp_path)
    assert [clip.path for clip in corpus.clips] == [tmp_path / name for name in names]
    assert [(file.name, file.kept) for file in corpus.left_out] == [
        (f"ravdess/audio_speech_actors_01-24/{name}", f"ravdess/{name}") for name in names
    ]


def test_the_known_duplicate_is_skipped_and_reported(tmp_path: Path) -> None:
    grow(tmp_path, "03-01-03-01-02-01-07.wav", "03-01-03-01-02-02-07.wav")
    corpus = RAVDESS.read(tmp_path)
    assert [clip.path.stem for clip in corpus.clips] == ["03-01-03-01-02-01-07"]
    twin = ("ravdess/03-01-03-01-02-02-07.wav", "ravdess/03-01-03-01-02-01-07.wav")
    assert [(file.name, file.kept, file.why) for file in corpus.left_out] == [(*twin, "known duplicate")]


def test_one_of_the_known_duplicates_alone_is_read(tmp_path: Path) -> None:
    grow(tmp_path, "03-01-03-01-02-02-07.wav")
    assert len(RAVDESS.read(tmp_path).clips) == 1


def test_a_folder_of_songs_is_an_error(tmp_path: Path) -> None:
    grow(tmp_path, "03-02-01-01-01-01-01.wav")
    with pytest.raises(CorpusError, match="no RAVDESS recording"):
        RAVDESS.read(tmp_path)


def test_the_real_corpus_is_complete(shared: Path) -> None:
    corpus = RAVDESS.read(shared / "corpora" / "ravdess")
    assert len(corpus.clips) == 1440 - 1
    assert len({clip.speaker for clip in corpus.clips}) == 24
    emotions = Counter(clip.emotion for clip in corpus.clips)
    assert emotions.pop("neutral") == 96
    assert emotions.pop("happy") == 191
    assert set(emotions.values()) == {192}
    assert Counter(clip.gender for clip in corpus.clips) == {"female": 720, "male": 719}
    assert set(corpus.emotions) == {clip.emotion for clip in corpus.clips}
