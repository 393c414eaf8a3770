"""Everything the run found, as one self-contained HTML page.

`render` turns what a run left behind into the page and touches no file. The page needs no network and no
clock: where nothing changed, its bytes do not change. Whatever came from file names or tables is escaped.
"""

import math
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from featurize.atomic import write_text
from pipeline.pictures import draw_confusion, draw_curves
from pipeline.results import Run, read_run

SPLITS = ("train", "val", "test")
CURVE_TITLES = {"loss": "Loss", "uar": "UAR", "lr": "Learning rate"}  # these first, in this order
# Rows of the protocol card that are written as they come; what is not named here follows under its own name.
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


def report(data: Path, reports: Path) -> Path:
    """Write reports/index.html from the manifest, the metrics, the predictions and the training curves.

    Returns:
        The page's path.

    Raises:
        SerError: a file is missing or damaged, or they are of different runs; says which stage to run.
    """
    page = reports / "index.html"
    write_text(page, render(read_run(data, reports)))
    return page


def render(run: Run) -> str:
    """The page, as HTML text."""
    environment = Environment(
        loader=PackageLoader("pipeline.stages", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"score": _score, "share": _share, "count": _count}
    metrics = run.metrics
    support = [metrics.per_class[name].support if name in metrics.per_class else 0 for name in metrics.labels]
    page = environment.get_template("report.html").render(
        metrics=metrics,
        protocol=metrics.protocol,
        card=protocol_card(run),
        is_stale=_is_stale(run),
        chance=1 / len(metrics.labels),
        majority=max(support) / metrics.n_clips,
        confusion=draw_confusion(metrics.labels, metrics.confusion),
        curves=_draw_all_curves(run),
        corpus=corpus_table(run),
        left_out=run.summary.get("left_out") or {},
        speakers=speaker_table(run.predictions, metrics.labels),
        reasons=list(run.rejects.value_counts(["stage", "reason"], sort=False).items()),
        rejects=run.rejects.to_dict("records"),
    )
    # A name may hold half of a surrogate pair, which no encoding can write.
    return page.encode("utf-8", "replace").decode("utf-8")


def _is_stale(run: Run) -> bool:
    """Whether the scores were computed on another list of files than the manifest's."""
    scored = run.metrics.protocol.get("files_sha256")
    listed = (run.summary.get("protocol") or {}).get("files_sha256")
    return bool(scored and listed and scored != listed)


def _draw_all_curves(run: Run) -> list[tuple[str, str]]:
    """Title and picture of every training curve."""
    known = [name for name in CURVE_TITLES if name in run.curves]
    pictures = []
    for name in (*known, *sorted(set(run.curves) - set(known))):
        by_split = run.curves[name]
        title = CURVE_TITLES.get(name, name)
        is_uar = name == "uar"
        chance = 1 / len(run.metrics.labels) if is_uar else None
        pictures.append((title, draw_curves(by_split, title, chance=chance, mark_best=is_uar)))
    return pictures


def protocol_card(run: Run) -> list[tuple[str, str]]:
    """How the score came about, as captions and values; what evaluation.json does not tell is not there."""
    protocol, manifest, labels = run.metrics.protocol, run.manifest, run.metrics.labels
    clips = manifest["split"].value_counts()
    speakers = {split: len(names) for split, names in (protocol.get("speakers") or {}).items()}
    label_set = protocol.get("label_set")
    rows = [
        ("Corpus", protocol.get("corpus")),
        ("Classes", f"{len(labels)}{f' ({_text(label_set)})' if label_set else ''}: {', '.join(labels)}"),
        ("Clips", ", ".join(f"{_count(int(clips.get(split, 0)))} {split}" for split in SPLITS)),
        (
            "Speakers",
            ", ".join(f"{_count(speakers[split])} {split}" for split in SPLITS if split in speakers),
        ),
        ("Split by", protocol.get("split")),
        ("Speaker-independent", {True: "yes", False: "no"}.get(protocol.get("speaker_independent", ""))),
        (
            "Fold",
            " of ".join(_text(protocol[key]) for key in ("fold", "folds") if _is_told(protocol.get(key))),
        ),
        *((caption, protocol.get(key)) for key, caption in CAPTIONS.items()),
        ("Temperature", _score(run.metrics.temperature) if run.metrics.temperature is not None else None),
        ("Checkpoint", run.metrics.checkpoint),
        *(
            (key.replace("_", " ").capitalize(), protocol[key])
            for key in protocol
            if key not in TOLD_APART | {*CAPTIONS}
        ),
        ("File list (SHA-256)", protocol.get("files_sha256")),
    ]
    return [(caption, _text(value)) for caption, value in rows if _is_told(value)]


def corpus_table(run: Run) -> list[tuple[str, list[int]]]:
    """Clips, speakers and clips per label: a row's counts are for train, val, test and all of them."""
    manifest = run.manifest
    parts = [manifest[manifest["split"] == split] for split in SPLITS]
    parts.append(manifest)
    rows = [("Clips", [len(part) for part in parts])]
    rows.append(("Speakers", [part.loc[part["speaker"] != "", "speaker"].nunique() for part in parts]))
    return rows + [
        (label, [int((part["label"] == label).sum()) for part in parts]) for label in run.metrics.labels
    ]


def speaker_table(predictions: pd.DataFrame, labels: list[str]) -> list[dict[str, Any]]:
    """Clips, accuracy, UAR and recall per class of each test speaker, the hardest first.

    A speaker's UAR is the mean recall over the classes that this speaker has.
    """
    table = predictions.assign(correct=(predictions["true_label"] == predictions["pred_label"]).astype(float))
    rows = []
    for speaker, clips in table.groupby("speaker", sort=True):
        recall = clips.groupby("true_label")["correct"].mean()
        rows.append(
            {
                "speaker": str(speaker) or "unknown",
                "clips": len(clips),
                "accuracy": float(clips["correct"].mean()),
                "uar": float(recall.mean()),
                "recall": [float(recall[label]) if label in recall else None for label in labels],
            }
        )
    return sorted(rows, key=lambda row: (row["uar"], row["speaker"]))


def _is_told(value: object) -> bool:
    return value is not None and value not in ("", {}, [])


def _text(value: object) -> str:
    """A value of evaluation.json as a person writes it."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items() if _is_told(item))
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _score(value: float | None) -> str:
    """A score with three decimals, or a dash where there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:.3f}"


def _share(value: float | None) -> str:
    """A fraction as a CSS number from 0 to 1, the length of a bar."""
    return "0" if value is None or math.isnan(value) else f"{min(max(value, 0.0), 1.0):.4f}"


def _count(value: int) -> str:
    """A count with a thin space between thousands."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
