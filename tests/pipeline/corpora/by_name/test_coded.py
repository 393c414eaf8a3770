"""Corpora whose names are codes: what each name says, and trees as people have them."""

import unicodedata
from pathlib import Path
from typing import Any

import pytest

from featurize.errors import CorpusError
from pipeline.corpora.by_name import CODED
from pipeline.corpora.by_name.aesdd import AESDD
from pipeline.corpora.by_name.coded import CodedCorpus, odd_and_even
from pipeline.corpora.by_name.emovo import EMOVO
from pipeline.corpora.by_name.enterface import ENTERFACE
from pipeline.corpora.by_name.mead import MEAD
from pipeline.corpora.by_name.oreau import OREAU
from pipeline.corpora.by_name.savee import SAVEE
from pipeline.corpora.by_name.tess import TESS
from pipeline.corpora.clip import Clip
from pipeline.corpora.facts import Facts, describe_counts
from pipeline.protocol.labels import FOUR, LabelParams, label_emotions
from tests.pipeline.corpora.trees import grow

SAID: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "ravdess": [
        (
            "Actor_16/03-01-05-02-01-01-16.wav",
            {
                "speaker": "16",
                "gender": "female",
                "emotion": "angry",
                "intensity": "strong",
                "sentence": "01",
            },
        )
    ],
    "emodb": [
        (
            "wav/08b10Wc.wav",
            {"speaker": "08", "gender": "female", "emotion": "anger", "sentence": "b10", "language": "de"},
        ),
        ("wav/03a01Nxx.wav", {"speaker": "03", "gender": "male", "emotion": "neutral"}),
        ("wav/03a02Faxx.flac", {"emotion": "happiness", "sentence": "a02"}),
    ],
    "tess": [
        (
            "OAF_Fear/OAF_bite_ps.wav",
            {"speaker": "OAF", "age": "64", "emotion": "surprised", "sentence": "bite"},
        ),
        ("YAF_sad/YAF_bite_sad.wav", {"speaker": "YAF", "age": "26", "text": "Say the word bite."}),
        ("OAF_neutral/OA_bite_neutral.wav", {"speaker": "OAF", "gender": "female", "emotion": "neutral"}),
    ],
    "savee": [
        ("AudioData/DC/sa01.wav", {"speaker": "DC", "gender": "male", "emotion": "sad", "sentence": "sa01"}),
        ("ALL/JE_su03.wav", {"speaker": "JE", "emotion": "surprised"}),
        ("KLn30.wav", {"speaker": "KL", "emotion": "neutral"}),
    ],
    "emovo": [
        (
            "f1/dis-f1-b1.flac",
            {"speaker": "f1", "gender": "female", "emotion": "disgusted", "sentence": "b1"},
        ),
        ("m3/rab-m3-n5.wav", {"speaker": "m3", "gender": "male", "emotion": "angry", "language": "it"}),
    ],
    "cafe": [
        (
            "Peur/Fort/12-P-2-5.wav",
            {
                "speaker": "12",
                "gender": "female",
                "emotion": "fearful",
                "intensity": "strong",
                "sentence": "5",
            },
        ),
        ("Neutre/01-N-0-1.wav", {"gender": "male", "emotion": "neutral", "intensity": ""}),
    ],
    "aesdd": [
        ("anger/a03 (3).wav", {"speaker": "3", "emotion": "angry", "sentence": "a03"}),
        ("sadness/s05 (05)b.wav", {"speaker": "5", "emotion": "sad"}),
    ],
    "shemo": [
        (
            "female/F30A02.wav",
            {"speaker": "F30", "gender": "female", "emotion": "angry", "perceived": "angry"},
        ),
        ("M01W12.wav", {"speaker": "M01", "emotion": "surprised", "intended": ""}),
    ],
    "urdu": [("Angry/SM1_F19_A019.wav", {"speaker": "SM1", "gender": "male", "emotion": "angry"})],
    "esd": [
        ("0005/中立/0005_000001.wav", {"speaker": "0005", "emotion": "neutral", "language": "zh"}),
        (
            "0019/Surprise/train/0019_001403.wav",
            {"speaker": "0019", "gender": "female", "emotion": "surprised", "language": "en"},
        ),
    ],
    "jl-corpus": [
        (
            "JL(wav+txt)/female1_concerned_6b_1.wav",
            {
                "speaker": "female1",
                "gender": "female",
                "emotion": "concerned",
                "sentence": "6",
                "session": "b",
            },
        )
    ],
    "emov-db": [
        (
            "jenie_Amused/amused_57-84_0057.wav",
            {"speaker": "jenie", "gender": "female", "emotion": "amused", "sentence": "0057"},
        ),
        ("sam_Sleepy/sleepiness_1-28_0001.wav", {"speaker": "sam", "emotion": "sleepy"}),
    ],
    "subesco": [
        (
            "F_02_MONIKA_S_1_NEUTRAL_5.wav",
            {"speaker": "F02", "gender": "female", "emotion": "neutral", "sentence": "1", "language": "bn"},
        )
    ],
    "banglaser": [
        (
            "Actor_13/03-01-04-02-03-01-13.wav",
            {"speaker": "13", "gender": "male", "emotion": "surprised", "intensity": "strong"},
        )
    ],
    "mesd": [
        ("Anger_F_A_tarde.wav", {"speaker": "", "gender": "female", "emotion": "angry", "text": "tarde"}),
        ("Fear_C_B_mamá.wav", {"gender": "", "age": "child", "emotion": "fearful"}),
    ],
    "oreau": [
        ("f/sessj/10a02Ja.wav", {"speaker": "10", "gender": "female", "emotion": "happy", "sentence": "a02"})
    ],
    "asvp-esd": [
        (
            "actor_36/03-01-09-01-06-36-02-02-01-39.wav",
            {"speaker": "36", "gender": "male", "emotion": "excited"},
        ),
        ("actor_103/03-02-13-02-01-103.wav", {"speaker": "103", "gender": "female", "emotion": "breath"}),
    ],
    "mead": [
        (
            "M003/audio/angry/level_1/001.m4a",
            {
                "speaker": "M003",
                "gender": "male",
                "emotion": "angry",
                "intensity": "1",
                "sentence": "angry-001",
            },
        )
    ],
    "enterface": [
        (
            "subject 19/anger/sentence 4/s19_an_4.avi",
            {"speaker": "19", "emotion": "angry", "sentence": "anger-4"},
        ),
        ("subject 11/Surprise/sentence 2/s12_su_2.avi", {"speaker": "11", "emotion": "surprised"}),
    ],
}
BY_NAME = {corpus.name: corpus for corpus in CODED}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_name_says_what_it_says(name: str, tmp_path: Path) -> None:
    corpus = BY_NAME[name].read(grow(tmp_path, *(path for path, _ in SAID[name])))
    clips = {
        clip.path.relative_to(tmp_path).as_posix(): clip
        for clip in corpus.clips
        if isinstance(clip.path, Path)
    }
    assert clips.keys() == {path for path, _ in SAID[name]}
    for path, fields in SAID[name]:
        assert {field: getattr(clips[path], field) for field in fields} == fields
        assert clips[path].corpus == name
        assert clips[path].emotion in corpus.emotions
        assert getattr(clips[path], corpus.facts.standard) == clips[path].emotion


