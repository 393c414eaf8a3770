"""Descriptions of cards, with warnings in capitals."""

import pytest

from pipeline.protocol.confounding import Confounding
from pipeline.protocol.folds import FoldScheme
from pipeline.protocol.wording import (
    describe,
    describe_confounding,
    describe_fold,
    describe_folds,
    describe_mixture,
    differences,
    word_differences,
)
from tests.pipeline.made_up import INIT, make_card

TWO = [
    {"device": "cpu", "versions": {"torch": "2.11.0", "av": "15"}, "code": "0.1.0 abc"},
    {"device": "cuda (H100)", "versions": {"torch": "2.12.0", "av": "15"}, "code": "0.1.0 abc"},
]


def test_one_line_says_what_a_score_is_worth() -> None:
    card = make_card()
    assert describe(card) == (
        "toy abababab, 3 classes, speaker-independent, fold 1 of 5, denoiser none, Tier 0 efefefef, "
        "seeds 0 (split) and 0 (training), ser 0.1.0"
    )
    for change, token in (
        ({"synthetic": True}, "toy (synthetic)"),
        ({"speaker_independent": False}, "SPEAKER-DEPENDENT"),
        ({"normalisation": "speaker"}, "TRANSDUCTIVE (normalised by speaker)"),
        ({"untested_labels": ["sad"]}, "3 classes (1 WITHOUT TEST CLIPS)"),
        ({"denoiser_heard_test_speakers": ["toy/a"]}, "TRAINED ON 1 OF THE TEST SPEAKERS"),
        (
            {"init": INIT},
            "fold 1 of 5, started from checkpoint 12121212 of toy with frozen streams, denoiser",
        ),
        (
            {"init": INIT, "init_heard_test_speakers": ["toy/a"]},
            "toy abababab, 3 classes, SPEAKER-DEPENDENT, ",
        ),
        (
            {"init": INIT, "init_heard_test_speakers": ["a", "b"], "init_heard_val_speakers": ["c"]},
            "streams (TRAINED ON 2 OF THE TEST AND 1 OF THE VALIDATION SPEAKERS), denoiser none",
        ),
        ({"init": INIT, "init_heard_val_speakers": ["c"]}, " (TRAINED ON 1 OF THE VALIDATION SPEAKERS)"),
        (
            {"confounding": Confounding(by_speaker=0.96, by_majority=0.26)},
            "THE SPEAKER ALONE GIVES 96% OF THE LABELS (the majority 26%)",
        ),
    ):
        assert token not in describe(card)
        assert token in describe(make_card(**change))


def test_weak_confounding_is_not_mentioned() -> None:
    assert describe_confounding(make_card(confounding=Confounding(by_speaker=0.4, by_majority=0.3))) == ""


@pytest.mark.parametrize(
    ("folds", "text"),
    [
        (FoldScheme(kind="dealt", number=5), "5"),
        (FoldScheme(kind="published", number=6, publisher="EmoBox"), "EmoBox 6"),
        (FoldScheme(kind="loso", number=24), "24 (one speaker each)"),
        (None, "none"),
    ],
)
def test_folds(folds: FoldScheme | None, text: str) -> None:
    assert describe_folds(folds) == text
    assert describe_fold(make_card(folds=folds)) == (f"fold 1 of {text}" if folds else "")


def test_a_mixture_of_makers_is_described_with_its_differences() -> None:
    assert (
        describe_mixture(make_card())
        == describe_mixture(make_card(made_by={"denoise": TWO[:1], "featurize": TWO[1:]}))
        == ""
    )
    text = describe_mixture(make_card(made_by={"denoise": TWO[:1], "featurize": TWO}))
    assert text == (
        "features made by 2 devices or versions "
        "(featurize: cpu, ser 0.1.0 abc, torch 2.11.0 | cuda (H100), ser 0.1.0 abc, torch 2.12.0)"
    )


def test_differences_have_a_caption_and_both_values() -> None:
    other = make_card(
        folds=None, files_sha256="cd" * 32, steps={"load": "1", "mfcc": "2", "vad": "1"}, labels=list("abc")
    )
    assert word_differences(make_card(), other, "data") == [
        ("recordings (hash)", "abababab", "cdcdcdcd"),
        ("labels", "happy, sad, angry", "a, b, c"),
        ("folds", "5", "none"),
        ("version of step mfcc", "1", "2"),
        ("version of step vad", "none", "1"),
    ]


def test_differences_have_dotted_names_and_show_missing_values() -> None:
    one = {"a": 1, "b": {"c": 2, "d": [1]}, "e": {}}
    other = {"a": 1, "b": {"c": 3, "d": [1]}, "f": {"g": 4}}
    assert differences(one, other) == [("b.c", 2, 3), ("f.g", None, 4)]
    assert differences(one, one) == []
