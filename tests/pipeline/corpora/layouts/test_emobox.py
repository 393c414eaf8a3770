"""EmoBox's lists: folds as a fold set where they keep speakers apart."""

from pathlib import Path

import pytest

from featurize.errors import CorpusError
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.layouts.emobox import read
from tests.pipeline.split_lists import CAFE_FOLDS, cafe, write_emobox, write_three_corpora


def with_audio(root: Path) -> Path:
    """EmoBox's tree with the recordings that the lists name."""
    write_three_corpora(root / "data")
    for line in {line for file in root.rglob("*.jsonl") for line in file.read_text().splitlines()}:
        path = root / line.split('"wav": "')[1].split('"')[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"RIFF\0" + path.name.encode())
    return root / "data"


def test_folds_that_keep_speakers_apart_are_a_fold_set(tmp_path: Path) -> None:
    corpus = read(with_audio(tmp_path) / "cafe")
    assert len(corpus.clips) == len(cafe(range(12)))
    assert {clip.split for clip in corpus.clips} == {""}
    (folds,) = corpus.facts.fold_sets
    assert folds.name == "emobox"
    assert [{int(speaker) for speaker in fold} for fold in folds.test] == [{*fold} for fold in CAFE_FOLDS]
    assert {speaker for fold in folds.test for speaker in fold} == {clip.speaker for clip in corpus.clips}


@pytest.mark.parametrize("corpus", ["urdu", "meld"])
def test_a_single_fold_that_does_not_is_named_so(tmp_path: Path, corpus: str) -> None:
    found = read(with_audio(tmp_path) / corpus)
    assert {clip.split for clip in found.clips} == {"train", "test"}
    assert [folds.name for folds in found.facts.fold_sets] == ["emobox-speaker-dependent"]


def test_several_folds_that_do_not_are_not_offered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = with_audio(tmp_path)
    write_emobox(data, "cafe", 3, {"train": cafe([1, 2]), "test": cafe([2])})
    corpus: Corpus = read(data / "cafe")
    assert corpus.facts.fold_sets == ()
    assert "of EmoBox's 3 folds, 1 share speakers, or do not name them (3)" in caplog.text
    assert {clip.split for clip in read(data / "cafe" / "fold_1").clips} == {"train", "test"}


def test_the_folder_of_several_corpora_asks_for_one(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"name one of .*cafe, .*meld, .*urdu"):
        read(with_audio(tmp_path))


def test_one_list_has_no_split(tmp_path: Path) -> None:
    corpus = read(with_audio(tmp_path) / "urdu" / "fold_1" / "urdu_train_fold_1.jsonl")
    assert {clip.split for clip in corpus.clips} == {""}
    assert {clip.speaker[:2] for clip in corpus.clips} == {"SM"}
