"""`ser ablate`: how much denoiser, voice activity detection, augmentation and views contribute, as DVC experiments.

Every combination is trained for the same number of steps and scored on the current fold. Choose by the validation UAR:
a test score by which a combination was chosen is optimistic.
"""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from featurize.atomic import write_json
from featurize.errors import SerError, counted
from pipeline.experiments.experiment_runner import SCORES, Experiment, ExperimentRunner, scores_of
from pipeline.protocol.card import TrainingCard
from pipeline.protocol.wording import describe_making, describe_task
from pipeline.runs.evaluated_run import Run

FACTORS = {
    "denoise": "denoise.model",
    "vad": "vad.method",
    "augment": "augment.copies",
    "views": "network.views",
}
"""Name of each factor, and the parameter that it varies."""


def ablate(
    denoise: Sequence[str],
    vad: Sequence[str],
    augment: Sequence[int],
    seeds: int,
    reports: Path,
    views: Sequence[str] = (),
) -> None:
    """Run every combination of the levels, and write reports/ablation.json and a table.

    Args:
        denoise: levels of denoise.model.
        vad: levels of vad.method.
        augment: levels of augment.copies.
        seeds: number of training seeds of each combination: train.seed and the ones after it.
        reports: folder for ablation.json.
        views: levels of network.views, such as "mfcc+encoder"; empty: as in params.yaml.

    Raises:
        ParamsError: a level is not a valid value of its parameter.
        SerError: experiments cannot run here, or a run failed; the results of the others are still written.
    """
    runner = ExperimentRunner(reports)
    first = runner.params.train.seed
    views = views or ["+".join(runner.params.network.views)]
    rows = [
        {**dict(zip(FACTORS, levels, strict=True)), "seed": seed}
        for levels in itertools.product(*map(dict.fromkeys, (denoise, vad, augment, views)))
        for seed in range(first, first + seeds)
    ]
    experiments = [_experiment(row) for row in rows]
    runner.check(experiments)
    runner.prepare()
    found, failures = runner.run(experiments)
    if not found:
        raise SerError(f"every run failed, the first with: {next(iter(failures.values()))}")
    content = tabulate(rows, experiments, found, failures)
    write_json(reports / "ablation.json", content)
    _print(content)
    if failures:
        which = "; ".join(f"{label}: {why}" for label, why in failures.items())
        raise SerError(
            f"{len(failures)} of {counted(len(rows), 'run')} failed, missing in the table: {which}"
        )


def tabulate(
    rows: Sequence[dict[str, Any]],
    experiments: Sequence[Experiment],
    found: dict[str, Run],
    failures: dict[str, str],
) -> dict[str, Any]:
    """The content of ablation.json: runs, means of each combination over seeds, means of each level over the rest."""
    runs = [
        {**row, "experiment": found[experiment.label].name, **scores_of(found[experiment.label])}
        for row, experiment in zip(rows, experiments, strict=True)
        if experiment.label in found
    ]
    table = pd.DataFrame(runs)
    combinations = table.groupby(list(FACTORS), sort=False)[list(SCORES)].mean().reset_index()
    levels = {
        factor: table.groupby(factor, sort=False)[list(SCORES)].mean().reset_index().to_dict("records")
        for factor in FACTORS
    }
    return {
        "protocols": sorted({describe_combination(run.evaluation.protocol) for run in found.values()}),
        "complete": not failures,
        "seeds": sorted({row["seed"] for row in rows}),
        "combinations": combinations.to_dict("records"),
        "levels": levels,
        "runs": runs,
        "failed": [{"run": label, "reason": why} for label, why in failures.items()],
    }


def describe_combination(card: TrainingCard) -> str:
    """The part of the protocol that all combinations with one denoiser share, in one line."""
    return f"{describe_task(card)}, {describe_making(card)}"


def _experiment(row: dict[str, Any]) -> Experiment:
    """The experiment with the levels of a row."""
    levels = "-".join(re.sub(r"\W+", "-", f"{factor}-{row[factor]}") for factor in FACTORS)
    overrides = {parameter: row[factor] for factor, parameter in FACTORS.items()}
    overrides["network.views"] = row["views"].split("+")
    return Experiment(f"ablate-{levels}-seed{row['seed']}", {**overrides, "train.seed": row["seed"]})


def _print(content: dict[str, Any]) -> None:
    console = Console()
    captions = ("UAR", "accuracy", "macro F1", "val UAR")
    table = Table(*FACTORS, *captions)
    for row in content["combinations"]:
        table.add_row(*(str(row[name]) for name in FACTORS), *(f"{row[name]:.3f}" for name in SCORES))
    console.print(table, highlight=False)
    means = Table("mean over the rest", *captions)
    for factor, rows in content["levels"].items():
        for row in rows:
            means.add_row(f"{factor}: {row[factor]}", *(f"{row[name]:.3f}" for name in SCORES))
    console.print(means, highlight=False)
    for line in content["protocols"]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(
        "Choose by the validation UAR; report the test scores of that choice only.", highlight=False
    )
