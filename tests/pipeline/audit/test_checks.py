"""Checks without audio: all kinds of findings, and their severity."""

from pathlib import Path

import pytest

from featurize.errors import SplitError
from pipeline.audit.audit_params import AuditParams
from pipeline.audit.contradictions import find_contradictions
from pipeline.audit.doubles import find_doubles
from pipeline.audit.finding import Entry
from pipeline.audit.identical_bytes import find_identical, group_identical, note_dropped
from pipeline.audit.missing_classes import find_missing_classes
from pipeline.audit.overlaps import find_overlaps
from pipeline.audit.retakes import find_retakes
from pipeline.audit.search import audit, refuse_leaks
from pipeline.audit.shared_speakers import find_shared_speakers
from pipeline.audit.similar_speakers import find_similar_speakers
from pipeline.audit.speaker_labels import find_speaker_labels
from pipeline.corpora.clip import Clip, LeftOut
from pipeline.extraction.engine import InProcess
from pipeline.protocol.findings import Audit, Finding

NO_FINGERPRINTS = AuditParams(fingerprint=False)

NUMBER = iter(range(10**6))


def entry(
    name: str, split: str, speaker: str = "s", label: str = "happy", sha256: str = "", sentence: str = ""
) -> Entry:
    clip = Clip(name, Path(name), "x", speaker, "", label, sentence=sentence)
    return Entry(clip, label, sha256 or str(next(NUMBER)), split)


def kinds(findings: list[Finding]) -> list[tuple[str, str, list[str]]]:
    return [(finding.kind, finding.severity, finding.splits) for finding in findings]


def test_a_speaker_in_two_splits_stops_unless_the_split_is_random() -> None:
    entries = [entry("a", "train"), entry("b", "train"), entry("c", "test"), entry("d", "val", "other")]
    (finding,) = find_shared_speakers(entries, by_choice=False)
    assert kinds([finding]) == [("speaker-overlap", "stop", ["train", "test"])]
    assert finding.clips == ["a", "c"]
    assert finding.detail == (
        "1 speaker is in two splits: s (such as a in train and c in test); split by speaker instead"
    )
    (finding,) = find_shared_speakers(entries, by_choice=True)
    assert finding.severity == "warning"
    assert "stamped speaker-dependent" in finding.detail
    assert find_shared_speakers([entries[0], entries[1], entries[3]], by_choice=False) == []


def test_many_shared_speakers_are_one_finding() -> None:
    entries = [entry(f"c{n}", split, f"s{n // 2:02d}") for n, split in enumerate(["train", "test"] * 20)]
    (finding,) = find_shared_speakers(entries, by_choice=False)
    assert finding.detail.startswith("20 speakers are in two splits: s00, s01, s02, s03, s04 and 15 more")
    assert len(finding.clips) == 40


def test_unknown_speakers_cannot_be_checked() -> None:
    entries = [entry("a", "train", ""), entry("b", "test", ""), entry("c", "test", "s")]
    (finding,) = find_shared_speakers(entries, by_choice=False)
    assert kinds([finding]) == [("speaker-overlap", "warning", ["train", "test"])]
    assert "2 of 3 clips have no speaker (first: a)" in finding.detail


def test_equal_bytes_in_two_splits_stop_and_under_two_speakers_warn() -> None:
    leak = [entry("a", "train", "s", sha256="1"), entry("b", "val", "t", sha256="1")]
    twins = [entry("c", "test", "u", sha256="2"), entry("d", "test", "v", sha256="2")]
    classes = [entry("e", "test", "u", "sad", "3"), entry("f", "test", "u", "happy", "3")]
    groups = group_identical([*leak, *twins, *classes, entry("g", "test")])
    assert groups == [leak, twins, classes]
    findings = find_identical(groups)
    assert kinds(findings) == [
        ("identical-bytes", "stop", ["train", "val"]),
        ("identical-bytes", "warning", ["test"]),
    ]
    assert findings[0].detail.startswith("a (train), b (val) hold the same bytes in two splits")
    assert findings[1].detail.endswith("under the speakers u, v")


