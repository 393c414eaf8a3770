"""The protocol card: how a score came about, without which it is worth nothing."""

from pipeline.report.words import count, is_told, plain, score
from pipeline.runs.results import Run

SPLITS = ("train", "val", "test")
# Rows that are written as they come; what is named nowhere here goes to the small print under its own name.
CAPTIONS = {
    "val": "Validation data",
    "split_seed": "Split seed",
    "seed": "Training seed",
    "denoiser": "Denoiser",
}
TOLD_APART = {
    *("corpus", "synthetic", "files_sha256", "label_set", "labels", "denoiser_heard_test_speakers"),
    *("split", "speaker_independent", "folds", "fold", "speakers"),
}
Rows = list[tuple[str, str]]


def protocol_card(run: Run) -> Rows:
    """Captions and values; what evaluation.json does not tell is not there."""
    protocol, manifest, labels = run.metrics.protocol, run.manifest, run.metrics.labels
    clips = manifest["split"].value_counts()
    speakers = {split: len(names) for split, names in (protocol.get("speakers") or {}).items()}
    label_set = protocol.get("label_set")
    return _told(
        [
            ("Corpus", protocol.get("corpus")),
            ("Classes", f"{len(labels)}{f' ({plain(label_set)})' if label_set else ''}: {', '.join(labels)}"),
            ("Clips", ", ".join(f"{count(int(clips.get(split, 0)))} {split}" for split in SPLITS)),
            (
                "Speakers",
                ", ".join(f"{count(speakers[split])} {split}" for split in SPLITS if split in speakers),
            ),
            ("Split by", protocol.get("split")),
            ("Speaker-independent", {True: "yes", False: "no"}.get(protocol.get("speaker_independent", ""))),
            (
                "Fold",
                " of ".join(plain(protocol[key]) for key in ("fold", "folds") if is_told(protocol.get(key))),
            ),
            *((caption, protocol.get(key)) for key, caption in CAPTIONS.items()),
            ("Temperature", score(run.metrics.temperature) if run.metrics.temperature is not None else None),
            ("Checkpoint", run.metrics.checkpoint),
        ]
    )


def small_print(run: Run) -> Rows:
    """Whatever else the protocol says: versions, hashes."""
    protocol = run.metrics.protocol
    others = [key for key in protocol if key not in TOLD_APART | {*CAPTIONS}]
    return _told(
        [
            ("File list (SHA-256)", protocol.get("files_sha256")),
            *((key.replace("_", " ").capitalize(), protocol[key]) for key in others),
        ]
    )


def is_stale(run: Run) -> bool:
    """Whether the scores were computed on another list of files than the manifest's."""
    scored = run.metrics.protocol.get("files_sha256")
    listed = (run.summary.get("protocol") or {}).get("files_sha256")
    return bool(scored and listed and scored != listed)


def _told(rows: list[tuple[str, object]]) -> Rows:
    return [(caption, plain(value)) for caption, value in rows if is_told(value)]
