"""`ser cross`: train on each corpus, and on all but each, and test on the others; each training a DVC experiment.

What was trained on one corpus is also tested on speakers of it that were kept back: so the matrix shows what a change
of corpus costs.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from featurize.atomic import write_json
from featurize.errors import SerError, counted
from model.scoring.intervals import speaker_intervals, why_no_intervals
from pipeline.experiments.crossvalidation import describe_all
from pipeline.experiments.experiment_runner import Experiment, ExperimentRunner, Value
from pipeline.experiments.pooled_folds import pooled_metrics, seed_confusions
from pipeline.runs.cross_matrix import Cell, CrossMatrix, How, Row
from pipeline.runs.evaluated_run import Run
from pipeline.runs.workspace import CROSS

HOWS: dict[How, str] = {"one-corpus": "one", "corpus": "others"}
"""Value of split.method → its short name in experiments."""


class Training(NamedTuple):
    """One training of the matrix."""

    how: How
    fold: int
    """Number of the corpus that is trained on, or left out, from 1."""
    seed: int


def cross(
    hows: Sequence[How], seeds: int, reports: Path, queue: bool = False, baseline: bool = False
) -> None:
    """Run every training of the matrix, write reports/cross/cross.json (cross_baseline.json), and print a table.

    Args:
        hows: train on one corpus, on all but one, or both.
        seeds: number of training seeds: train.seed and the ones after it.
        reports: folder of the folder.
        queue: only put the missing experiments into DVC's queue.
        baseline: instead of the network; it has no seed.

    Raises:
        SerError: experiments cannot run here, there are not several corpora, or a run failed; the results of the
            others are still written.
    """
    if baseline and seeds > 1:
        raise SerError("the baseline draws nothing at random: all seeds give the same; leave out --seeds")
    runner = ExperimentRunner(reports, "baseline" if baseline else "evaluate")
    if len(runner.params.corpus.members) < 2:
        raise SerError(
            "corpus.members names fewer than two corpora to cross; set corpus.name=several and name them there"
        )
    corpora = runner.prepare().protocol.corpora
    first = runner.params.train.seed
    trainings = [
        Training(how, fold, seed)
        for how in hows
        for fold in range(1, len(corpora) + 1)
        for seed in range(first, first + seeds)
    ]
    experiments = {training: _experiment(training, baseline) for training in trainings}
    if queue:
        runner.queue_all(list(experiments.values()), f"ser cross{' --baseline' if baseline else ''}")
        return
    outcomes, failures = runner.run(list(experiments.values()))
    found = {training: outcomes[e.label] for training, e in experiments.items() if e.label in outcomes}
    if not found:
        raise SerError(f"every run failed, the first with: {next(iter(failures.values()))}")
    matrix = tabulate(found, failures, corpora)
    write_json(reports / (CROSS[1] if baseline else CROSS[0]), matrix.model_dump(mode="json"))
    _print(matrix)
    if failures:
        which = "; ".join(f"{label}: {why}" for label, why in failures.items())
        raise SerError(
            f"{len(failures)} of {counted(len(trainings), 'run')} failed, missing in the figures: {which}"
        )


def tabulate(
    found: Mapping[Training, Run], failures: Mapping[str, str], corpora: Sequence[str]
) -> CrossMatrix:
    """The matrix of the finished runs.

    Args:
        found: the finished runs.
        failures: reason of each failed run, by its label.
        corpora: in their order.

    Raises:
        ProtocolError: runs of one kind differ in more than corpus and seed.
    """
    of_row: dict[tuple[How, int], dict[int, Run]] = {}
    for training, run in found.items():
        of_row.setdefault((training.how, training.fold), {})[training.seed] = run
    some = next(iter(found.values())).evaluation
    protocols = [
        describe_all({(t.fold, t.seed): run for t, run in found.items() if t.how == how}, {})
        for how in dict.fromkeys(training.how for training in found)
    ]
    return CrossMatrix(
        model=some.protocol.model,
        corpora=list(corpora),
        labels=some.labels,
        seeds=sorted({training.seed for training in found}),
        rows=[_row(how, fold, runs, corpora) for (how, fold), runs in of_row.items()],
        protocols=protocols,
        failed=dict(failures),
    )


def _row(how: How, fold: int, runs: Mapping[int, Run], corpora: Sequence[str]) -> Row:
    chosen = corpora[fold - 1]
    trained_on = [name for name in corpora if (name == chosen) == (how == "one-corpus")]
    labels = next(iter(runs.values())).evaluation.labels
    tables = [run.predictions for run in runs.values()]
    tested = set(tables[0]["corpus"])
    return Row(
        how=how,
        trained_on=trained_on,
        val_uar=float(np.mean([run.evaluation.val_uar for run in runs.values()])),
        cells=[
            _cell(name, [table[table["corpus"] == name] for table in tables], labels, name in trained_on)
            for name in corpora
            if name in tested
        ],
        experiments=[run.name for run in runs.values()],
    )


def _cell(corpus: str, tables: Sequence[pd.DataFrame], labels: list[str], within: bool) -> Cell:
    """Scores of one corpus, from the predictions of each seed."""
    metrics = [pooled_metrics(table, labels) for table in tables]
    speakers = tables[0]["speaker"].to_numpy(object)
    interval = None
    if not why_no_intervals(speakers):
        interval = speaker_intervals(seed_confusions(tables, labels), labels).uar
    recalls = {label: [own["per_class"][label]["recall"] for own in metrics] for label in labels}
    return Cell(
        corpus=corpus,
        within=within,
        n_clips=len(tables[0]),
        n_speakers=len(set(speakers.tolist()) - {""}),
        uar=float(np.mean([own["uar"] for own in metrics])),
        uar_interval=interval,
        accuracy=float(np.mean([own["accuracy"] for own in metrics])),
        uar_by_seed=[own["uar"] for own in metrics],
        recall={
            label: None if None in values else float(np.mean(values)) for label, values in recalls.items()
        },
    )


def _experiment(training: Training, baseline: bool) -> Experiment:
    short = HOWS[training.how]
    overrides: dict[str, Value] = {
        "split.method": training.how,
        "split.folds": "auto",
        "split.fold": training.fold,
    }
    if baseline:
        return Experiment(f"cross-baseline-{short}{training.fold}", overrides)
    label = f"cross-{short}{training.fold}-seed{training.seed}"
    return Experiment(label, {**overrides, "train.seed": training.seed})


def _print(matrix: CrossMatrix) -> None:
    console = Console()
    table = Table("trained on \\ UAR on", *matrix.corpora, "mean of unheard", "validation")
    for row in matrix.rows:
        mean = matrix.mean_uar(row)
        table.add_row(
            " + ".join(row.trained_on),
            *(_in_words(row.cell(name)) for name in matrix.corpora),
            "–" if mean is None else f"{mean:.3f}",
            f"{row.val_uar:.3f}",
        )
    console.print(table, highlight=False)
    if any(cell.within for row in matrix.rows for cell in row.cells):
        console.print("* of other speakers of the corpus that was trained on", highlight=False)
    for line in matrix.protocols:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _in_words(cell: Cell | None) -> str:
    if cell is None:
        return "–"
    between = " ({:.3f} to {:.3f})".format(*cell.uar_interval) if cell.uar_interval else ""
    return f"{cell.uar:.3f}{'*' * cell.within}{between}"
