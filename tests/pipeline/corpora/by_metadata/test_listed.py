"""Corpora with metadata files, on small trees with the names, files and slips of each."""

from pathlib import Path
from typing import Any

import pytest

from featurize.errors import CorpusError
from pipeline.corpora import CorpusParams, read_corpus
from pipeline.corpora.by_metadata import LISTED
from pipeline.corpora.by_metadata.iemocap import IEMOCAP
from pipeline.corpora.by_metadata.msp_podcast import MSP_PODCAST
from pipeline.corpora.by_metadata.nemo import NEMO
from pipeline.corpora.clip import Clip
from pipeline.corpora.label_source import choose_labels
from pipeline.protocol.labels import FOUR, LabelParams, label_emotions
from tests.pipeline.corpora.trees import grow

TURNS = """% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[6.2901 - 8.2357]\tSes01F_impro04_F000\tneu\t[2.5000, 2.5000, 2.0000]
C-E2:\tNeutral;\t()
C-E3:\tNeutral state; Sadness;\t(a comment: angry?)
C-E4:\tAnger;\t()
C-F1:\tAnger;\t()
A-E3:\tval 3; act 2; dom  ;\t()

[10.0100 - 11.3925]\tSes01F_impro04_M016\txxx\t[2.0, 3.0]
C-E2:\tFrustration;\t()
C-E3:\tExcited;\t()

"""
IMPROV = """UTD-IMPROV-S01A-F01-P-FM01.avi; A; A:2.0; V:3.0; D:3.5 ; N:4.0;
ID01; Angry; Angry, Frustrated; A:2; V:3; D:3; N:4;
ID02; Neutral; Neutral; A:2; V:3; D:4; N:4;

UTD-IMPROV-S02H-M06-R-MF02.avi; X; A:NaN; V:NaN; D:NaN ; N:NaN;
"""
PODCAST = """FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set
MSP-PODCAST_0001_0008.wav,A,5.2,2.1,5.0,17,Male,Train
MSP-PODCAST_0002_0033.wav,X,4,4,4,Unknown,Unknown,Train
MSP-PODCAST_0003_0001.wav,H,4,6,4,21,Female,Development
MSP-PODCAST_0004_0001.wav,N,4,4,4,30,Female,Test1
MSP-PODCAST_0005_0001.wav,N,4,4,4,31,Female,Test2
"""
DETAILED = (
    '{"MSP-PODCAST_0001_0008.wav": {"w1": {"EmoClass_Major": "Angry"}, "w2": {"EmoClass_Major": "Sad"}}}'
)
MELD = (
    "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"
)
VOTES = ",A,D,F,H,N,S,fileName,numResponses,agreement,emoVote\n100001,6,0,0,0,4,0,1001_IEO_ANG_HI,10,0.6,A\n"
VOTES += "200001,0,0,0,0,9,1,1001_IEO_ANG_HI,10,0.9,N\n"

