"""`ser audit`: splits in the forms of other tools, with and without their recordings."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from featurize.errors import CorpusError
from pipeline.audit.split_files.audit_files import audit_files
from pipeline.audit.split_files.verdict import FilesAudit, FoldAudit
from pipeline.audit.split_files.verdict_table import lines_of
from pipeline.cli import main
from pipeline.extraction.engine import InProcess
from tests.pipeline.corpora.layouts.same_corpus import WRITERS
from tests.pipeline.split_lists import (
    CAFE_FOLDS,
    cafe,
    write_emobox,
    write_records,
    write_table,
    write_three_corpora,
)


def audited(*places: Path, **options: object) -> FilesAudit:
    return audit_files(places, InProcess(), **options)  # type: ignore[arg-type]


def only(*places: Path, **options: object) -> FoldAudit:
    (fold,) = audited(*places, **options).folds
    return fold


def kinds(fold: FoldAudit) -> set[tuple[str, str]]:
    return {(finding.kind, finding.severity) for finding in fold.findings}


def test_a_folder_of_several_corpora_is_a_row_each_and_a_count(tmp_path: Path) -> None:
    write_three_corpora(tmp_path)
    result = audited(tmp_path)
    assert [(corpus.corpus, corpus.folds, str(corpus.verdict)) for corpus in result.corpora] == [
        ("cafe", 3, "yes"),
        ("meld", 1, "unknown (no speakers)"),
        ("urdu", 1, "no (3 of 5 speakers shared)"),
    ]
    *rows, last = lines_of(result)
    assert [row.split()[:5] for row in rows] == [
        ["corpus", "folds", "clips", "speakers", "shared"],
        ["cafe", "3", "96", "12", "0"],
        ["meld", "1", "2", "?", "?"],
        ["urdu", "1", "10", "5", "3"],
    ]
    assert last == "1 of 3 corpora speaker-independent (1 unknown)"
    assert result.leaks


def test_the_folds_of_one_corpus_are_a_table_each(tmp_path: Path) -> None:
    write_three_corpora(tmp_path)
    result = audited(tmp_path / "cafe")
    assert [fold.fold for fold in result.folds] == ["1", "2", "3"]
    for fold, test in zip(result.folds, CAFE_FOLDS, strict=True):
        assert fold.splits["train"].speakers == 12 - len(test)
        assert fold.splits["test"].classes == dict.fromkeys("cdjn", 2 * len(test))
        assert fold.speakers_from == "file names"
    lines = [*lines_of(result)]
    assert lines[0] == "cafe, fold 1: 2 files; speakers from file names"
    assert lines[-1] == "speaker-independent: yes in all 3 folds"


def test_one_fold_that_shares_speakers_decides(tmp_path: Path) -> None:
    write_emobox(tmp_path, "cafe", 1, {"train": cafe([1, 2]), "test": cafe([3])})
    write_emobox(tmp_path, "cafe", 2, {"train": cafe([1, 2])[1:], "test": cafe([2])[:1]})
    assert [*lines_of(audited(tmp_path))][-1] == "speaker-independent: no (1 of 2 speakers shared), fold 2"


def test_two_spellings_of_a_fold_are_two_sets(tmp_path: Path) -> None:
    """EmoBox's folder of EMO-DB holds every fold twice, the second in an older form."""
    for split, speaker in (("train", "03"), ("test", "08")):
        record = {"key": "k", "audio": f"wav/{speaker}a01Fa.wav", "label": "happy"}
        write_records(tmp_path / f"emodb_{split}_fold1.jsonl", [record])
        write_records(tmp_path / f"emodb_{split}_fold_1.jsonl", [{"wav": record["audio"], "emo": "happy"}])
    result = audited(tmp_path)
    assert [(fold.fold, str(fold.verdict), len(fold.files)) for fold in result.folds] == [("1", "yes", 2)] * 2


def test_files_of_nkululeko(tmp_path: Path) -> None:
    header = "file,speaker,gender,emotion"
    train = write_table(tmp_path / "emo_train.csv", header, "a.wav,1,female,anger", "b.wav,2,male,happiness")
    test = write_table(tmp_path / "emo_test.csv", header, "c.wav,02,male,anger")
    fold = only(train, test)
    assert (fold.corpus, fold.speakers_from, str(fold.verdict)) == (
        "emo",
        "column",
        "no (1 of 2 speakers shared)",
    )
    assert ("missing-class", "warning") in kinds(fold)  # happiness is not tested
    assert fold.leaks


def test_a_table_with_a_split_column(tmp_path: Path) -> None:
    rows = ["a.wav,x,s1,train", "b.wav,x,s2,dev", "c.wav,y,s3,test", "d.wav,y,s3,"]
    table = write_table(tmp_path / "all.csv", "path,label,speaker,split", *rows)
    fold = only(table)
    assert list(fold.splits) == ["train", "val", "test"]
    assert sum(split.clips for split in fold.splits.values()) == 3
    assert str(fold.verdict) == "yes"


