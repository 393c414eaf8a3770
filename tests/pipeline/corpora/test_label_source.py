"""What a clip's label is taken from, and how many raters stand behind it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from featurize.errors import ParamsError
from pipeline.corpora.clip import Clip
from pipeline.corpora.label_source import choose_labels
from pipeline.protocol.labels import LabelParams


def clip(emotion: str, **fields: Any) -> Clip:
    return Clip(emotion, Path("a.wav"), "x", "s", "", emotion, **fields)


HEARD = clip("sad", intended="sad", perceived="angry", votes={"angry": 6.0, "sad": 3.0}, raters=10)


def test_the_label_is_what_labels_of_names_and_so_is_the_agreement() -> None:
    found = {
        of: choose_labels([HEARD], LabelParams.model_validate({"of": of})).clips[0]
        for of in ("standard", "intended", "perceived")
    }
    assert {of: each.emotion for of, each in found.items()} == {
        "standard": "sad",
        "intended": "sad",
        "perceived": "angry",
    }
    assert {of: each.agreement for of, each in found.items()} == {
        "standard": 0.3,
        "intended": 0.3,
        "perceived": 0.6,
    }


def test_clips_without_a_label_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    chosen = choose_labels([HEARD, clip("")], LabelParams())
    assert ([each.emotion for each in chosen.clips], chosen.unlabelled) == (["sad"], 1)
    assert "left out: 1 clip without a label" in caplog.text


def test_few_raters_leave_a_clip_out() -> None:
    clips = [HEARD, clip("sad", agreement=0.9), clip("sad"), clip("sad", votes={"sad": 3.0, "angry": 2.0})]
    chosen = choose_labels(clips, LabelParams(min_agreement=0.6))
    assert ([each.agreement for each in chosen.clips], chosen.low_agreement) == ([0.9, 0.6], 2)


@pytest.mark.parametrize(
    ("params", "expected"),
    [({"of": "perceived"}, r"labels\.of perceived"), ({"min_agreement": 0.5}, r"labels\.min_agreement")],
)
def test_what_the_corpus_does_not_know_is_refused(params: dict[str, Any], expected: str) -> None:
    with pytest.raises(ParamsError, match=expected):
        choose_labels([clip("sad", intended="sad")], LabelParams.model_validate(params))


def test_clips_without_a_majority_may_be_a_class() -> None:
    clips = [HEARD, clip(""), clip("sad", perceived="")]
    for of, undecided in (("standard", [clips[1]]), ("perceived", [clips[1], replace(clips[2], emotion="")])):
        chosen = choose_labels(clips, LabelParams.model_validate({"of": of, "no_agreement": "class"}))
        assert chosen.undecided == undecided
        assert (len(chosen.clips), chosen.unlabelled) == (3 - len(undecided), 0)
    with pytest.raises(ParamsError, match="every clip of the corpus has a label; set it to drop"):
        choose_labels([HEARD], LabelParams(no_agreement="class"))
    with pytest.raises(ValueError, match=r"labels\.of is intended; set it to drop"):
        LabelParams(of="intended", no_agreement="class")
