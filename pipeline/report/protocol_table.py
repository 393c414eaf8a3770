"""The protocol card as two tables: how the score was obtained, and the small print (versions and hashes)."""

from pipeline.protocol.split_params import SPLITS
from pipeline.protocol.wording import (
    NORMALISATIONS,
    TRAINED_ON,
    describe_fold,
    describe_init,
    describe_labels,
    describe_makers,
    describe_mixture,
)
from pipeline.report.words import count, score
from pipeline.runs.workspace import Workspace

UNDECIDED = "clips without agreement of raters; its output is dropped before the softmax in every score"

Rows = list[tuple[str, str]]
"""Caption and value of each row."""


def protocol_table(workspace: Workspace) -> Rows:
    """What a reader needs to judge the score; rows without a value are dropped."""
    scores, card = workspace.run.evaluation, workspace.run.evaluation.protocol
    clips = workspace.manifest["split"].value_counts()
    rows = [
        ("Corpus", card.corpus),
        ("Licence", card.licence),
        ("Classes", f"{len(card.labels)} ({card.label_set}): {', '.join(card.labels)}"),
        ("Labels", describe_labels(card)),
        ("Clips", ", ".join(f"{count(int(clips.get(split, 0)))} {split}" for split in SPLITS)),
        ("Speakers", ", ".join(f"{count(len(card.speakers[split]))} {split}" for split in SPLITS)),
        ("Split by", card.split),
        ("Speaker-independent", "yes" if card.tests_new_speakers else "no"),
        ("Fold", describe_fold(card).removeprefix("fold ")),
        ("Validation data", card.val),
        ("Split seed", str(card.split_seed)),
        ("Training seed", "" if card.seed is None else str(card.seed)),
        ("Trained on", TRAINED_ON[card.refit]),
        ("Trained as a class", UNDECIDED if card.no_agreement == "class" else ""),
        ("Started from", describe_init(card.init) if card.init else ""),
        ("Normalisation", NORMALISATIONS[card.normalisation]),
        ("Denoiser", card.denoiser),
        ("Warning", describe_mixture(card)),
        ("Temperature", score(scores.temperature)),
        ("Checkpoint", scores.checkpoint),
    ]
    return [(caption, value) for caption, value in rows if value]


def small_print(workspace: Workspace) -> Rows:
    """Versions and hashes; rows without a value are dropped."""
    card = workspace.run.evaluation.protocol
    rows = [
        ("File list (SHA-256)", card.files_sha256),
        ("Clips used (SHA-256)", card.clips_sha256),
        ("Denoiser (SHA-256)", card.denoiser_sha256),
        ("Initial checkpoint (SHA-256)", card.init.sha256 if card.init else ""),
        ("Tier 0 (SHA-256)", card.tier0_sha256),
        ("Versions of steps", _pairs(card.steps)),
        *((f"Made by ({stage})", describe_makers(makers)) for stage, makers in card.made_by.items()),
        ("Untested classes", ", ".join(card.untested_labels)),
        ("Trained by", f"{card.device}, ser {card.code}"),
        ("Versions", _pairs(card.versions)),
        *((f"Scored with {name}", _pairs(value)) for name, value in card.scored_with.items()),
    ]
    return [(caption, value) for caption, value in rows if value]


def is_stale(workspace: Workspace) -> bool:
    """Whether the scores were computed on a different list of files than the manifest's."""
    return workspace.run.evaluation.protocol.files_sha256 != workspace.summary.protocol.files_sha256


def _pairs(value: str | dict[str, str]) -> str:
    return value if isinstance(value, str) else ", ".join(f"{key} {item}" for key, item in value.items())
