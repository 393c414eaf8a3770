"""Stage manifest: from recordings in any condition to an audited list; all rejected clips are reported."""

import csv
import hashlib
import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import soundfile as sf

from featurize.audio import load_audio, resample
from featurize.errors import CorpusError, RejectsError, SplitError
from featurize.fingerprint import FINGERPRINT_RATE, find_copies, fingerprint
from featurize.shards import Shard, list_shards
from pipeline.audit.audit_params import AuditParams
from pipeline.cli import main
from pipeline.corpora import CorpusParams, DemoParams, read_corpus
from pipeline.corpora.by_name.ravdess import RAVDESS
from pipeline.corpora.facts import Facts
from pipeline.protocol.fold_sets import FoldSet
from pipeline.protocol.folds import FoldScheme
from pipeline.protocol.labels import LabelParams
from pipeline.protocol.manifest_file import COLUMNS, SHARD_COLUMNS, read_clips, read_manifest
from pipeline.protocol.manifest_summary import ManifestSummary, read_summary
from pipeline.protocol.split_params import SPLITS, SplitParams
from pipeline.protocol.wording import describe_confounding
from pipeline.stages.corpus import corpus
from pipeline.stages.manifest import manifest
from tests.pipeline.made_up import confounded_items


def stub(name: str) -> bytes:
    """What stands for a recording where none is decoded: a name, and a byte that keeps it from being text."""
    return b"\0" + name.encode()


def make_table(folder: Path, rows: list[str], header: str = "path,label,speaker") -> CorpusParams:
    """A table and a recording for each of its rows; the bytes of each are a stub of its name."""
    for row in rows:
        (folder / row.split(",")[0]).write_bytes(stub(row.split(",")[0]))
    path = folder / "table.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return CorpusParams(name="table", root=path)


def plenty(num_speakers: int = 5) -> list[str]:
    return [f"s{s}-{label}.wav,{label},s{s}" for s in range(num_speakers) for label in ("happy", "sad")]


SILENT = AuditParams(fingerprint=False)


