"""One evaluated run: of this workspace, of a folder, or of a DVC experiment, tag or commit."""

import io
import textwrap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from featurize.errors import SerError
from pipeline.protocol.typed_json import parse_json
from pipeline.protocol.wording import describe, describe_leak, describe_mixture
from pipeline.repository import require_commit
from pipeline.runs.evaluation import Evaluation

WORKSPACE = "workspace"
FILES = ("evaluation.json", "predictions.csv")
COLUMNS = ("clip_id", "corpus", "speaker", "gender", "true_label", "pred_label", "correct", "card")
COMMAND = "ser evaluate"
"""The command that writes them."""


@dataclass(frozen=True)
class Run:
    """The scores and predictions of one run."""

    name: str
    """As the user gave it."""
    evaluation: Evaluation
    predictions: pd.DataFrame
    """predictions.csv sorted by clip_id; confidence and probabilities are numbers, all other columns text."""

    def classes(self, column: str) -> NDArray[np.int64]:
        """A column of labels as classes (n,)."""
        return self.predictions[column].map(self.evaluation.labels.index).to_numpy(np.int64)


def read_run(name: str, reports: Path) -> Run:
    """Read a run and check that its two files are of the same run.

    Args:
        name: "workspace", a folder with evaluation.json and predictions.csv, or a DVC experiment, tag or commit.
        reports: folder of these files in the workspace and in a revision.

    Raises:
        SerError: a file is missing, damaged or of another version, or the two are of different runs.
    """
    if name == WORKSPACE:
        return read_folder(reports, name)
    if Path(name).is_dir():
        return read_folder(Path(name), name)
    evaluation, predictions = _read_revision(name, reports)
    return _parse(name, f"{name}: ", evaluation, predictions)


def read_folder(folder: Path, name: str, command: str = COMMAND) -> Run:
    """Read a run, which `command` writes, from a folder and call it `name`. Errors as in `read_run`."""
    for file in FILES:
        if not (folder / file).is_file():
            raise SerError(f"{folder / file}: missing; run `{command}` first, or name another run")
    evaluation, predictions = ((folder / file).read_bytes() for file in FILES)
    return _parse(name, f"{folder}/", evaluation, predictions, command)


def describe_scores(evaluation: Evaluation) -> str:
    """The main scores in one line."""
    intervals = evaluation.intervals
    between = " ({:.3f} to {:.3f})".format(*intervals.uar) if intervals and intervals.uar else ""
    return (
        f"UAR {evaluation.uar:.3f}{between}, accuracy {evaluation.accuracy:.3f}, "
        f"macro F1 {evaluation.macro_f1:.3f}, ECE {evaluation.calibration.after.ece:.3f}"
    )


def describe_affect(evaluation: Evaluation) -> str:
    """The concordance of each dimension of affect in one line; empty where none is predicted."""
    scores = [
        f"{name} {own.ccc:.3f}{' ({:.3f} to {:.3f})'.format(*own.interval) if own.interval else ''}"
        for name, own in evaluation.affect.items()
    ]
    return f"CCC: {', '.join(scores)}" if scores else ""


def describe_choice(evaluation: Evaluation) -> str:
    """What validation chose for a baseline, in one line; empty for a network."""
    choice = evaluation.choice
    if choice is None:
        return ""
    states = f"hidden states {', '.join(map(str, choice.states))}, " if choice.states else ""
    return f"baseline, chosen on validation: {states}C {choice.penalty:g} (validation UAR {evaluation.val_uar:.3f})"


def summarise(run: Run) -> list[str]:
    """A run in lines of at most 80 columns: scores, recalls, warnings, protocol."""
    evaluation = run.evaluation
    recalls = ", ".join(
        f"{label} {'–' if own.recall is None else format(own.recall, '.3f')}"
        for label, own in evaluation.per_class.items()
    )
    notes = [
        evaluation.missing_classes_note,
        evaluation.intervals_note,
        describe_leak(evaluation.protocol),
        describe_mixture(evaluation.protocol),
    ]
    return fit_lines(
        [
            describe_scores(evaluation),
            f"recall: {recalls}",
            *(f"{own.corpus}: UAR {own.uar:.3f}, accuracy {own.accuracy:.3f}" for own in evaluation.corpora),
            *filter(None, [describe_affect(evaluation), describe_choice(evaluation), *notes]),
            describe(evaluation.protocol),
        ]
    )


def fit_lines(paragraphs: list[str]) -> list[str]:
    """Wrap paragraphs to lines of at most 80 columns; an empty paragraph gives an empty line."""
    return [
        line
        for paragraph in paragraphs
        for line in textwrap.wrap(paragraph, 80, subsequent_indent="  ") or [""]
    ]


def _read_revision(name: str, reports: Path) -> tuple[bytes, bytes]:
    from dvc.api import DVCFileSystem
    from dvc.exceptions import NotDvcRepoError
    from dvc.scm import SCMError

    try:
        files = DVCFileSystem(rev=name)
        evaluation, predictions = (files.read_bytes((reports / file).as_posix()) for file in FILES)
    except (SCMError, NotDvcRepoError) as error:
        raise SerError(
            f"{name}: neither a folder, nor an experiment, tag or commit; see `dvc exp list -A`"
        ) from error
    except Exception as error:  # besides DVC's and the system's errors, those of two libraries for git
        require_commit(f"{name} is looked for in its history")
        raise SerError(
            f"{name}: {reports} of this revision cannot be read ({' '.join(str(error).split())[:120]}); "
            "`dvc pull` or `dvc exp apply` may bring it"
        ) from error
    return evaluation, predictions


def _parse(name: str, place: str, evaluation: bytes, predictions: bytes, command: str = COMMAND) -> Run:
    """Parse both files; error messages put `place` before the file names."""
    remedy = f"run `{command}` again"
    scores = parse_json(Evaluation, evaluation, f"{place}evaluation.json", remedy)
    return Run(name, scores, _parse_predictions(f"{place}predictions.csv", predictions, scores, remedy))


def _parse_predictions(source: str, content: bytes, evaluation: Evaluation, remedy: str) -> pd.DataFrame:
    try:
        table = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8")
    except ValueError as error:
        raise SerError(f"{source}: damaged ({' '.join(str(error).split())}); {remedy}") from error
    numbers = ["confidence", *(f"prob_{label}" for label in evaluation.labels)]
    if missing := [column for column in (*COLUMNS, *numbers) if column not in table.columns]:
        raise SerError(f"{source}: no column {', '.join(missing)}; {remedy}")
    strange = sorted({*table["true_label"], *table["pred_label"]} - set(evaluation.labels))
    if strange:
        known = ", ".join(evaluation.labels)
        raise SerError(f"{source}: of another label set ({strange[0]!r} is not among {known}); {remedy}")
    if len(table) != evaluation.n_clips or set(table["card"]) != {evaluation.card}:
        raise SerError(f"{source}: of another run than the evaluation.json beside it; {remedy}")
    if table["clip_id"].duplicated().any():
        twice = table.loc[table["clip_id"].duplicated(), "clip_id"].iloc[0]
        raise SerError(f"{source}: lists {twice} twice; {remedy}")
    for name in numbers:
        table[name] = pd.to_numeric(table[name], errors="coerce")
        if table[name].isna().any():
            raise SerError(f"{source}: column {name} does not hold numbers; {remedy}")
    return table.sort_values("clip_id", ignore_index=True)
