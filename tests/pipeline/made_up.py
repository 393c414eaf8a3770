"""Valid cards, evaluations, runs and manifests with synthetic values; a test sets only the values that it is about."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from featurize.atomic import write_json
from pipeline.audit.hashing import hash_audio
from pipeline.protocol.card import Card, ScoringCard
from pipeline.protocol.division import Item
from pipeline.protocol.manifest_file import COLUMNS
from pipeline.protocol.manifest_summary import ManifestSummary
from pipeline.runs.evaluated_run import Run
from pipeline.runs.evaluation import Evaluation
from pipeline.runs.scoring import probabilities_of, score

LABELS = ["happy", "sad", "angry"]
PROTOCOL: dict[str, Any] = {
    "corpus": "toy",
    "corpora": ["toy"],
    "synthetic": False,
    "files_sha256": "ab" * 32,
    "licence": "",
    "label_set": "map",
    "labels": LABELS,
    "labels_of": "standard",
    "min_agreement": 0.0,
    "no_agreement": "drop",
    "split": "speaker",
    "speaker_independent": True,
    "folds": {"kind": "dealt", "number": 5},
    "fold": 1,
    "val": "2 speakers",
    "split_seed": 0,
    "speakers": {"train": ["x"], "val": ["y"], "test": []},
    "confounding": None,
    "untested_labels": [],
    "clips_sha256": "cd" * 32,
    "denoiser": "none",
    "denoiser_sha256": "",
    "denoiser_heard_test_speakers": [],
    "tier0_sha256": "ef" * 32,
    "steps": {"load": "1", "mfcc": "1"},
    "made_by": {"denoise": [{"device": "cpu", "versions": {"torch": "2.11.0"}, "code": "0.1.0"}]},
    "model": "network",
    "views": ["mfcc"],
    "encoder": None,
    "normalisation": "global",
    "init": None,
    "init_heard_test_speakers": [],
    "init_heard_val_speakers": [],
    "seed": 0,
    "refit": False,
    "code": "0.1.0",
    "versions": {"torch": "2.11.0"},
    "device": "cpu",
    "scored_with": {},
}

INIT: dict[str, Any] = {
    "sha256": "12" * 32,
    "corpus": "toy",
    "files_sha256": "ab" * 32,
    "labels": LABELS,
    "folds": None,
    "fold": 0,
    "denoiser": "none",
    "tier0_sha256": "ef" * 32,
    "steps": {"load": "1", "mfcc": "1"},
    "code": "0.1.0",
    "trained_on": ["toy/ann"],
    "validated_on": [],
    "labels_kept": LABELS,
    "frozen": "streams",
}
"""The checkpoint of a card whose training did not start from random weights."""


def make_card(**changes: Any) -> ScoringCard:
    """A complete card."""
    return ScoringCard.model_validate(PROTOCOL | changes)


def make_summary(card: ScoringCard, **changes: Any) -> ManifestSummary:
    """The manifest.json that a card began in."""
    own = {name: value for name, value in dict(card).items() if name in Card.model_fields}
    nothing = dict.fromkeys(("train", "val", "test"), 0)
    counts = {"clips": 0, "speakers": 0, "splits": nothing, "labels": {split: {} for split in nothing}}
    content = {"labels": card.labels, "protocol": own, "counts": counts, "left_out": {}}
    content |= dict.fromkeys(("unlabelled", "low_agreement", "duplicates_dropped", "rejected"), 0)
    return ManifestSummary.model_validate(content | changes)


def make_evaluation(
    truth: NDArray[np.int64],
    logits: NDArray[np.float64],
    columns: dict[str, NDArray[Any]],
    card: ScoringCard,
    **changes: Any,
) -> Evaluation:
    """The scores of logits, with other values where a test wants them."""
    rest: dict[str, Any] = {
        "temperature": 1.0,
        "checkpoint": "best_uar_0.6100.pt",
        "val_uar": 0.61,
        "best_epoch": 3,
        "choice": None,
        "affect": {},
        "params": {"train": {"lr": 0.1}},
        "protocol": card,
        "card": "0123456789ab",
    }
    rest |= changes
    scores = score(truth, logits, rest["temperature"], card.labels, columns)
    return Evaluation.model_validate(dict(scores) | rest)


def make_run(
    name: str = "run",
    card: ScoringCard | None = None,
    clip_ids: list[str] | None = None,
    speakers: list[str] | None = None,
    genders: list[str] | None = None,
    corpora: list[str] | None = None,
    truth: NDArray[np.int64] | None = None,
    predicted: NDArray[np.int64] | None = None,
    **changes: Any,
) -> Run:
    """A run whose predictions are those of its scores; twelve clips by two speakers unless they are named.

    Args:
        name: what it is called.
        card: its protocol.
        clip_ids: of its test clips.
        speakers: one a clip.
        genders: one a clip.
        corpora: one a clip.
        truth: true classes (n,).
        predicted: predicted classes (n,), each with a probability twice that of the others.
        changes: other values of the evaluation.
    """
    card = card or make_card()
    ids = clip_ids or [f"clip{number:02}" for number in range(12 if truth is None else len(truth))]
    true = np.arange(len(ids)) % len(card.labels) if truth is None else truth
    guess = true if predicted is None else predicted
    columns = {
        "clip_id": np.array(ids, dtype=object),
        "speaker": np.array(speakers or [f"s{number % 2}" for number in range(len(ids))], dtype=object),
        "gender": np.array(genders or ["female"] * len(ids), dtype=object),
        "corpus": np.array(corpora or ["toy"] * len(ids), dtype=object),
    }
    logits = np.log(1 + np.eye(len(card.labels))[guess])
    evaluation = make_evaluation(true, logits, columns, card, **changes)
    return Run(name, evaluation, table_of(columns, true, logits, evaluation))


def table_of(
    columns: dict[str, NDArray[Any]],
    truth: NDArray[np.int64],
    logits: NDArray[np.float64],
    evaluation: Evaluation,
) -> pd.DataFrame:
    """predictions.csv of an evaluation."""
    labels = evaluation.labels
    names, probabilities = np.array(labels, dtype=object), probabilities_of(logits, evaluation.temperature)
    predicted = probabilities.argmax(axis=1)
    return pd.DataFrame(columns).assign(
        true_label=names[truth],
        pred_label=names[predicted],
        correct=np.where(truth == predicted, "True", "False"),
        confidence=probabilities.max(axis=1),
        card=evaluation.card,
        **{f"prob_{label}": probabilities[:, k] for k, label in enumerate(labels)},
    )


def write_run(run: Run, folder: Path) -> Path:
    """Write a run's two files."""
    write_json(folder / "evaluation.json", run.evaluation.model_dump(mode="json"))
    run.predictions.to_csv(folder / "predictions.csv", index=False)
    return folder