def run(
    params: CorpusParams, out: Path, labels: str = "four", audit: AuditParams = SILENT, **split: Any
) -> tuple[list[dict[str, str]], ManifestSummary]:
    manifest(params, LabelParams.model_validate({"set": labels}), SplitParams(**split), out, audit)
    with (out / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return rows, read_summary(out / "manifest.json")


def findings_in(out: Path) -> list[dict[str, Any]]:
    findings: list[dict[str, Any]] = json.loads((out / "audit.json").read_text(encoding="utf-8"))["findings"]
    return findings


def rejects_in(out: Path) -> dict[str, str]:
    with (out / "rejects.csv").open(encoding="utf-8", newline="") as file:
        return {Path(row["path"]).name: row["reason"] for row in csv.DictReader(file)}


def test_a_row_holds_what_is_known_of_a_clip(tmp_path: Path) -> None:
    header = "path,label,speaker,gender,valence"
    params = make_table(tmp_path, [f"{row},f,2.5" for row in plenty()], header)
    rows, summary = run(params, tmp_path / "out")
    assert tuple(rows[0]) == COLUMNS
    first = rows[0] | {"split": ""}
    assert first == dict.fromkeys(COLUMNS, "") | {
        "clip_id": "table/s0-happy",
        "path": (tmp_path / "s0-happy.wav").as_posix(),
        "sha256": hashlib.sha256(stub("s0-happy.wav")).hexdigest(),
        "corpus": "table",
        "speaker": "s0",
        "gender": "female",
        "emotion": "happy",
        "label": "happy",
        "valence": "2.5",
    }
    assert Counter(row["split"] for row in rows) == {"train": 6, "val": 2, "test": 2}
    assert summary.labels == ["happy", "sad"]
    assert read_manifest(tmp_path / "out" / "manifest.csv").to_dict("records") == rows


def test_all_that_a_table_says_of_a_clip_is_in_its_row(tmp_path: Path) -> None:
    header = (
        "path,label,speaker,EmoDom,emotion_intensity,lang,age,session,transcript,emotion_expressed,votes,"
        "n_raters,agreement"
    )
    row = ',4.5,strong,en,31,s1,Good day.,sad,"{""happy"": 3, ""fear"": 1, ""other"": 1}",5,0.6'
    params = make_table(tmp_path, [f"{clip}{row}" for clip in plenty()], header)
    rows, _ = run(params, tmp_path / "out")
    happy = next(each for each in rows if each["label"] == "happy")
    assert happy["dominance"] == "4.5"
    assert happy["class_votes"] == '{"happy": 3.0, "sad": 1.0}'  # of the classes of `four`
    assert {name: happy[name] for name in COLUMNS if name not in SHARD_COLUMNS} == {
        "intensity": "strong",
        "language": "en",
        "age": "31",
        "session": "s1",
        "sentence": "Good day.",
        "text": "Good day.",
        "intended": "sad",
        "perceived": "",
        "votes": '{"happy": 3.0, "fear": 1.0, "other": 1.0}',
        "raters": "5",
        "agreement": "0.6",
    }


@pytest.mark.parametrize("method", ["speaker", "predefined", "random"])
def test_clips_without_agreement_are_a_class_of_the_train_split_alone(tmp_path: Path, method: str) -> None:
    splits = ("train", "train", "val", "test", "train")
    rows = [f"{row},{splits[int(row[1])]},happy:2; sad:1" for row in plenty()]
    rows += [f"s{n}-x.wav,,s{n},{splits[n]},happy:1; sad:1" for n in range(5)] + [
        "new.wav,,new,train,sad:1; happy:1"
    ]
    params = make_table(tmp_path, rows, "path,label,speaker,split,votes")
    found = {}
    for kind in ("drop", "class"):
        chosen = LabelParams.model_validate({"no_agreement": kind})
        manifest(params, chosen, SplitParams.model_validate({"method": method}), tmp_path / kind, SILENT)
        found[kind] = read_summary(tmp_path / kind / "manifest.json")
    dropped, summary = found["drop"], found["class"]
    table = read_manifest(tmp_path / "class" / "manifest.csv")
    undecided = table[table["label"] == "no agreement"]
    heard = {*summary.protocol.speakers["train"]} if method == "speaker" else {"s0", "s1", "s4", "new"}
    assert set(undecided["speaker"]) == ({*heard, "s2", "s3"} if method == "random" else heard)
    assert set(undecided["split"]) == {"train"}
    assert summary.counts.labels["train"]["no agreement"] == len(undecided)
    assert summary.counts.labels["test"]["no agreement"] == 0
    assert (summary.unlabelled, dropped.unlabelled) == (6 - len(undecided), 6)
    assert summary.labels == dropped.labels == ["happy", "sad"]
    assert summary.protocol == dropped.protocol.model_copy(update={"no_agreement": "class"})  # one task
    assert "no agreement" not in str([finding["detail"] for finding in findings_in(tmp_path / "class")])
    others = table[table["label"] != "no agreement"].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, read_manifest(tmp_path / "drop" / "manifest.csv"))


def test_labels_that_few_raters_stand_behind_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [f"{row},{0.9 if 's0' not in row else 0.4}" for row in plenty(6)]
    params = make_table(tmp_path, rows, "path,label,speaker,agreement")
    chosen = LabelParams(min_agreement=0.5)
    manifest(params, chosen, SplitParams(), tmp_path / "out", SILENT)
    summary = read_summary(tmp_path / "out" / "manifest.json")
    assert (summary.counts.clips, summary.low_agreement) == (10, 2)
    assert (summary.protocol.min_agreement, summary.protocol.labels_of) == (0.5, "standard")


def test_a_speaker_dependent_fold_set_is_stamped_and_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"{s}-{n}.wav,{label},{s},{split}" for s in "ab" for n, (label, split) in enumerate(CELLS)]
    params = make_table(tmp_path, rows, "path,label,speaker,split")
    facts = Facts(fold_sets=(FoldSet("published-speaker-dependent", "They 2020"),))
    read = replace(read_corpus(params), facts=facts)
    monkeypatch.setattr("pipeline.stages.manifest.read_corpus", lambda _: read)
    _, summary = run(params, tmp_path / "out", folds="published-speaker-dependent")
    assert not summary.protocol.speaker_independent
    first, *_ = findings_in(tmp_path / "out")
    assert (first["kind"], first["severity"]) == ("speaker-overlap", "warning")
    with pytest.raises(SplitError, match="2 speakers are in two splits"):
        run(params, tmp_path / "out", method="predefined")


CELLS = [(label, split) for split in ("train", "val", "test") for label in ("happy", "sad")]


