"""EMO-DB: file names, and the real corpus."""

from collections import Counter
from pathlib import Path

import pytest

from featurize.errors import CorpusError
from pipeline.corpora.by_name.emodb import EMODB, GENDERS
from tests.pipeline.corpora.trees import grow


def test_the_code_is_read(tmp_path: Path) -> None:
    grow(tmp_path, "wav/03a01Fa.wav", "wav/08b10Wc.wav")
    first, second = EMODB.read(tmp_path).clips
    assert (first.clip_id, first.speaker, first.gender) == ("emodb/wav/03a01Fa", "03", "male")
    assert first.emotion == "happiness"
    assert (second.speaker, second.gender, second.emotion) == ("08", "female", "anger")


@pytest.mark.parametrize(
    ("letter", "emotion"),
    [
        ("W", "anger"),
        ("L", "boredom"),
        ("E", "disgust"),
        ("A", "fear"),
        ("F", "happiness"),
        ("T", "sadness"),
        ("N", "neutral"),
    ],
)
def test_every_letter_has_its_emotion(tmp_path: Path, letter: str, emotion: str) -> None:
    grow(tmp_path, f"16a05{letter}b.wav")
    assert EMODB.read(tmp_path).clips[0].emotion == emotion


def test_other_names_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    grow(tmp_path, "03a01Fa.wav", "03a01Xa.wav", "silence.wav")
    assert len(EMODB.read(tmp_path).clips) == 1
    assert "2 files skipped: no EMO-DB code as name" in caplog.text


def test_another_corpus_is_an_error(tmp_path: Path) -> None:
    grow(tmp_path, "03-01-01-01-01-01-01.wav")
    with pytest.raises(CorpusError, match="no EMO-DB recording"):
        EMODB.read(tmp_path)


def test_the_real_corpus_is_as_described(shared: Path) -> None:
    corpus = EMODB.read(shared / "corpora" / "emodb")
    assert len(corpus.clips) == 339
    assert {clip.speaker for clip in corpus.clips} == GENDERS.keys()
    emotions = Counter(clip.emotion for clip in corpus.clips)
    assert emotions == {"anger": 127, "happiness": 71, "neutral": 79, "sadness": 62}
