"""evaluation.json from logits: defined values are right, and undefined ones are marked."""

import json
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from model.scoring.confidence import score_calibration
from model.scoring.shares import top_k_accuracy
from pipeline.runs.evaluation import Scores, SpeakerScore
from pipeline.runs.scoring import probabilities_of, score, score_affect

LABELS = ["happy", "sad", "angry"]


def scored(
    truth: Any, speakers: int, temperature: Any = 2.0, genders: Any = None, corpora: Any = None
) -> Any:
    truth = np.array(truth)
    logits = np.random.default_rng(0).normal(size=(len(truth), 3))
    columns = {
        "speaker": np.array(speakers, dtype=object),
        "gender": np.array(genders or [""] * len(truth), dtype=object),
        "corpus": np.array(corpora or ["toy"] * len(truth), dtype=object),
    }
    return logits, score(truth, logits, temperature, LABELS, columns)


def test_before_is_at_a_temperature_of_one_and_after_at_the_fitted_one() -> None:
    truth = [0, 1, 2, 0, 1, 2]
    logits, found = scored(truth, list("aabbcc"))
    assert found.calibration.before == score_calibration(logits, np.array(truth))
    assert found.calibration.after == score_calibration(logits / 2, np.array(truth))
    assert probabilities_of(logits, 2.0) == pytest.approx(softmax(logits / 2, axis=1), abs=1e-6)
    assert sum(b.count for b in found.calibration.bins) == 6
    assert Scores.model_validate(json.loads(json.dumps(found.model_dump(mode="json")))) == found


def test_speakers_and_genders_by_hand() -> None:
    truth = [0, 1, 0, 0]
    logits, found = scored(truth, ["b", "b", "a", ""], genders=["male", "male", "female", "female"])
    right = logits.argmax(axis=1) == truth
    assert found.speakers == [
        SpeakerScore(
            speaker="a",
            gender="female",
            n_clips=1,
            accuracy=right[2],
            uar=right[2],
            recall={"happy": right[2], "sad": None, "angry": None},
        ),
        SpeakerScore(
            speaker="b",
            gender="male",
            n_clips=2,
            accuracy=right[:2].mean(),
            uar=right[:2].mean(),
            recall={"happy": right[0], "sad": right[1], "angry": None},
        ),
    ]
    assert [(g.gender, g.n_clips) for g in found.genders] == [("female", 2), ("male", 2)]
    assert found.genders[0].accuracy == right[2:].mean()
    assert found.intervals is None
    assert "1 of 4 test clips names no speaker" in found.intervals_note


def test_a_class_without_test_clips_is_said_and_no_nan_is_written() -> None:
    _, found = scored([0, 0, 0, 1, 1, 1], list("abcabc"))
    assert found.missing_classes_note.startswith("no test clips of angry")
    assert "over the other 2 classes" in found.missing_classes_note
    assert found.per_class["angry"].recall is None
    assert found.uar == np.mean([found.per_class[name].recall for name in LABELS[:2]])
    assert found.intervals.recall.keys() == {"happy", "sad"}
    assert "NaN" not in json.dumps(found.model_dump(mode="json"))


def test_one_speaker_has_no_interval() -> None:
    _, found = scored([0, 1, 2], ["anna"] * 3)
    assert found.intervals is None
    assert "one speaker (anna)" in found.intervals_note


def test_a_class_of_one_speaker_is_said_to_have_no_interval() -> None:
    _, found = scored([0, 0, 0, 1, 1, 1, 2], list("abcabca"))
    assert found.intervals.uar is None
    assert "fewer than 3 speakers have test clips of angry" in found.intervals_note
    assert Scores.model_validate(json.loads(json.dumps(found.model_dump(mode="json")))) == found


def test_each_of_several_corpora_is_scored_apart() -> None:
    truth, speakers = [0, 1, 2] * 8, list("aabbccdd" * 3)
    corpora = ["one" if speaker in "abc" else "two" for speaker in speakers]
    logits, found = scored(truth, speakers, corpora=corpora)
    assert [own.corpus for own in found.corpora] == ["one", "two"]
    predicted = logits.argmax(axis=1)
    for own in found.corpora:
        rows = [row for row, corpus in enumerate(corpora) if corpus == own.corpus]
        recalls = [np.mean([predicted[r] == k for r in rows if truth[r] == k]) for k in range(3)]
        assert own.uar == pytest.approx(np.mean(recalls))
        assert own.n_clips == len(rows)
    one, two = found.corpora
    assert (one.intervals is not None, two.intervals is not None) == (True, False)  # three speakers, and one
    assert scored(truth, speakers)[1].corpora == []


def test_only_dimensions_that_are_predicted_and_known_are_scored() -> None:
    truth = np.array([[1, np.nan, 5], [2, np.nan, 1], [3, np.nan, 4]], np.float32)
    speakers = np.array(list("abc"), dtype=object)
    found = score_affect(truth, {"valence": truth[:, 0], "arousal": truth[:, 0]}, speakers)
    assert found.keys() == {"valence"}
    assert found["valence"].ccc == 1


def test_votes_are_scored_at_the_fitted_temperature_and_left_out_where_there_are_none() -> None:
    logits, found = scored([0, 1, 2], list("abc"))
    assert found.votes is None
    assert (found.top2, found.top3) == (top_k_accuracy(np.arange(3), logits, 2), None)
    names = {"speaker": list("abc"), "gender": [""] * 3, "corpus": ["toy"] * 3}
    columns = {name: np.array(values, dtype=object) for name, values in names.items()}
    votes = softmax(logits / 2, axis=1).astype(np.float32)
    again = score(np.arange(3), logits, 2.0, LABELS, columns, votes)
    assert again.votes is not None
    assert again.votes.kl == pytest.approx(0, abs=1e-6)
    assert again.votes.clips == 3
    assert Scores.model_validate(json.loads(json.dumps(again.model_dump(mode="json")))) == again