TREES: dict[str, dict[str, str]] = {
    "iemocap": {
        "Session1/dialog/EmoEvaluation/Ses01F_impro04.txt": TURNS,
        "Session1/dialog/EmoEvaluation/._Ses01F_impro04.txt": "\x00",
        "Session1/dialog/EmoEvaluation/Categorical/Ses01F_impro04_e2_cat.txt": "Ses01F_impro04_F000 :Anger; ()",
        "Session1/dialog/transcriptions/Ses01F_impro04.txt": "Ses01F_impro04_F000 [006.2901-008.2357]: Next.\n",
        "Session1/sentences/wav/Ses01F_impro04/Ses01F_impro04_F000.wav": "a",
        "Session1/sentences/wav/Ses01F_impro04/Ses01F_impro04_M016.wav": "b",
    },
    "msp-podcast": {
        "Labels/labels_concensus.csv": PODCAST,
        "Labels/labels_detailed.json": DETAILED,
        **{f"Audios/MSP-PODCAST_000{n}_{m}.wav": f"{n}" for n, m in ((1, "0008"), (2, "0033"), (3, "0001"))},
        **{f"Audios/MSP-PODCAST_000{n}_0001.wav": f"{n}" for n in (4, 5)},
    },
    "msp-improv": {
        "Evaluation.txt": IMPROV,
        "session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav": "a",
        "session6/S02H/R/MSP-IMPROV-S02H-M06-R-MF02.wav": "b",
    },
    "crema-d": {
        "AudioWAV/1001_IEO_ANG_HI.wav": "a",
        "AudioWAV/1076_MTI_SAD_XX.wav": "silence",
        "VideoDemographics.csv": "ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,Caucasian,Not Hispanic\n",
        "processedResults/summaryTable.csv": '"","FileName","VoiceVote","VoiceLevel"\n"1","1001_IEO_ANG_HI","N","60"\n',
        "processedResults/tabulatedVotes.csv": VOTES,
    },
    "meld": {
        "train/train_sent_emo.csv": f"{MELD}1,Oh\x92 no!,Chandler,sadness,negative,0,3,8,21,,\n",
        "train/train_splits/dia0_utt3.mp4": "a",
        "test_sent_emo.csv": f"{MELD}1,Yes!,Chandler,joy,positive,0,3,8,21,,\n",
        "output_repeated_splits_test/final_videos_testdia0_utt3.mp4": "b",
    },
    "nemo": {
        "data.tsv": "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage\n"
        "SB0_anger_01.wav\tanger\tDzień dobry.\tdzień dobry\tSB0\tfemale\t24\n",
        "samples/SB0_anger_01.wav": "a",
    },
    "emozionalmente": {
        "metadata/samples.csv": "file_name,actor,sentence,emotion_expressed\n1621.wav,anna,Il cane,joy\n",
        "metadata/users.csv": "username,gender,age\nanna,f,31\n",
        "audio/1621.wav": "a",
    },
    "resd": {
        "train.csv": "name,path,emotion\nx,train/happiness_anger_01/01_happiness_anger_a_010.wav,happiness\n",
        "test.csv": "name,path,emotion\ny,test/happiness_anger_01/01_happiness_anger_b_011.wav,anger\n",
        "train/happiness_anger_01/01_happiness_anger_a_010.wav": "a",
        "test/happiness_anger_01/01_happiness_anger_b_011.wav": "b",
    },
}

TOLD: dict[str, dict[str, dict[str, Any]]] = {
    "iemocap": {
        "Ses01F_impro04_F000": {
            **{
                "speaker": "01F",
                "gender": "female",
                "emotion": "neutral",
                "sentence": "impro04",
                "text": "Next.",
            },
            **{"valence": 2.5, "arousal": 2.5, "dominance": 2.0, "session": "Session1", "raters": 3},
            "votes": {"neutral": 2.0, "angry": 1.0, "sad": 1.0},
        },
        "Ses01F_impro04_M016": {"speaker": "01M", "gender": "male", "emotion": "", "dominance": None},
    },
    "msp-podcast": {
        "MSP-PODCAST_0001_0008": {
            **{"speaker": "17", "gender": "male", "emotion": "angry", "split": "train", "dominance": 5.0},
            **{"votes": {"angry": 1.0, "sad": 1.0}, "raters": 2, "session": "0001"},
        },
        "MSP-PODCAST_0002_0033": {"speaker": "", "gender": "", "emotion": ""},
        "MSP-PODCAST_0003_0001": {"split": "val", "valence": 6.0},
        "MSP-PODCAST_0004_0001": {"split": "test"},
    },
    "msp-improv": {
        "MSP-IMPROV-S01A-F01-P-FM01": {
            **{
                "speaker": "F01",
                "gender": "female",
                "emotion": "angry",
                "intended": "angry",
                "session": "session1",
            },
            **{"arousal": 2.0, "dominance": 3.5, "votes": {"angry": 1.0, "neutral": 1.0}, "raters": 2},
        },
        "MSP-IMPROV-S02H-M06-R-MF02": {"speaker": "M06", "emotion": "", "intended": "happy", "valence": None},
    },
    "crema-d": {
        "1001_IEO_ANG_HI": {
            **{"speaker": "1001", "gender": "male", "age": "51", "emotion": "angry", "perceived": "neutral"},
            **{"intensity": "high", "text": "It's eleven o'clock.", "raters": 10},
        }
    },
    "meld": {
        "dia0_utt3": {"speaker": "Chandler", "emotion": "sad", "split": "train", "text": "Oh’ no!"},
        "final_videos_testdia0_utt3": {"emotion": "happy", "split": "test", "session": "test-0"},
    },
    "nemo": {"SB0_anger_01": {"speaker": "SB0", "gender": "female", "age": "24", "text": "Dzień dobry."}},
    "emozionalmente": {"1621": {"speaker": "anna", "gender": "female", "age": "31", "emotion": "happy"}},
    "resd": {
        "01_happiness_anger_a_010": {"speaker": "", "emotion": "happy", "session": "happiness_anger_01"},
        "01_happiness_anger_b_011": {"emotion": "angry", "split": "test"},
    },
}