def test_the_summary_contains_the_protocol(tmp_path: Path) -> None:
    rows, summary = run(make_table(tmp_path, [*plenty(), "c.wav,calm,s0"]), tmp_path / "out", fold=2)
    protocol = summary.protocol
    lines = sorted(f"{row['clip_id']}\t{row['sha256']}\n" for row in rows)
    assert protocol.files_sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert (protocol.corpus, protocol.synthetic, protocol.label_set) == ("table", False, "four")
    assert (protocol.split, protocol.speaker_independent) == ("speaker", True)
    assert (protocol.folds, protocol.fold, protocol.split_seed) == (FoldScheme(kind="dealt", number=5), 2, 0)
    assert sorted(name for names in protocol.speakers.values() for name in names) == [
        "s0",
        "s1",
        "s2",
        "s3",
        "s4",
    ]
    assert summary.left_out == {"calm": 1}
    assert (summary.rejected, summary.duplicates_dropped) == (0, 0)
    counts = summary.counts
    assert (counts.clips, counts.speakers) == (10, 5)
    assert counts.splits == {"train": 6, "val": 2, "test": 2}
    assert counts.labels["test"] == {"happy": 1, "sad": 1}


def test_random_is_stamped_speaker_dependent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        _, summary = run(make_table(tmp_path, plenty(10)), tmp_path / "out", method="random")
    assert summary.protocol.speaker_independent is False
    assert "speaker-dependent" in caplog.text


def confounded_table(folder: Path) -> CorpusParams:
    rows = [f"{i.clip_id.replace('/', '-')}.wav,{i.label},{i.speaker},{i.gender}" for i in confounded_items()]
    return make_table(folder, rows, "path,label,speaker,gender")


def test_speakers_who_predict_the_label_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    params = confounded_table(tmp_path)
    _, summary = run(params, tmp_path / "out")
    (finding,) = findings_in(tmp_path / "out")
    assert (finding["kind"], finding["severity"]) == ("speaker-label", "warning")
    assert "speaker-label" in caplog.text
    assert all(count > 0 for labels in summary.counts.labels.values() for count in labels.values())
    assert "THE SPEAKER ALONE GIVES" in describe_confounding(summary.protocol)
    _, summary = run(params, tmp_path / "random", method="random")
    found = {finding["kind"]: finding["detail"] for finding in findings_in(tmp_path / "random")}
    assert set(found) == {"speaker-overlap", "speaker-label"}
    assert "this random split measures speaker recognition" in found["speaker-label"]


def test_a_class_that_the_test_split_lacks_is_reported_with_advice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(confounded_table(tmp_path), tmp_path / "out", folds="loso")
    (finding,) = [f for f in findings_in(tmp_path / "out") if f["kind"] == "missing-class"]
    assert finding["splits"] == ["test"]
    assert "split.folds=10" in finding["detail"]
    assert finding["detail"] in caplog.text


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    params = make_table(tmp_path, plenty())
    run(params, tmp_path / "one")
    run(params, tmp_path / "two")
    for name in ("manifest.csv", "manifest.json", "audit.json", "rejects.csv"):
        data = (tmp_path / "one" / name).read_bytes()
        assert data == (tmp_path / "two" / name).read_bytes()
        assert b"\r" not in data
    assert not [path for path in (tmp_path / "one").iterdir() if "tmp" in path.name]


def test_recordings_that_cannot_be_opened_are_rejected_with_a_reason(tmp_path: Path) -> None:
    bad = ["missing", "directory", "empty", "lfs-pointer", "unreadable", "undecodable"]
    params = make_table(tmp_path, [*plenty(30), *(f"{name}.wav,sad,s0" for name in bad)])
    (tmp_path / "missing.wav").unlink()
    (tmp_path / "directory.wav").unlink()
    (tmp_path / "directory.wav").mkdir()
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "lfs-pointer.wav").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (tmp_path / "unreadable.wav").unlink()
    os.mkfifo(tmp_path / "unreadable.wav")
    (tmp_path / "undecodable.wav").write_text("<html>404 Not Found</html>")
    rows, summary = run(params, tmp_path / "out")
    assert len(rows) == 60
    assert summary.rejected == 6
    assert rejects_in(tmp_path / "out") == {f"{name}.wav": name for name in bad}


def test_too_many_rejects_stop_the_stage_and_leave_their_list(tmp_path: Path) -> None:
    params = make_table(tmp_path, plenty())
    for name in ("s0-happy.wav", "s1-happy.wav"):
        (tmp_path / name).unlink()
    (tmp_path / "s2-happy.wav").write_bytes(b"")
    with pytest.raises(RejectsError, match=r"3 of 10 clips.*2 missing, the first.*rejects\.csv"):
        run(params, tmp_path / "out")
    assert len(rejects_in(tmp_path / "out")) == 3
    assert not (tmp_path / "out" / "manifest.csv").exists()