@pytest.mark.parametrize("corpus", CODED, ids=lambda corpus: corpus.name)
def test_the_layout_that_is_shown_is_one_that_is_read(corpus: CodedCorpus) -> None:
    for line in corpus.facts.layout:
        assert corpus.match(f"/somewhere/{line.split(' (of')[0].rsplit('.', 1)[0]}")


@pytest.mark.parametrize("corpus", CODED, ids=lambda corpus: corpus.name)
def test_the_four_classes_work_for_every_corpus(corpus: CodedCorpus) -> None:
    labelling = label_emotions(corpus.facts.emotions, corpus.facts.emotions, LabelParams())
    assert {*labelling.names} <= FOUR.keys()
    assert len(labelling.names) >= 2


def test_a_root_too_high_and_one_too_low_are_read(tmp_path: Path) -> None:
    grow(tmp_path / "x" / "MEAD", "M003/audio/angry/level_1/001.m4a", "W009/audio/sad/level_2/002.m4a")
    assert {clip.speaker for clip in MEAD.read(tmp_path).clips} == {"M003", "W009"}
    assert [clip.speaker for clip in MEAD.read(tmp_path / "x" / "MEAD" / "W009" / "audio").clips] == ["W009"]


def test_another_folder_is_refused_and_the_right_one_named(tmp_path: Path) -> None:
    grow(tmp_path / "songs", "a.wav")
    grow(tmp_path / "EMOVO", "f1/dis-f1-b1.wav")
    expected = rf"no EMOVO recording \(such as f1/dis-f1-b1\.wav\) in .*songs; set it to {tmp_path}/EMOVO"
    with pytest.raises(CorpusError, match=expected):
        EMOVO.read(tmp_path / "songs")


