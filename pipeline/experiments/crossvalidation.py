"""`ser cv`: cross-validation: each fold is the test split once per training seed, each as a DVC experiment.

The headline is the UAR's mean over folds, with its standard deviation. The UAR of the pooled predictions is reported as
well, with an interval over all speakers; there, each seed scores every clip of the corpus exactly once.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from featurize.atomic import write_json
from featurize.errors import ProtocolError, SerError, counted
from pipeline.experiments.experiment_runner import SCORES, Experiment, ExperimentRunner, scores_of
from pipeline.experiments.pooled_folds import pool, pooled_intervals, pooled_metrics
from pipeline.protocol.card import ScoringCard
from pipeline.protocol.manifest_file import read_manifest
from pipeline.protocol.wording import describe_folds, describe_making, describe_task, word_differences
from pipeline.runs.evaluated_run import Run
from pipeline.runs.workspace import read_all_rejects

FoldSeed = tuple[int, int]
"""Fold and training seed."""


def cross_validate(seeds: int, reports: Path, queue: bool = False, baseline: bool = False) -> None:
    """Run every fold of the current parameters, and write reports/cv.json (cv_baseline.json) and a table.

    Args:
        seeds: number of training seeds: train.seed and the ones after it.
        reports: folder for the file.
        queue: only put the missing experiments into DVC's queue.
        baseline: instead of the network; it has no seed.

    Raises:
        SerError: experiments cannot run here, there are no folds, or a run failed; the results of the others are
            still written.
    """
    if baseline and seeds > 1:
        raise SerError("the baseline draws nothing at random: all seeds give the same; leave out --seeds")
    runner = ExperimentRunner(reports, "baseline" if baseline else "evaluate")
    split, first = runner.params.split, runner.params.train.seed
    if split.method == "predefined":
        raise SerError("split.method predefined has no folds to cross-validate; use speaker or random")
    if split.method == "one-corpus":
        raise SerError("split.method one-corpus tests most clips in several folds; `ser cross` runs it")
    scheme = runner.prepare().protocol.folds
    if scheme is None:
        raise SerError("data/manifest.json: its split has no folds; run `ser manifest` again")
    runs = [(fold, seed) for seed in range(first, first + seeds) for fold in range(1, scheme.number + 1)]
    experiments = {run: _experiment(run, baseline) for run in runs}
    if queue:
        runner.queue_all(list(experiments.values()), f"ser cv{' --baseline' if baseline else ''}")
        return
    outcomes, failures = runner.run(list(experiments.values()))
    found = {run: outcomes[e.label] for run, e in experiments.items() if e.label in outcomes}
    failed = {run: failures[e.label] for run, e in experiments.items() if e.label in failures}
    if not found:
        raise SerError(f"every run failed, the first with: {next(iter(failed.values()))}")
    content = tabulate(found, failed, usable_clips(Path("data")))
    write_json(reports / ("cv_baseline.json" if baseline else "cv.json"), content)
    _print(content)
    if failed:
        which = "; ".join(f"fold {fold}, seed {seed}: {why}" for (fold, seed), why in failed.items())
        raise SerError(
            f"{len(failed)} of {counted(len(runs), 'run')} failed, missing in the figures: {which}"
        )


def usable_clips(data: Path) -> set[str]:
    """Ids of the manifest's clips that no later stage has rejected."""
    return set(read_manifest(data / "manifest.csv")["clip_id"]) - set(read_all_rejects(data)["clip_id"])


def tabulate(found: dict[FoldSeed, Run], failed: dict[FoldSeed, str], clips: set[str]) -> dict[str, Any]:
    """The content of cv.json.

    Args:
        found: the finished runs.
        failed: reason of each failed run.
        clips: ids of the clips that each seed should score exactly once.

    Raises:
        SerError: a clip is scored twice, or a clip is missing although no run failed.
        ProtocolError: the runs are of different tasks.
    """
    protocol = describe_all(found, failed)
    seeds = sorted({seed for _, seed in [*found, *failed]})
    pooled = {seed: pool([run for (_, s), run in found.items() if s == seed]) for seed in seeds}
    if not failed:
        for seed, predictions in pooled.items():
            if lost := sorted(clips ^ set(predictions["clip_id"])):
                are = counted(len(lost), "clip is", "clips are")
                raise SerError(
                    f"seed {seed}: {are} in no fold's test split, or not in the manifest, first {lost[0]}"
                )
    table = pd.DataFrame([{"fold": f, "seed": s, **scores_of(run)} for (f, s), run in found.items()])
    labels = next(iter(found.values())).evaluation.labels
    metrics = {
        seed: pooled_metrics(predictions, labels) for seed, predictions in pooled.items() if len(predictions)
    }
    everything = pooled_metrics(pd.concat(pooled.values()), labels)
    return {
        "protocol": protocol,
        "complete": not failed,
        "folds": len({fold for fold, _ in [*found, *failed]}),
        "seeds": seeds,
        "scores": {name: _spread(table, name) for name in SCORES},
        "pooled": {
            **{name: float(np.mean([m[name] for m in metrics.values()])) for name in SCORES[:3]},
            "uar_by_seed": [m["uar"] for m in metrics.values()],
            "labels": labels,
            "confusion": everything["confusion"],
            **pooled_intervals(pooled, labels, complete=not failed),
            "n_clips": len(clips) if not failed else max(m["n_clips"] for m in metrics.values()),
        },
        "runs": [
            {
                "fold": fold,
                "seed": seed,
                "experiment": run.name,
                "n_clips": len(run.predictions),
                **scores_of(run),
            }
            for (fold, seed), run in found.items()
        ],
        "failed": [{"fold": fold, "seed": seed, "reason": why} for (fold, seed), why in failed.items()],
    }


