"""Folders named by emotions."""

from pathlib import Path

import pytest

from featurize.errors import CorpusError
from pipeline.corpora.layouts.emotion_folders import emotion_of, read


@pytest.mark.parametrize(
    ("name", "emotion"),
    [
        ("happy", "happy"),
        ("Glücklich", "happy"),
        ("Glu\u0308cklich", "happy"),
        ("05Angry", "angry"),
        ("OAF_Pleasant_surprise", "surprised"),
        ("La colère", "angry"),
        ("伤心", "sad"),
        ("ГНЕВ", "angry"),
        ("Sound Source", ""),
        ("happy_or_sad", ""),
        ("Fort", ""),
        ("actor_01", ""),
    ],
)
def test_an_emotion_is_a_word_of_a_name(name: str, emotion: str) -> None:
    assert emotion_of(name) == emotion


def write(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"RIFF\0" + path.encode())
    return root


def test_emotions_above_or_below_other_folders(tmp_path: Path) -> None:
    write(tmp_path, "wangzhe/angry/1.wav", "zhao/angry/1.wav", "zhao/sad/2.wav", "readme.wav")
    clips = read(tmp_path).clips
    assert [(clip.emotion, clip.speaker) for clip in clips] == [("angry", ""), ("angry", ""), ("sad", "")]


def test_unknown_words_on_the_only_level_are_taken_as_they_are(tmp_path: Path) -> None:
    assert {clip.emotion for clip in read(write(tmp_path, "rauhig/1.wav", "lebhaft/2.wav")).clips} == {
        "rauhig",
        "lebhaft",
    }


def test_the_folder_of_one_emotion_is_too_low(tmp_path: Path) -> None:
    write(tmp_path / "corpus", "happy/1.wav", "sad/2.wav")
    assert {clip.emotion for clip in read(tmp_path / "corpus" / "happy").clips} == {"happy", "sad"}


@pytest.mark.parametrize("paths", [("1.wav", "2.wav"), ("a/x/1.wav", "b/y/2.wav")])
def test_what_names_no_emotion_is_one_line(tmp_path: Path, paths: tuple[str, ...]) -> None:
    with pytest.raises(CorpusError, match="named by"):
        read(write(tmp_path / "corpus", *paths))