def confounded_items() -> list[Item]:
    """400 clips of 29 speakers, of whom 26 have one emotion only, as in corpora cut from talk shows.

    Four classes of 100 clips; speakers have between 1 and 40 clips; four of them are women.
    """
    items = []
    for number, label in enumerate(("angry", "happy", "neutral", "sad")):
        for clip in range(100):
            # Seven speakers to a class, the first with 40 clips, and an eighth in the first.
            place = next(place for place, end in enumerate((40, 65, 80, 89, 95, 98, 100)) if clip < end)
            speaker = 7 * number + place
            if place == 6 and number == 0 and clip == 99:
                speaker = 28
            elif place == 1 and number < 3 and clip >= 60:
                speaker += 7  # a second emotion of the next class's speaker
            gender = "female" if speaker % 8 == 3 else "male"
            items.append(Item(f"{label}/{clip:03d}", f"s{speaker:02d}", gender, label))
    return items


def manifest_row(number: int, path: Path, **changes: Any) -> dict[str, Any]:
    """A row of manifest.csv; the hash of a file that does not exist or is empty is zero."""
    sha256 = hash_audio(path) if path.is_file() and path.stat().st_size else "0" * 64
    emotion = {"emotion": "happy", "label": "happy"}
    fields = {
        "clip_id": f"t/{number}",
        "path": path,
        "sha256": sha256,
        "corpus": "t",
        "speaker": "s",
        **emotion,
    }
    return dict.fromkeys(COLUMNS, "") | fields | {"split": "train"} | changes


def write_manifest(data: Path, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Write manifest.csv, and return it as a table."""
    table = pd.DataFrame(rows)
    table.to_csv(data / "manifest.csv", index=False)
    return table


def write_noise_corpus(data: Path, number: int, seconds: float = 0.05, paths: str = "") -> pd.DataFrame:
    """Write noise clips of different lengths and their manifest; `paths`, if given, is the folder in the manifest."""
    noise = np.random.default_rng(0)
    (data / "raw").mkdir(parents=True, exist_ok=True)
    rows = []
    for index in range(number):
        path = data / "raw" / f"{index}.wav"
        soundfile.write(path, noise.normal(0, 0.1, int(16_000 * seconds) + index), 16_000)
        rows.append(manifest_row(index, path, **({"path": f"{paths}/{path.name}"} if paths else {})))
    return write_manifest(data, rows)
