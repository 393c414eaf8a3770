"""How well speakers predict labels."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.protocol.confounding import Confounding, measure_confounding
from tests.pipeline.made_up import confounded_items


def slow_by_speaker(clips: Sequence[tuple[str, str]]) -> float:
    """Clip by clip, with the list of the speaker's other clips."""
    overall = Counter(label for _, label in clips)
    majority = min(label for label in overall if overall[label] == max(overall.values()))
    right = 0.0
    for number, (speaker, label) in enumerate(clips):
        others = [own for other, (who, own) in enumerate(clips) if who == speaker and other != number]
        tops = [own for own in set(others) if others.count(own) == max(map(others.count, others))]
        right += (label in tops) / len(tops) if tops else label == majority
    return right / len(clips)


@given(st.lists(st.tuples(st.sampled_from("uvwx"), st.sampled_from("abc")), min_size=1, max_size=20))
def test_it_is_what_leaving_out_one_clip_at_a_time_gives(clips: list[tuple[str, str]]) -> None:
    measured = measure_confounding(clips)
    assert measured is not None
    assert measured.by_speaker == pytest.approx(slow_by_speaker(clips))
    assert measured.by_majority == max(Counter(label for _, label in clips).values()) / len(clips)


def test_one_emotion_per_speaker_is_strong_confounding() -> None:
    measured = measure_confounding((item.speaker, item.label) for item in confounded_items())
    assert measured is not None
    assert measured.is_strong
    assert measured.by_speaker > 0.85
    assert measured.by_majority == 0.25


def test_speakers_of_one_clip_are_not_confounded() -> None:
    measured = measure_confounding((f"s{number}", "ab"[number % 2]) for number in range(100))
    assert measured == Confounding(by_speaker=0.5, by_majority=0.5)
    assert not measured.is_strong


def test_actors_who_play_every_emotion_are_not_confounded() -> None:
    clips = [(f"s{speaker}", label) for speaker in range(10) for label in "abcd" for _ in range(10)]
    measured = measure_confounding(clips)
    assert measured is not None
    assert measured.explained < 0
    assert not measured.is_strong


def test_unknown_speakers_are_left_out() -> None:
    assert measure_confounding([("", "a"), ("", "b")]) is None
    assert measure_confounding([("", "a"), ("u", "b"), ("u", "b")]) == Confounding(
        by_speaker=1, by_majority=1
    )


def test_a_corpus_of_one_label_is_not_confounded() -> None:
    assert Confounding(by_speaker=1.0, by_majority=1.0).explained == 0
    assert Confounding(by_speaker=0.625, by_majority=0.5).is_strong
    assert not Confounding(by_speaker=0.62, by_majority=0.5).is_strong