def describe_all(found: dict[FoldSeed, Run], failed: dict[FoldSeed, str]) -> str:
    """The protocol of the cross-validation in one line.

    Raises:
        ProtocolError: the runs differ in more than fold and seed.
    """
    cards = [run.evaluation.protocol for run in found.values()]
    for (fold, seed), card in zip(found, cards, strict=True):
        if differing := word_differences(cards[0], card, "folds"):
            field, expected, value = differing[0]
            raise ProtocolError(
                f"fold {fold}, seed {seed} is of another task than the first run ({field}: {value}, not {expected}); "
                "run `ser cv` again"
            )
    whole = _merge(cards)
    seeds = sorted({seed for _, seed in [*found, *failed]})
    missing = (
        f", INCOMPLETE: {len(failed)} of {counted(len(found) + len(failed), 'run')} failed" if failed else ""
    )
    numbers = "" if whole.seed is None else f", seeds {', '.join(map(str, seeds))}"
    return (
        f"{describe_task(whole, 'all folds of ' + describe_folds(whole.folds))}, {describe_making(whole)}"
        f"{numbers}{missing}"
    )


def _merge(cards: Sequence[ScoringCard]) -> ScoringCard:
    """One card for all folds: what was heard of the speakers of any fold beforehand, labels tested in none."""
    untested = set.intersection(*(set(card.untested_labels) for card in cards))
    changes = {"untested_labels": sorted(untested)}
    for name in ("denoiser_heard_test_speakers", "init_heard_test_speakers", "init_heard_val_speakers"):
        changes[name] = sorted({speaker for card in cards for speaker in getattr(card, name)})
    return cards[0].model_copy(update=changes)


def _experiment(run: FoldSeed, baseline: bool) -> Experiment:
    fold, seed = run
    if baseline:
        return Experiment(f"cv-baseline-fold{fold}", {"split.fold": fold})
    return Experiment(f"cv-fold{fold}-seed{seed}", {"split.fold": fold, "train.seed": seed})


def _spread(table: pd.DataFrame, score: str) -> dict[str, float | None]:
    """Mean of a score, and its sample standard deviation over folds (means over seeds) and over seeds (over folds)."""
    spreads = {f"std_{by}s": table.groupby(by)[score].mean() for by in ("fold", "seed")}
    deviations = {name: float(means.std()) if len(means) > 1 else None for name, means in spreads.items()}
    return {"mean": float(table[score].mean()), **deviations}


def _print(content: dict[str, Any]) -> None:
    console = Console()
    table = Table("fold", "seed", "clips", "UAR", "accuracy", "macro F1", "val UAR", "experiment")
    table.columns[0].no_wrap = True
    for run in content["runs"]:
        scores = [f"{run[name]:.3f}" for name in SCORES]
        table.add_row(*(str(run[name]) for name in ("fold", "seed", "n_clips")), *scores, run["experiment"])
    table.add_section()
    for title, key in (("mean", "mean"), ("std over folds", "std_folds"), ("std over seeds", "std_seeds")):
        values = [content["scores"][name][key] for name in SCORES]
        table.add_row(title, "", "", *("–" if value is None else f"{value:.3f}" for value in values), "")
    pooled = content["pooled"]
    table.add_row(
        "pooled", "", str(pooled["n_clips"]), *(f"{pooled[name]:.3f}" for name in SCORES[:3]), "", ""
    )
    if found := pooled["intervals"]:
        for end, title in enumerate(("95 % from", "95 % to")):
            ends = [found[name][end] if found[name] else None for name in SCORES[:3]]
            table.add_row(
                title, "", "", *("–" if value is None else f"{value:.3f}" for value in ends), "", ""
            )
    console.print(table, highlight=False)
    matrix = Table("true \\ predicted, pooled", *pooled["labels"])
    for label, row in zip(pooled["labels"], pooled["confusion"], strict=True):
        matrix.add_row(label, *map(str, row))
    console.print(matrix, highlight=False)
    for line in (pooled["intervals_note"], content["protocol"]):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