def test_one_recording_of_two_classes_is_a_warning() -> None:
    same = [
        entry("a", "train", label="sad"),
        entry("b", "train", label="happy"),
        entry("c", "train", label="sad"),
    ]
    agreed = [entry("d", "train"), entry("e", "train")]
    findings = find_contradictions([same, agreed], [agreed, same])
    assert kinds(findings) == [("label-contradiction", "warning", ["train"])] * 2
    assert findings[0].detail.startswith("b (happy) and a (sad) hold the same bytes")
    assert findings[1].detail.startswith("b (happy) and a (sad) have matching fingerprints")
    assert findings[0].clips == ["a", "b", "c"]


def test_dropped_duplicates_are_a_note() -> None:
    (finding,) = note_dropped([entry("a", ""), entry("b", "")])
    assert kinds([finding]) == [("identical-bytes", "note", [])]
    assert finding.detail.startswith("2 clips were dropped")
    assert finding.detail.endswith(": a, b")
    assert note_dropped([]) == []


def test_speakers_of_one_emotion_each_are_a_warning() -> None:
    entries = [
        entry(f"{speaker}{n}", split, speaker, label)
        for speaker, label, split in (
            ("s", "sad", "train"),
            ("t", "happy", "train"),
            ("u", "sad", "val"),
            ("v", "angry", "test"),
        )
        for n in range(5)
    ]
    (finding,) = find_speaker_labels(entries, random=False)
    assert kinds([finding]) == [("speaker-label", "warning", ["train", "val", "test"])]
    assert "the label of 100% of the clips, the most frequent label is that of 50%" in finding.detail
    assert "a random split would measure speaker recognition" in finding.detail
    (finding,) = find_speaker_labels(entries, random=True)
    assert "set split.method=speaker" in finding.detail


def test_speakers_of_every_emotion_are_no_finding() -> None:
    entries = [entry(f"{s}{e}{n}", "train", s, e) for s in "stu" for e in ("sad", "happy") for n in range(5)]
    assert find_speaker_labels(entries, random=True) == []
    assert find_speaker_labels([entry("a", "train", ""), entry("b", "test", "")], random=True) == []


def test_classes_that_a_split_lacks_are_one_warning() -> None:
    entries = [entry(f"{s}{e}", s, s, e) for s in ("train", "val", "test") for e in ("sad", "happy")]
    assert find_missing_classes(entries, "") == []
    (finding,) = find_missing_classes(entries[:3] + entries[4:5], "set split.fold=2")
    assert kinds([finding]) == [("missing-class", "warning", ["val", "test"])]
    assert finding.detail == "no clip of happy in test, of happy in val; set split.fold=2"


def test_retakes_are_counted_per_pair_of_splits() -> None:
    entries = [
        entry("a", "train", "s", "happy", sentence="01"),
        entry("b", "test", "s", "happy", sentence="01"),
        entry("c", "test", "s", "sad", sentence="01"),
        entry("d", "test", "s", "sad", sentence="02"),
        entry("e", "test", "t", "happy", sentence="01"),
        entry("f", "val", "", "happy", sentence="01"),
        entry("g", "val", "s", "happy", sentence=""),
    ]
    (finding,) = find_retakes(entries)
    assert kinds([finding]) == [("retake", "note", ["train", "test"])]
    assert finding.clips == ["b", "c"]
    assert finding.detail.startswith("2 of 4 test clips repeat a sentence")
    assert finding.detail.endswith("in train, 1 of them in the same class")


def test_a_second_tree_is_a_note_that_names_its_copies() -> None:
    tree = "ravdess/audio_speech_actors_01-24"
    copies = [
        LeftOut(f"{tree}/Actor_0{n}/x{n}.wav", f"ravdess/Actor_0{n}/x{n}.wav", "same name and bytes")
        for n in (1, 2)
    ]
    slip = LeftOut("ravdess/y.wav", "ravdess/z.wav", "known duplicate")
    findings = find_doubles([*copies, slip])
    assert kinds(findings) == [("doubled-tree", "note", []), ("near-identical", "note", [])]
    assert findings[0].clips == [file.name for file in copies]
    assert (
        f"2 recordings are in the corpus twice with identical bytes: their copies in {tree}/"
        in findings[0].detail
    )
    assert findings[1].clips == ["ravdess/y.wav", "ravdess/z.wav"]
    assert find_doubles([]) == []


