"""Formatting of numbers and notes."""

from typing import Any

import numpy as np
import pytest

from model.scoring.intervals import METHOD, Intervals
from pipeline.report import words
from pipeline.runs.evaluation import Evaluation
from tests.pipeline.made_up import make_run


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, "0.0 s"), (3.44, "3.4 s"), (60.0, "1 min 0 s"), (3599.7, "1 h 0 min"), (36_000.0, "10 h 0 min")],
)
def test_duration(seconds: float, expected: str) -> None:
    assert words.duration(seconds) == expected


def test_missing_values_are_a_dash() -> None:
    for nothing in (None, float("nan")):
        assert words.score(nothing) == words.percent(nothing) == "–"
        assert words.place(nothing) == "0"
    assert words.interval(None) == words.interval((float("nan"), 0.5)) == "–"
    assert words.interval((0.25, 0.5)) == "0.250 to 0.500"
    assert words.place(1.7) == "100.00"
    assert words.count(1234567) == "1\u202f234\u202f567"


def metrics(low: float = 0.4, **changes: Any) -> Evaluation:
    """Two of three classes tested, half of the clips right."""
    own = Intervals(0.95, METHOD, 5, 4, (low, 0.6), (0, 1), (0, 1), {})
    found = {"uar": 0.5, "intervals": own, "intervals_note": "", **changes}
    return make_run(truth=np.arange(8) % 2, predicted=np.arange(8) // 4, **found).evaluation


def test_the_headline_counts_the_classes_that_were_tested() -> None:
    sentence = words.headline(metrics())
    assert sentence.startswith("Averaged over the 2 emotions, the network recognises 50\u00a0% ")
    assert sentence.endswith("guessing finds one in 3.")


def test_an_interval_that_reaches_chance_says_so() -> None:
    assert "includes chance level" in words.uncertainty(metrics(low=0.3))
    assert "chance level" not in words.uncertainty(metrics(low=0.34))


def test_notes_become_sentences() -> None:
    assert words.uncertainty(metrics(intervals_note="only 5 test speakers")).endswith(
        " Only 5 test speakers."
    )
    alone = metrics(intervals=None, intervals_note="no intervals: one speaker")
    assert words.uncertainty(alone) == "No intervals: one speaker."


def test_the_method_is_named_and_a_uar_without_an_interval_leaves_the_note() -> None:
    sentence = words.uncertainty(metrics())
    assert f"({METHOD}; 5 test speakers, 4 degrees of freedom)" in sentence.replace(
        "95\u00a0% interval: ", ""
    )
    without = Intervals(0.95, METHOD, 5, 4, None, (0, 1), None, {})
    assert (
        words.uncertainty(metrics(intervals=without, intervals_note="too few are sad")) == "Too few are sad."
    )