def test_identical_bytes_of_one_speaker_are_dropped_and_reported(tmp_path: Path) -> None:
    params = make_table(tmp_path, [*plenty(), "twin.wav,happy,s0"])
    (tmp_path / "twin.wav").write_bytes(stub("s0-happy.wav"))
    rows, summary = run(params, tmp_path / "out")
    assert len(rows) == 10
    assert summary.duplicates_dropped == 1
    (finding,) = findings_in(tmp_path / "out")
    assert (finding["kind"], finding["severity"]) == ("identical-bytes", "note")
    assert finding["clips"] == ["table/twin"]


def test_identical_bytes_in_two_splits_stop_the_stage(tmp_path: Path) -> None:
    rows = [
        f"{split}-{label}.wav,{label},{split},{split}" for split in ("train", "val", "test") for label in "ab"
    ]
    params = make_table(tmp_path, rows, "path,label,speaker,split")
    (tmp_path / "test-a.wav").write_bytes(stub("train-a.wav"))
    line = r"table/train-a \(train\), table/test-a \(test\) hold the same bytes in two splits.*; see .*audit\.json"
    with pytest.raises(SplitError, match=line):
        run(params, tmp_path / "out", "native", method="predefined")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "audit.json",
        "fingerprints",
        "rejects.csv",
    ]
    (finding,) = findings_in(tmp_path / "out")
    assert finding["severity"] == "stop"
    assert finding["clips"] == ["table/train-a", "table/test-a"]
    # A split that is dealt at random is no excuse: the same bytes would be learned and tested.
    rows = [f"r{n}.wav,{'ab'[n % 2]},r" for n in range(20)]
    (tmp_path / "random").mkdir()
    params = make_table(tmp_path / "random", rows)
    for n in range(20):
        (tmp_path / "random" / f"r{n}.wav").write_bytes(stub(f"{n}"))
    (tmp_path / "random" / "r1.wav").write_bytes((tmp_path / "random" / "r0.wav").read_bytes())
    stopped = 0
    for seed in range(6):
        try:
            run(params, tmp_path / "out", "native", method="random", seed=seed)
        except SplitError as error:
            assert "hold the same bytes" in str(error)
            stopped += 1
    assert stopped


def test_identical_bytes_of_two_classes_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    params = make_table(tmp_path, plenty())
    (tmp_path / "s0-sad.wav").write_bytes(stub("s0-happy.wav"))
    rows, _ = run(params, tmp_path / "out")
    assert len(rows) == 10
    assert "hold the same bytes, but are of different classes" in caplog.text
    assert [finding["kind"] for finding in findings_in(tmp_path / "out")] == ["label-contradiction"]


