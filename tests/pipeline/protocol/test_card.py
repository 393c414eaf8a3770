"""Cards are extended by each stage, stored as JSON, and refused if a field is missing or invalid."""

import json
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from featurize.errors import CheckpointError, CorpusError
from pipeline.protocol.card import (
    FIELDS,
    Card,
    DataCard,
    Scope,
    ScoringCard,
    TrainingCard,
    differing_fields,
    scoring_card,
    training_card,
)
from pipeline.protocol.data_card import read_training_card
from pipeline.protocol.manifest_summary import read_summary
from pipeline.protocol.wording import CAPTIONS
from tests.pipeline.made_up import PROTOCOL, make_card, make_summary


def part(kind: type[Card], **changes: Any) -> Any:
    """As much of the made-up card as a stage knows."""
    return kind.model_validate({k: v for k, v in (PROTOCOL | changes).items() if k in kind.model_fields})


def test_each_stage_adds_to_the_card_of_the_one_before() -> None:
    data = part(DataCard)
    trained = training_card(data, seed=7, views=["mfcc"], normalisation="clip", device="cpu", refit=False)
    assert dict(trained).items() >= dict(data).items()
    assert (trained.seed, trained.normalisation, trained.device) == (7, "clip", "cpu")
    assert trained.versions.keys() >= {"python", "torch"}
    assert scoring_card(trained, "cpu").scored_with == {}
    elsewhere = trained.model_copy(update={"code": "0.0.1", "device": "cuda"})
    assert scoring_card(elsewhere, "cpu").scored_with == {"code": trained.code, "device": "cpu"}


@pytest.mark.parametrize("kind", [Card, DataCard, TrainingCard, ScoringCard])
def test_what_is_written_is_read(kind: type[Card]) -> None:
    card = part(kind, folds={"kind": "published", "number": 6, "publisher": "EmoBox"})
    assert kind.model_validate(json.loads(json.dumps(card.model_dump(mode="json")))) == card


@pytest.mark.parametrize("name", ScoringCard.model_fields)
def test_no_field_may_be_missing(name: str) -> None:
    with pytest.raises(ValidationError):
        ScoringCard.model_validate({key: value for key, value in PROTOCOL.items() if key != name})


@pytest.mark.parametrize(
    "change",
    [
        {"normalisation": "SPEAKER (transductive)"},
        {"folds": "EmoBox 6"},
        {"speakers": {"train": [], "val": []}},
        {"split": "by hand"},
        {"vad": {}},
    ],
)
def test_what_no_version_writes_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make_card(**change)


def test_every_field_that_cards_are_compared_by_exists_and_has_a_caption() -> None:
    assert FIELDS.keys() == set(get_args(Scope))
    compared = {name for names in FIELDS.values() for name in names}
    assert compared == set(CAPTIONS)
    assert compared <= set(TrainingCard.model_fields)
    for scope in ("task", "clips"):  # of a manifest's card, too
        assert set(FIELDS[scope]) <= set(Card.model_fields)


@pytest.mark.parametrize(
    ("change", "scopes"),
    [
        ({"corpus": "ravdess"}, {"folds", "task", "clips", "data"}),
        ({"labels": ["a", "b"]}, {"folds", "task", "clips", "data"}),
        ({"folds": {"kind": "loso", "number": 5}}, {"folds", "task", "clips", "data"}),
        ({"fold": 2}, {"task", "clips", "data"}),
        ({"split_seed": 4}, {"folds", "clips"}),
        ({"clips_sha256": "0"}, {"data"}),
        ({"steps": {"load": "1", "mfcc": "2"}}, {"folds", "data"}),
        ({"denoiser": "dns64"}, {"folds", "data"}),
        ({"normalisation": "clip"}, {"folds"}),
        ({"made_by": {}}, set()),
        ({"seed": 4, "code": "0.2.0"}, set()),
    ],
)
def test_fields_differ_in_their_scopes_only(change: dict[str, Any], scopes: set[str]) -> None:
    found = {scope for scope in FIELDS if differing_fields(make_card(), make_card(**change), scope)}
    assert found == scopes


def test_an_old_checkpoint_is_one_line(tmp_path: Any) -> None:
    good = {k: v for k, v in PROTOCOL.items() if k in TrainingCard.model_fields}
    path = tmp_path / "best.pt"
    assert read_training_card(path, {"protocol": good}) == part(TrainingCard)
    lacking = {key: value for key, value in good.items() if key != "steps"}
    for args, token in (
        ({}, "`corpus` is missing"),
        ({"protocol": lacking}, "`steps` is missing"),
        ({"protocol": good | {"vad": 1}}, "`vad` is unknown"),
        ({"protocol": good | {"folds": "5"}}, "`folds`"),
    ):
        with pytest.raises(CheckpointError) as refused:
            read_training_card(path, args)
        text = str(refused.value)
        assert token in text
        assert str(path) in text
        assert "train again" in text
        assert "\n" not in text


def test_an_old_manifest_is_one_line(tmp_path: Any) -> None:
    path = tmp_path / "manifest.json"
    content = make_summary(make_card()).model_dump(mode="json")
    path.write_text(json.dumps(content))
    assert read_summary(path) == make_summary(make_card())
    del content["protocol"]["label_set"]
    path.write_text(json.dumps(content))
    with pytest.raises(CorpusError, match=r"manifest\.json: `protocol\.label_set` is missing; run `ser man"):
        read_summary(path)
