"""Kaldi's data folders: segments, and what is refused."""

from pathlib import Path

import pytest

from featurize.errors import CorpusError
from pipeline.corpora.layouts.kaldi import read
from tests.pipeline.corpora.layouts.same_corpus import CLIPS, write_audio, write_lines


def folder(root: Path, **files: list[str]) -> Path:
    write_audio(root, CLIPS[:2])
    lines = {"wav.scp": ["r1 a1.wav", "r2 a2.wav"], "utt2emo": ["u1 happy", "u2 sad"]} | files
    for name, content in lines.items():
        write_lines(root / name, content)
    return root


def test_parts_of_recordings(tmp_path: Path) -> None:
    segments = ["u1 r1 0.5 1.25", "u2 r2 0 -1"]
    clips = read(folder(tmp_path, segments=segments)).clips
    assert [(clip.path.name, clip.emotion, clip.start_s, clip.end_s) for clip in clips] == [
        ("a1.wav", "happy", 0.5, 1.25),
        ("a2.wav", "sad", None, None),
    ]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"wav.scp": ["r1 sox a.wav -t wav - |"]}, "output of a command"),
        ({"wav.scp": ["r1 raw.ark:123"]}, "in an archive"),
        ({"segments": ["u1 r9 0 1"]}, "segments, line 1: no recording r9 in wav.scp"),
        ({"segments": ["u1 r1"]}, "segments, line 1: not: utterance recording start end"),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path: Path, files: dict[str, list[str]], message: str) -> None:
    with pytest.raises(CorpusError, match=message) as error:
        read(folder(tmp_path, **files))
    assert "\n" not in str(error.value)


def test_emotions_are_needed(tmp_path: Path) -> None:
    (folder(tmp_path) / "utt2emo").unlink()
    with pytest.raises(CorpusError, match="no utt2emo"):
        read(tmp_path)