def test_all_findings_are_returned_the_most_severe_first(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entries = [
        entry("a", "train", "s", "sad", "1", "01"),
        entry("b", "test", "s", "happy", "1", "01"),
        entry("c", "val", "t"),
    ]
    with caplog.at_level("INFO"):
        found = audit(
            entries,
            AuditParams(fingerprint=False),
            tmp_path / "prints",
            InProcess(),
            speakers_may_overlap=False,
        )
    assert [(finding.kind, finding.severity) for finding in found.findings] == [
        ("speaker-overlap", "stop"),
        ("identical-bytes", "stop"),
        ("label-contradiction", "warning"),
        ("missing-class", "warning"),
        ("retake", "note"),
    ]
    assert (found.clips, found.fingerprinted) == (3, 0)
    assert found.model_dump()["params"] == {"fingerprint": False, "threshold": 0.16}
    assert found.model_dump()["findings"][4]["splits"] == ["train", "test"]
    assert not (tmp_path / "f.h5").exists()
    assert "fingerprints not compared" in caplog.text
    with pytest.raises(
        SplitError, match=r"s \(such as a in train and b in test\).*1 more finding that stops.*audit\.json"
    ) as error:
        refuse_leaks(found, tmp_path / "audit.json")
    assert "\n" not in str(error.value)


def test_only_findings_of_severity_stop_raise() -> None:
    note = Finding("retake", "note", [], [], "")
    refuse_leaks(Audit(params={}, clips=2, fingerprinted=2, findings=[note]), Path("audit.json"))


def test_many_findings_of_a_kind_are_summarised_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entries = [entry(f"c{n}", "train", f"s{n}", sha256=str(n // 2)) for n in range(40)]
    found = audit(
        entries, AuditParams(fingerprint=False), tmp_path / "prints", InProcess(), speakers_may_overlap=True
    )
    assert [finding.kind for finding in found.findings].count("identical-bytes") == 20
    assert caplog.text.count("hold the same bytes") == 5
    assert "warning (identical-bytes): 15 more in audit.json" in caplog.text


@pytest.mark.parametrize(
    ("one", "other"),
    [("Anna", "anna"), ("03", "3"), ("spk_1", "spk-01"), ("S 1", "s1"), ("3.0", "3"), ("J. Doe", "j doe")],
)
def test_ids_that_differ_by_little_are_named(one: str, other: str) -> None:
    entries = [entry("a", "train", one), entry("b", "test", other), entry("c", "val", "somebody")]
    (finding,) = find_similar_speakers(entries)
    assert kinds([finding]) == [("similar-speakers", "warning", ["train", "test"])]
    assert repr(one) in finding.detail
    assert repr(other) in finding.detail
    assert sorted(finding.clips) == ["a", "b"]


@pytest.mark.parametrize(
    ("one", "other"), [("f1", "f2"), ("1_1", "11"), ("Anna", "Hanna"), ("3", "30"), ("", "x"), ("-", "_")]
)
def test_other_ids_are_not(one: str, other: str) -> None:
    assert find_similar_speakers([entry("a", "train", one), entry("b", "test", other)]) == []


def part(name: str, split: str, start_s: float | None, end_s: float | None) -> Entry:
    clip = Clip(name, Path("long.wav"), "x", "s", "", "sad", start_s=start_s, end_s=end_s)
    return Entry(clip, "sad", name, split)


def test_parts_that_overlap_in_two_splits_stop() -> None:
    entries = [
        part("a", "train", 0, 10),
        part("b", "train", 1, 2),
        part("c", "test", 1.5, 3),
        part("d", "val", 10, 11),
    ]
    assert kinds(find_overlaps(entries)) == [
        ("overlap", "stop", ["train", "test"]),
        ("overlap", "note", ["train"]),
    ]
    assert find_overlaps([entries[0], entries[3]]) == []
    assert kinds(find_overlaps([part("w", "train", None, None), entries[3]])) == [
        ("overlap", "stop", ["train", "val"])
    ]
    assert kinds(find_overlaps(entries[:2])) == [("overlap", "note", ["train"])]