def test_labels_are_not_needed(tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.csv", "path,speaker,split", "a.wav,s1,train", "b.wav,s1,test")
    fold = only(table)
    assert (fold.verdict.independent, fold.splits["test"].classes) == ("no", {})
    assert kinds(fold) == {("speaker-overlap", "stop")}


def test_the_same_path_the_same_sentence_and_doubled_rows(tmp_path: Path) -> None:
    header = "path,label,speaker,sentence,split"
    rows = [
        r"wav\a.wav,x,s1,hello,train",
        "./wav/a.wav,x,s1,hello,test",  # in both splits, written in another way
        "b.wav,x,s2,hello,train",
        "b.wav,y,s2,hello,train",  # with another class
        "c.wav,x,s2,bye,train",
        "c.wav,x,s2,bye,train",  # twice
        "d.wav,y,s3,hello,test",
    ]
    fold = only(write_table(tmp_path / "t.csv", header, *rows))
    assert {
        ("row-repeated", "stop"),
        ("label-contradiction", "warning"),
        ("row-repeated", "note"),
        ("sentence-overlap", "note"),
    } <= kinds(fold)
    assert [(shared.splits, shared.speakers, shared.clips, shared.sentences) for shared in fold.shared] == [
        (("train", "test"), ["s1"], 1, 1)
    ]


def test_overlapping_parts_of_a_file(tmp_path: Path) -> None:
    rows = ["a.wav,x,s1,0,2,train", "a.wav,x,s2,1.5,3,test", "a.wav,x,s2,3,4,test"]
    fold = only(write_table(tmp_path / "t.csv", "path,label,speaker,start,end,split", *rows))
    assert ("overlap", "stop") in kinds(fold)


def test_a_pattern_reads_the_speaker_for_all_or_for_one_corpus(tmp_path: Path) -> None:
    write_emobox(tmp_path, "one", 1, {"train": [("x/ann_1.wav", "a")], "test": [("x/ann_2.wav", "a")]})
    write_emobox(tmp_path, "two", 1, {"train": [("F/01.wav", "a")], "test": [("M/01.wav", "a")]})
    assert [corpus.verdict.independent for corpus in audited(tmp_path).corpora] == ["unknown", "unknown"]
    found = audited(tmp_path, speaker=[r"x/(\w+)_", r"two=([FM])/(\d+)"])
    assert [corpus.verdict.independent for corpus in found.corpora] == ["no", "yes"]
    assert found.folds[0].speakers_from == "--speaker"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "--speaker (: not a regular expression"),
        ("nobody(\\d)", "--speaker matches none of 48 paths, such as downloads/cafe/"),
        ("ravdess=x", "--speaker ravdess=...: no such corpus; there are cafe"),
    ],
)
def test_a_pattern_that_finds_nothing_is_refused(tmp_path: Path, pattern: str, message: str) -> None:
    files = write_emobox(tmp_path, "cafe", 1, {"train": cafe([1, 2, 3, 4]), "test": cafe([5, 6])})
    with pytest.raises(CorpusError, match=re.escape(message)):
        audited(*files, speaker=[pattern])


def test_a_few_clips_without_a_speaker_leave_it_open(tmp_path: Path) -> None:
    rows = ["a.wav,x,s1,train", "b.wav,x,,train", "c.wav,x,s2,test"]
    fold = only(write_table(tmp_path / "t.csv", "path,label,speaker,split", *rows))
    assert str(fold.verdict) == "unknown (1 of 3 clips without a speaker)"


def test_named_files_belong_together_whatever_their_names(tmp_path: Path) -> None:
    first = write_table(tmp_path / "mine_train.csv", "path,label,speaker", "a.wav,x,s1")
    second = write_table(tmp_path / "others" / "heldout-test.csv", "path,label,speaker", "b.wav,x,s1")
    assert only(first, second).verdict.independent == "no"


def test_one_half_of_a_split_is_refused_but_in_a_folder_listed(tmp_path: Path) -> None:
    alone = write_table(tmp_path / "emo_train.csv", "path,label,speaker", "a.wav,x,s1")
    with pytest.raises(CorpusError, match=r"emo \(emo_\*\.csv\): only the split train; name the files"):
        audited(alone)
    with pytest.raises(CorpusError, match="only the split train"):
        audited(tmp_path)  # nothing else is in the folder
    write_emobox(tmp_path, "cafe", 1, {"train": cafe([1]), "test": cafe([2])})
    write_table(tmp_path / "scores.csv", "run,uar", "a,0.5")
    write_records(tmp_path / "cafe" / "cafe.jsonl", [{"wav": "a.wav", "emo": "c"}])
    result = audited(tmp_path)
    assert [fold.corpus for fold in result.folds] == ["cafe"]
    assert {Path(each.file).name: each.why[:30] for each in result.not_read} == {
        "cafe.jsonl": "no split in the files' names, ",
        "emo_train.csv": "only the split train; name the",
        "scores.csv": "no column 'file_path' or 'path",
    }