def test_a_tree_that_an_archive_holds_twice_is_read_once(tmp_path: Path) -> None:
    names = [f"{speaker}_sad/{speaker}_bite_sad.wav" for speaker in ("OAF", "YAF")]
    grow(tmp_path, *names, *(f"tess/data/{name}" for name in names))
    corpus = TESS.read(tmp_path)
    assert [clip.path for clip in corpus.clips] == [tmp_path / name for name in names]
    assert [file.why for file in corpus.left_out] == ["same name and bytes"] * 2


def test_names_that_are_the_same_in_two_folders_are_two_recordings(tmp_path: Path) -> None:
    assert len(SAVEE.read(grow(tmp_path, "DC/a01.wav", "JE/a01.wav", "DC/a02.wav")).clips) == 3


def test_a_decomposed_accent_is_no_obstacle(tmp_path: Path) -> None:
    folder = unicodedata.normalize("NFD", "Oréau2")
    (clip,) = OREAU.read(grow(tmp_path, f"{folder}/m/sessa/03a01Ca.wav")).clips
    assert (clip.speaker, clip.gender, clip.emotion) == ("03", "male", "angry")


def test_git_lfs_pointers_are_one_line(tmp_path: Path) -> None:
    grow(
        tmp_path, "f1/dis-f1-b1.wav", "f1/gio-f1-b1.wav", text="version https://git-lfs.github.com/spec/v1\n"
    )
    with pytest.raises(
        CorpusError, match="are Git LFS pointers, without audio; fetch them with `git lfs pull`"
    ):
        EMOVO.read(tmp_path)


def test_what_is_skipped_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    grow(tmp_path, "subject 6/anger/s6_an.avi", "subject 7/anger/sentence 1/s7_an_1.avi", "theme.mp3")
    assert [clip.speaker for clip in ENTERFACE.read(tmp_path).clips] == ["7"]
    assert "enterface: 1 file skipped: all sentences of an emotion in one file" in caplog.text
    assert "enterface: 1 file skipped: no eNTERFACE'05 code as name" in caplog.text


def test_one_speaker_under_two_spellings_is_one(tmp_path: Path) -> None:
    corpus = AESDD.read(grow(tmp_path, "anger/a01 (5).wav", "anger/a02 (05).wav", "anger/a03 (5)b.wav"))
    assert {clip.speaker for clip in corpus.clips} == {"5"}


def test_half_a_corpus_is_said() -> None:
    clips = [Clip(f"{n}", Path(), "x", f"0{n}", "", "sad") for n in (1, 2)]
    facts = Facts(clips=(4, 6), speakers=3, parts=("01", "02", "03"))
    said = "4 or 6 clips expected, 2 found; 3 speakers expected, 2 found; 03 is missing"
    assert describe_counts(facts, clips) == said
    assert describe_counts(facts, clips * 2, doubles=2).startswith("3 speakers expected")
    assert describe_counts(Facts(), clips) == ""


def test_speakers_by_turns() -> None:
    assert odd_and_even(2) == {"01": "male", "02": "female"}
    assert odd_and_even(2, odd="female", width=3) == {"001": "female", "002": "male"}