def plant(root: Path, name: str) -> Path:
    """The tree of a corpus; MELD's tables are in Windows-1252, as some copies are."""
    for path, text in TREES[name].items():
        grow(root, path, text=text)
        if name == "meld" and path.endswith(".csv"):
            (root / path).write_bytes(text.encode("latin-1"))
    return root


def by_stem(clips: list[Clip]) -> dict[str, Clip]:
    return {Path(clip.path.name).stem: clip for clip in clips}


@pytest.mark.parametrize("name", TREES)
def test_metadata_tell_what_they_tell(name: str, tmp_path: Path) -> None:
    corpus = read_corpus(CorpusParams(name=name, root=plant(tmp_path, name)))
    clips = by_stem(corpus.clips)
    assert clips.keys() == TOLD[name].keys()
    for stem, fields in TOLD[name].items():
        assert {field: getattr(clips[stem], field) for field in fields} == fields
        assert clips[stem].emotion in {*corpus.emotions, ""}


def test_every_corpus_has_a_tree() -> None:
    assert TREES.keys() == TOLD.keys() == {corpus.name for corpus in LISTED}


@pytest.mark.parametrize("corpus", LISTED, ids=lambda corpus: corpus.name)
def test_the_four_classes_work_for_every_corpus(corpus: Any) -> None:
    labelling = label_emotions(corpus.facts.emotions, corpus.facts.emotions, LabelParams())
    assert labelling.names == tuple(FOUR)


def test_votes_of_the_voice_stand_behind_what_was_heard(tmp_path: Path) -> None:
    clips = read_corpus(CorpusParams(name="crema-d", root=plant(tmp_path, "crema-d"))).clips
    found = {
        of: choose_labels(clips, LabelParams.model_validate({"of": of})).clips[0]
        for of in ("standard", "intended", "perceived")
    }
    assert {of: (clip.emotion, clip.agreement) for of, clip in found.items()} == {
        "standard": ("angry", 0.6),
        "intended": ("angry", 0.6),
        "perceived": ("neutral", 0.4),
    }


def test_a_missing_session_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    read_corpus(CorpusParams(name="iemocap", root=plant(tmp_path, "iemocap")))
    assert "10,039 clips expected, 2 found" in caplog.text
    assert "Session2, Session3, Session4, Session5 are missing" in caplog.text


def test_a_root_that_is_the_folder_of_recordings_is_read(tmp_path: Path) -> None:
    plant(tmp_path, "msp-podcast")
    assert len(MSP_PODCAST.read(tmp_path / "Audios").clips) == 4


def test_metadata_that_are_missing_or_pointers_are_one_line(tmp_path: Path) -> None:
    plant(tmp_path / "a", "nemo")
    (tmp_path / "a" / "data.tsv").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(CorpusError, match=r"data\.tsv is a Git LFS pointer"):
        NEMO.read(tmp_path / "a")
    (tmp_path / "a" / "data.tsv").write_text("id\temotion\nx\tanger\n")
    with pytest.raises(CorpusError, match=r"the metadata of nEMO in .* lack 'file_id'"):
        NEMO.read(tmp_path / "a")
    grow(tmp_path / "b" / "c" / "d", "x.wav")
    with pytest.raises(CorpusError, match=r"no EmoEvaluation/\*\.txt in .*; give the folder that holds it"):
        IEMOCAP.read(tmp_path / "b" / "c" / "d")


def test_metadata_of_other_recordings_are_one_line(tmp_path: Path) -> None:
    plant(tmp_path, "nemo")
    (tmp_path / "samples" / "SB0_anger_01.wav").rename(tmp_path / "other.wav")
    with pytest.raises(CorpusError, match=r"holds no recording of nEMO \(such as SB0_anger_01\)"):
        NEMO.read(tmp_path)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("labels_concensus.csv", PODCAST.replace("5.2,2.1", "high,low")),
        ("labels_detailed.json", "{damaged"),
        ("labels_detailed.json", '["a list"]'),
    ],
)
def test_metadata_of_another_form_are_one_line(tmp_path: Path, file: str, text: str) -> None:
    plant(tmp_path, "msp-podcast")
    (tmp_path / "Labels" / file).write_text(text)
    with pytest.raises(CorpusError, match=r"the metadata of MSP-Podcast in .* are of another form") as raised:
        MSP_PODCAST.read(tmp_path)
    assert "\n" not in str(raised.value)
