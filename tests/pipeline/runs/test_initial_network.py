"""The checkpoint that training starts from: it fits or is refused in one line, and the card says what it has heard."""

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from featurize.errors import CheckpointError
from featurize.shards import list_shards
from model.checkpoint import load_checkpoint, save_checkpoint
from model.network.tier1 import SERTier1, build_network
from model.training.hyperparameters import TrainParams
from pipeline.protocol.card import DataCard, TrainingCard, training_card
from pipeline.protocol.data_card import data_card, shared_provenance
from pipeline.protocol.manifest_summary import read_summary
from pipeline.protocol.origins import EncoderCard, InitCard
from pipeline.protocol.wording import describe_leak, describe_task
from pipeline.runs.best_checkpoint import best_checkpoint
from pipeline.runs.initial_network import find_initial, sha256_of, start_from

PARAMS = TrainParams(init="x.pt", freeze="blocks")


class Here:
    """A run that may start from the small run's checkpoint, with changes."""

    def __init__(self, small_run: Any, folder: Path) -> None:
        self.path = Path(shutil.copy(best_checkpoint(small_run.checkpoints), folder / "x.pt"))
        self.trained, self.args = load_checkpoint(self.path)
        shards = list_shards(small_run.data / "features")
        self.made = shared_provenance(shards)
        self.data: DataCard = data_card(read_summary(small_run.data / "manifest.json"), shards, self.made)
        self.encoder: EncoderCard | None = None
        self.network_params = self.trained.params

    def network(self) -> SERTier1:
        return build_network(40, len(self.data.labels), self.network_params, 1)

    def start(self, network: SERTier1 | None = None) -> InitCard:
        tier0 = self.made["tier0"]
        return start_from(self.path, network or self.network(), PARAMS, self.data, tier0, self.encoder)

    def card(self, init: InitCard | None = None) -> TrainingCard:
        init = init or self.start()
        return training_card(self.data, 0, ["mfcc"], "global", "cpu", refit=False, init=init)

    def change_checkpoint(self, **card: Any) -> None:
        save_checkpoint(self.path, self.trained, {**self.args, "protocol": {**self.args["protocol"], **card}})


@pytest.fixture
def here(small_run: Any, tmp_path: Path) -> Here:
    return Here(small_run, tmp_path)


def test_the_card_names_the_checkpoint_and_the_network_has_its_weights(
    here: Here, caplog: pytest.LogCaptureFixture
) -> None:
    network = here.network()
    with caplog.at_level(logging.INFO, "pipeline"):
        init = here.start(network)
    assert init.sha256 == sha256_of(here.path)
    assert (init.corpus, init.files_sha256) == ("demo", here.data.files_sha256)
    assert (init.labels, init.labels_kept, init.frozen) == (here.data.labels, here.data.labels, "blocks")
    assert init.trained_on == [f"demo/{name}" for name in sorted(here.data.speakers["train"])]
    for name, value in here.trained.state_dict().items():
        if name != "temperature":
            assert torch.equal(value, network.state_dict()[name]), name
    assert "trained on demo; its head knows happy, neutral, sad, angry" in caplog.text
    assert "made differently" not in caplog.text


def test_the_same_split_is_no_leak(here: Here) -> None:
    card = here.card()
    assert (card.init_heard_test_speakers, card.init_heard_val_speakers) == ([], [])
    assert describe_leak(card) == ""
    assert card.tests_new_speakers


def test_speakers_that_the_checkpoint_knows_are_found(here: Here) -> None:
    """Its training speakers are tested or validated on here, or its validation speakers tested on."""
    own = here.data.speakers
    (train, *_), val, test = own["train"], own["val"], own["test"]
    here.data = here.data.model_copy(
        update={"speakers": {"train": test, "val": [train], "test": [*val, own["train"][1]]}}
    )
    card = here.card()
    assert card.init_heard_test_speakers == sorted(f"demo/{name}" for name in [*val, own["train"][1]])
    assert card.init_heard_val_speakers == [f"demo/{train}"]
    assert not card.tests_new_speakers
    assert "SPEAKER-DEPENDENT" in describe_task(card)
    note = describe_leak(card)
    assert f"validated on test speakers ({', '.join(card.init_heard_test_speakers)})" in note
    assert f"validation speakers (demo/{train})" in note


def test_validation_speakers_of_a_refitted_checkpoint_were_trained_on(here: Here) -> None:
    here.change_checkpoint(refit=True)
    card = here.card()
    assert card.init_heard_val_speakers == [f"demo/{name}" for name in here.data.speakers["val"]]
    assert card.init_heard_test_speakers == []


def test_unknown_speakers_of_the_checkpoint_are_a_warning(
    here: Here, caplog: pytest.LogCaptureFixture
) -> None:
    here.start()
    assert "cannot be told" not in caplog.text
    here.change_checkpoint(speakers={"train": [], "val": [], "test": []}, speaker_independent=False)
    here.start()
    assert "whether it was trained on test speakers cannot be told" in caplog.text