def test_a_predefined_split_that_leaks_speakers_stops_and_a_random_one_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        f"{s}-{split}-{e}.wav,{e},{s},{split}" for s in "xyz" for split in SPLITS for e in ("sad", "happy")
    ]
    table = make_table(tmp_path, rows, "path,label,speaker,split").root
    (tmp_path / "params.yaml").write_text(
        f"corpus: {{name: table, root: {table}}}\nsplit: {{method: predefined}}\naudit: {{fingerprint: false}}\n"
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main(["manifest"])
    assert left.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == (
        "ser: 3 speakers are in two splits: x, y, z (such as table/x-train-sad in train and "
        "table/x-val-sad in val); split by speaker instead; see data/audit.json"
    )
    assert not (tmp_path / "data" / "manifest.csv").exists()
    run(CorpusParams(name="table", root=table), tmp_path / "out", method="random")
    (finding,) = findings_in(tmp_path / "out")
    assert (finding["kind"], finding["severity"]) == ("speaker-overlap", "warning")


def test_a_planted_copy_is_found_in_the_demo_corpus(
    small_run: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = json.loads((small_run.data / "audit.json").read_text())
    assert source == {
        "params": {"fingerprint": True, "threshold": 0.16},
        "clips": 20,
        "fingerprinted": 20,
        "findings": [],
    }
    demo = small_run.data / "raw" / "demo"
    rows = [f"{path},{path.stem.split('_')[0]},{path.parent.name}" for path in sorted(demo.rglob("*.wav"))]
    quiet = tmp_path / "copy.ogg"  # as another speaker's, at a tenth of the level
    sf.write(quiet, resample(load_audio(demo / "f01" / "sad_s01.wav"), 16_000, 24_000).numpy() * 0.1, 24_000)
    other = tmp_path / "angry.flac"  # under another emotion
    sf.write(other, load_audio(demo / "m02" / "sad_s01.wav").numpy() * 0.5, 16_000)
    table = tmp_path / "table.csv"
    table.write_text(
        "\n".join(["path,label,speaker", *rows, f"{quiet},sad,m01", f"{other},angry,m02"]) + "\n"
    )
    run(CorpusParams(name="table", root=table), tmp_path / "out", audit=AuditParams())
    findings = {finding["kind"]: finding for finding in findings_in(tmp_path / "out")}
    assert sorted(findings) == ["label-contradiction", "near-identical"]
    assert len(findings_in(tmp_path / "out")) == 3
    assert "matching fingerprints, but are of different classes" in findings["label-contradiction"]["detail"]
    assert "matching fingerprints (distance 0.0" in caplog.text


def test_a_duplicated_tree_is_reported(tmp_path: Path) -> None:
    names = [f"Actor_{a:02d}/03-01-{e}-01-01-01-{a:02d}.wav" for a in range(1, 7) for e in ("03", "04")]
    for name in [*names, *(f"audio_speech_actors_01-24/{name}" for name in names)]:
        (tmp_path / "r" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "r" / name).write_bytes(stub(Path(name).name))
    rows, _ = run(CorpusParams(name="ravdess", root=tmp_path / "r"), tmp_path / "out", folds=3)
    assert len(rows) == 12
    (finding,) = findings_in(tmp_path / "out")
    assert (finding["kind"], finding["severity"], len(finding["clips"])) == ("doubled-tree", "note", 12)
    assert "12 recordings are in the corpus twice" in finding["detail"]
    assert "in ravdess/audio_speech_actors_01-24/ left out" in finding["detail"]


def test_a_table_without_speakers_says_what_to_do(tmp_path: Path) -> None:
    params = make_table(tmp_path, ["a.wav,happy", "b.wav,sad"], "path,label")
    with pytest.raises(SplitError, match=r"add a column speaker .*, or set split\.method=random"):
        run(params, tmp_path / "out")


def test_a_missing_corpus_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="does not exist"):
        run(CorpusParams(name="emodb", root=tmp_path / "nothing"), tmp_path / "out")


def test_the_demo_corpus_is_marked_synthetic(tmp_path: Path) -> None:
    params = CorpusParams(root=tmp_path / "demo", demo=DemoParams(voices=4, sentences=1))
    corpus(params, tmp_path / "demo")
    rows, summary = run(params, tmp_path / "out")
    assert len(rows) == 16
    assert summary.protocol.synthetic is True
    assert summary.labels == ["happy", "neutral", "sad", "angry"]


def test_ravdess_fold_one(shared: Path, tmp_path: Path) -> None:
    params = CorpusParams(name="ravdess", root=shared / "corpora" / "ravdess")
    rows, summary = run(params, tmp_path, "native", AuditParams())
    assert len(rows) == 1439
    assert summary.counts.splits == {"train": 960, "val": 239, "test": 240}
    protocol = summary.protocol
    assert protocol.speakers["test"] == ["01", "11", "20", "21"]
    assert (protocol.folds, protocol.fold) == (
        FoldScheme(kind="published", number=6, publisher="EmoBox"),
        1,
    )
    assert [len(protocol.speakers[split]) for split in ("train", "val")] == [16, 4]
    assert len({row["sha256"] for row in rows}) == 1439
    assert summary.labels[0] == "neutral"
    assert len(summary.labels) == 8
    # The audit: of all clips, the one known slip and no other.
    drop, keep = (f"ravdess/Actor_07/{name}.flac" for name in RAVDESS.doubles[0])
    assert [(f["kind"], f["severity"], f["clips"]) for f in findings_in(tmp_path)] == [
        ("near-identical", "note", [drop, keep])
    ]
    shards = [Shard(path) for path in list_shards(tmp_path / "fingerprints")]
    prints = [shard.data(row) for shard in shards for row in range(len(shard))]
    hashes = [sha256 for shard in shards for sha256 in shard.columns["sha256"]]
    twin = load_audio(shared / "corpora" / drop, FINGERPRINT_RATE)
    (pair,) = find_copies([*prints, fingerprint(twin)])
    kept = next(row["sha256"] for row in rows if RAVDESS.doubles[0][1] in row["clip_id"])
    assert (hashes[pair.first], pair.second) == (kept, 1439)


def test_a_random_split_of_ravdess_repeats_its_sentences(shared: Path, tmp_path: Path) -> None:
    params = CorpusParams(name="ravdess", root=shared / "corpora" / "ravdess")
    run(params, tmp_path, "native", method="random")
    findings = findings_in(tmp_path)
    assert [(f["kind"], f["severity"]) for f in findings] == [
        ("speaker-overlap", "warning"),
        *[("retake", "note")] * 3,
        ("near-identical", "note"),
    ]
    assert "288 of 288 test clips repeat a sentence" in findings[2]["detail"]


def test_emodb_under_both_label_sets(shared: Path, tmp_path: Path) -> None:
    params = CorpusParams(name="emodb", root=shared / "corpora" / "emodb")
    rows, summary = run(params, tmp_path / "four")
    assert len(rows) == 339
    assert summary.labels == ["happy", "neutral", "sad", "angry"]
    assert summary.counts.speakers == 10
    _, summary = run(params, tmp_path / "native", "native")
    assert summary.labels == ["anger", "happiness", "sadness", "neutral"]
    assert json.loads((tmp_path / "native" / "manifest.json").read_text()) == summary.model_dump(mode="json")


def test_parts_of_files_are_clips(tmp_path: Path) -> None:
    for name in ("x.wav", "y.wav", "z.wav"):
        (tmp_path / name).write_bytes(stub(name))
    rows = [
        f"{name}.wav,{label},{name},{times}"
        for name in "xyz"
        for label, times in (("happy", "0,1.5"), ("sad", "1.5,"))
    ]
    params = CorpusParams(name="table", root=tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("\n".join(["file,emotion,speaker,start,end", *rows]) + "\n")
    found, summary = run(params, tmp_path / "out")
    assert [row["clip_id"] for row in found[:2]] == ["table/x@0.00-1.50", "table/x@1.50-end"]
    assert [(row["start_s"], row["end_s"]) for row in found[:2]] == [("0.0", "1.5"), ("1.5", "")]
    file = hashlib.sha256(stub("x.wav")).hexdigest()
    assert [row["sha256"] for row in found[:2]] == [
        hashlib.sha256(f"{file} {times}".encode()).hexdigest() for times in ("0.0 1.5", "1.5 ")
    ]
    clips = [*read_clips(tmp_path / "out" / "manifest.csv")]
    assert clips == [{name: row[name] for name in SHARD_COLUMNS} for row in found]
    assert summary.counts.clips == 6


def test_a_part_that_no_file_can_have_is_rejected(tmp_path: Path) -> None:
    rows = [f"{row},0,1" for row in plenty()]
    params = make_table(tmp_path, rows, "path,label,speaker,start,end")
    with params.root.open("a") as table:
        table.write("s0-sad.wav,sad,s0,2,1\n")
    run(params, tmp_path / "out")
    with (tmp_path / "out" / "rejects.csv").open(encoding="utf-8", newline="") as file:
        assert [(row["reason"], row["clip_id"]) for row in csv.DictReader(file)] == [
            ("bad-segment", "table/s0-sad@2.00-1.00")
        ]


TWO_OF_EACH = ("train", "train", "val", "val", "test", "test")


def test_parts_that_overlap_may_not_be_in_two_splits(tmp_path: Path) -> None:
    rows = [f"{row},{split},0,1" for row, split in zip(plenty(3), TWO_OF_EACH, strict=True)]
    params = make_table(tmp_path, rows, "path,label,speaker,split,start,end")
    with params.root.open("a") as table:
        table.write("s0-sad.wav,sad,s0,test,0.5,2\n")
    with pytest.raises(SplitError, match="in two splits"):
        run(params, tmp_path / "out", method="predefined")
    assert "overlap" in {finding["kind"] for finding in findings_in(tmp_path / "out")}


def test_with_unknown_speakers_the_split_is_not_speaker_independent(tmp_path: Path) -> None:
    named = (row.replace(",s0", ",nan") for row in plenty(3))
    rows = [f"{row},{split}" for row, split in zip(named, TWO_OF_EACH, strict=True)]
    params = make_table(tmp_path, rows, "path,label,speaker,split")
    _, summary = run(params, tmp_path / "out", method="predefined")
    assert summary.protocol.speaker_independent is False
    with pytest.raises(SplitError, match="2 of 6 clips have no speaker"):
        run(params, tmp_path / "out")
