"""One clip in several rows."""

from pathlib import Path

from pipeline.audit.finding import Entry
from pipeline.audit.repeated_rows import find_repeated, group_repeated
from pipeline.corpora.clip import Clip


def row(path: str, split: str, label: str = "x", start_s: float | None = None) -> Entry:
    return Entry(Clip(path, Path(path), "c", "s", "", label, start_s=start_s), label, "", split)


def test_a_clip_in_two_splits_stops_once_for_all() -> None:
    groups = group_repeated(
        [row("a", "train"), row("b", "train"), row("b", "test"), row("a", "test"), row("c", "test")]
    )
    (finding,) = find_repeated(groups)
    assert (finding.kind, finding.severity, finding.splits) == ("row-repeated", "stop", ["train", "test"])
    assert finding.detail == "2 clips are in two splits, such as a (train), a (test)"
    assert finding.clips == ["a", "b"]


def test_parts_of_a_file_are_clips_of_their_own() -> None:
    assert (
        group_repeated([row("a", "train", start_s=0.0), row("a", "test", start_s=1.0), row("a", "test")])
        == []
    )


def test_other_classes_warn_and_equal_rows_are_noted() -> None:
    groups = group_repeated(
        [row("a", "train", "x"), row("a", "train", "y"), row("b", "val"), row("b", "val")]
    )
    assert [(finding.kind, finding.severity, finding.splits) for finding in find_repeated(groups)] == [
        ("label-contradiction", "warning", ["train"]),
        ("row-repeated", "note", ["val"]),
    ]


def test_a_clip_may_be_in_two_splits_under_two_classes() -> None:
    groups = group_repeated([row("a", "train", "x"), row("a", "test", "y")])
    assert [finding.severity for finding in find_repeated(groups)] == ["stop", "warning"]