def test_another_corpus_with_the_same_names_is_no_leak(here: Here) -> None:
    turned = dict(zip(("test", "val", "train"), here.data.speakers.values(), strict=True))
    here.data = here.data.model_copy(update={"corpus": "other", "speakers": turned})
    assert describe_leak(here.card()) == ""


def test_what_an_earlier_network_has_heard_is_not_forgotten(here: Here) -> None:
    """The checkpoint itself started from one that was trained on today's test speakers."""
    tested = f"demo/{here.data.speakers['test'][0]}"
    first = here.start().model_copy(update={"trained_on": [tested], "validated_on": ["demo/gone"]})
    here.change_checkpoint(init=first.model_dump(mode="json"))
    init = here.start()
    assert tested in init.trained_on
    assert "demo/gone" in init.validated_on
    assert here.card(init).init_heard_test_speakers == [tested]


def test_a_checkpoint_that_does_not_fit_is_one_line_with_what_to_set(here: Here) -> None:
    for changes, words in (
        (
            {"conv_channels": (16,)},
            ["network.conv_channels is [8] there and [16] here", "; set it as there, or name another"],
        ),
        (
            {"conv_channels": (16,), "lstm_hidden": 9},
            ["network.conv_channels", "network.lstm_hidden is 8 there and 9 here", "set them"],
        ),
    ):
        here.network_params = here.trained.params.model_copy(update=changes)
        with pytest.raises(CheckpointError, match=r"^train\.init: .*x\.pt does not fit: ") as refused:
            here.start()
        assert all(word in str(refused.value) for word in words)
        assert "\n" not in str(refused.value)


def test_frames_of_another_encoder_do_not_fit(here: Here) -> None:
    step = {"sha256": "a" * 64, "precision": "fp32", "layers": [0, 2], "version": "1"}
    there = EncoderCard(name="big", sha256="a" * 64, layers=[0, 2], size=4, frame_pooling=2, step=step)
    here.change_checkpoint(encoder=there.model_dump())
    here.encoder = there.model_copy(update={"sha256": "b" * 64, "layers": [0, 1], "frame_pooling": 4})
    with pytest.raises(CheckpointError) as refused:
        here.start()
    assert (
        "encode.model is big aaaaaaaa there and big bbbbbbbb here, encode.layers is [0, 2] there and [0, 1] here, "
        "encode.frame_pooling is 2 there and 4 here; set them as there"
    ) in str(refused.value)


def test_features_that_were_made_differently_are_a_warning(
    here: Here, caplog: pytest.LogCaptureFixture
) -> None:
    step = {"sha256": "a" * 64, "precision": "fp32", "version": "1"}
    here.encoder = EncoderCard(
        name="big", sha256="a" * 64, layers=[0], size=4, frame_pooling=2, step={**step, "precision": "bf16"}
    )
    here.change_checkpoint(encoder={**here.encoder.model_dump(), "step": step})
    tier0 = here.made["tier0"]
    here.made["tier0"] = {**tier0, "vad": {**tier0["vad"], "threshold": 0.7}}
    here.data = here.data.model_copy(
        update={"steps": {**here.data.steps, "mfcc": "99"}, "denoiser_sha256": "c" * 64}
    )
    here.start()
    (line,) = [record.getMessage() for record in caplog.records if "differently" in record.getMessage()]
    for words in (
        "vad.threshold was 0.5, now 0.7",
        "denoiser (hash) was none, now cccccccc",
        f"version of mfcc was {here.args['protocol']['steps']['mfcc']}, now 99",
        "encode.precision was fp32, now bf16",
    ):
        assert words in line


def test_a_checkpoint_without_a_card_is_refused(here: Here) -> None:
    save_checkpoint(here.path, here.trained, {})
    with pytest.raises(CheckpointError, match=r"protocol card: `corpus` is missing; train again"):
        here.start()
    here.change_checkpoint(labels=["happy", "sad"])
    with pytest.raises(CheckpointError, match="its card does not belong to its network"):
        here.start()


def test_a_folder_gives_its_best_and_this_runs_own_folder_is_refused(here: Here, tmp_path: Path) -> None:
    checkpoints = tmp_path / "checkpoints"
    assert find_initial(str(here.path), checkpoints) == here.path
    assert find_initial(str(tmp_path), checkpoints) == here.path
    for name in ("checkpoints", "checkpoints/best_uar_0.5.pt"):  # DVC has removed it by now
        with pytest.raises(CheckpointError, match=r"which this run writes anew; copy the checkpoint"):
            find_initial(str(tmp_path / name), checkpoints)
    with pytest.raises(CheckpointError, match=r"^train\.init: .*empty: no checkpoint"):
        (tmp_path / "empty").mkdir()
        find_initial(str(tmp_path / "empty"), checkpoints)
    with pytest.raises(CheckpointError, match=r"^train\.init: .*absent\.pt: cannot be read \(No such file"):
        sha256_of(tmp_path / "absent.pt")
