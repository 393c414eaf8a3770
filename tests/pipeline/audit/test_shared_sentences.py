"""Sentences in two splits."""

from pathlib import Path

from pipeline.audit.finding import Entry
from pipeline.audit.shared_sentences import find_shared_sentences
from pipeline.corpora.clip import Clip


def spoken(name: str, split: str, sentence: str) -> Entry:
    return Entry(Clip(name, Path(name), "c", name, "", "x", sentence=sentence), "x", "", split)


def test_clips_of_the_later_split_that_repeat_a_sentence_are_counted() -> None:
    entries = [
        spoken("a", "train", "1"),
        spoken("b", "train", "2"),
        spoken("c", "val", "3"),
        spoken("d", "test", "1"),
        spoken("e", "test", "1"),
        spoken("f", "test", "4"),
        spoken("g", "test", ""),
    ]
    (finding,) = find_shared_sentences(entries)
    assert (finding.kind, finding.severity, finding.splits) == ("sentence-overlap", "note", ["train", "test"])
    assert finding.detail == "2 of 3 test clips have a sentence of train (1 sentence)"
    assert finding.clips == ["d", "e"]