def test_folders_of_splits_do_not_confuse_equal_names(tmp_path: Path) -> None:
    for split, speaker in (("train", "s1"), ("test", "s2")):
        write_records(
            tmp_path / split / "metadata.jsonl", [{"file_name": "0.wav", "label": "x", "speaker": speaker}]
        )
    fold = only(tmp_path)
    assert (fold.shared[0].clips, str(fold.verdict)) == (0, "yes")


@pytest.mark.parametrize("layout", [name for name in WRITERS if name != "folders"])
def test_every_layout_with_lists(tmp_path: Path, layout: str) -> None:
    fold = only(WRITERS[layout][1](tmp_path / "mine"), fingerprint=False)
    assert {split: counts.clips for split, counts in fold.splits.items()} == {"train": 2, "val": 2, "test": 2}
    assert (fold.corpus, fold.speakers, str(fold.verdict)) == ("mine", 3, "yes")
    assert fold.hashed == (0 if layout == "parquet" else 6)  # whose recordings are not taken out
    assert [shared.sentences for shared in fold.shared] == [1, 2, 1]


@pytest.fixture
def with_audio(tmp_path: Path) -> Path:
    """A fold whose test split holds one clip's bytes and another's sound, in other files of other speakers."""
    noise = np.random.default_rng(0)
    folder = tmp_path / "audio"
    folder.mkdir()
    for name in "abcd":
        tone = np.sin(np.cumsum(noise.uniform(0.05, 0.4, 20).repeat(1600)))
        soundfile.write(folder / f"{name}.wav", 0.3 * tone * noise.uniform(0.2, 1, 20).repeat(1600), 16_000)
    (folder / "twin.wav").write_bytes((folder / "a.wav").read_bytes())
    samples, rate = soundfile.read(folder / "b.wav")
    soundfile.write(folder / "quiet.wav", 0.4 * samples, rate)
    header = "path,label,speaker"
    write_table(tmp_path / "lists" / "t_train.csv", header, "a.wav,x,s1", "b.wav,x,s2", "gone.wav,x,s3")
    write_table(tmp_path / "lists" / "t_test.csv", header, "twin.wav,x,s4", "quiet.wav,x,s5", "c.wav,x,s6")
    return tmp_path


def test_equal_bytes_and_equal_sound_are_found_where_the_recordings_are(with_audio: Path) -> None:
    fold = only(with_audio / "lists", audio=with_audio / "audio")
    assert (fold.hashed, fold.fingerprinted) == (5, 5)
    assert {("identical-bytes", "stop"), ("near-identical", "warning")} <= kinds(fold)
    assert str(fold.verdict) == "yes"  # of the speakers that the files name
    assert fold.leaks
    without = only(with_audio / "lists", audio=with_audio / "audio", fingerprint=False)
    assert (without.hashed, without.fingerprinted) == (5, 0)
    assert not {kind for kind, _ in kinds(without)} & {"near-identical"}


def test_recordings_beside_the_files_are_found_without_an_option(with_audio: Path) -> None:
    assert only(with_audio / "lists").hashed == 0
    for file in (with_audio / "lists").iterdir():
        file.rename(with_audio / "audio" / file.name)
    assert only(with_audio / "audio", fingerprint=False).hashed == 5


@pytest.mark.parametrize(
    ("root", "message"),
    [("lists", "none of 3 paths"), ("absent", "does not exist"), ("lists/t_test.csv", "not a folder")],
)
def test_a_wrong_folder_of_recordings_is_named(with_audio: Path, root: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        audited(with_audio / "lists", audio=with_audio / root)


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


def test_the_command_prints_text_or_json_and_says_a_leak_in_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_three_corpora(tmp_path)
    assert run("audit", tmp_path / "cafe") == 0
    assert capsys.readouterr().out.endswith("speaker-independent: yes in all 3 folds\n")
    assert run("audit", tmp_path, "--json") == 4
    found = json.loads(capsys.readouterr().out)
    assert found["leaks"]
    assert [fold["leaks"] for fold in found["folds"]] == [False, False, False, False, True]
    assert run("audit", tmp_path / "nowhere") == 2
    (tmp_path / "empty").mkdir()
    assert run("audit", tmp_path / "empty") == 2
    errors = capsys.readouterr().err.splitlines()
    assert ["does not exist" in errors[0], "no split file in it" in errors[1], len(errors)] == [True, True, 2]


def test_many_findings_of_one_kind_are_counted(tmp_path: Path) -> None:
    rows = [
        f"f{n}.wav,x,s{n % 2},{start},{start + 2},{split}"
        for n in range(9)
        for start, split in ((0, "train"), (1, "test"))
    ]
    table = write_table(tmp_path / "t.csv", "path,label,speaker,start,end,split", *rows)
    lines = [*lines_of(audited(table))]
    assert sum(line.startswith("stop (overlap): 1 pair") for line in lines) == 3
    assert "stop (overlap): 6 more; --json lists them" in lines
