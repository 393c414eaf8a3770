"""`ser compare`: whether one run is better than another, or the difference may be chance.

Only runs of the same task can be compared: same recordings, classes and splits. Everything else (denoiser, Tier 0,
network, training, seed) may differ, and differences are listed.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from featurize.errors import ProtocolError, counted
from model.scoring.intervals import LEVEL
from model.scoring.significance import McNemar, UarDifference, compare_uar, mcnemar
from pipeline.protocol.card import FIELDS, ScoringCard
from pipeline.protocol.provenance import Maker
from pipeline.protocol.wording import (
    describe_init,
    describe_leak,
    describe_makers,
    describe_task,
    differences,
    word_differences,
)
from pipeline.runs.evaluated_run import Run, describe_scores, fit_lines, read_run

ALPHA = 1 - LEVEL
UNLISTED = {*FIELDS["task"], "clips_sha256", "tier0_sha256", "seed"}
"""Fields of the card that are not listed: they are the same in both runs, or repeat the parameters."""

OF_A_MODEL = {"network", "train", "baseline", "opensmile"}
"""Blocks of the parameters that belong to one model."""


@dataclass(frozen=True)
class Comparison:
    """Two runs of one task."""

    first: Run
    second: Run
    differs: list[tuple[str, Any, Any]]
    """Dotted name and both values of each parameter or card field that differs."""
    uar: UarDifference
    """Second minus first."""
    mcnemar: McNemar

    def as_dict(self) -> dict[str, Any]:
        """Plain types, for --json."""
        return {
            **{
                key: {
                    "name": run.name,
                    "uar": run.evaluation.uar,
                    "protocol": run.evaluation.protocol.model_dump(mode="json"),
                }
                for key, run in (("first", self.first), ("second", self.second))
            },
            "differs": [{"name": n, "first": a, "second": b} for n, a, b in self.differs],
            "uar": asdict(self.uar),
            "mcnemar": asdict(self.mcnemar),
            "verdict": verdict(self),
        }


def compare(first: str, second: str, reports: Path) -> Comparison:
    """Read two runs and compare them.

    Args:
        first: "workspace", a folder, or a DVC experiment, tag or commit.
        second: likewise.
        reports: folder of evaluation.json and predictions.csv.

    Raises:
        ProtocolError: the runs are of different tasks, or were tested on different clips.
        SerError: a run cannot be read.
    """
    return compare_runs(read_run(first, reports), read_run(second, reports))


def compare_runs(first: Run, second: Run) -> Comparison:
    """Compare two runs.

    Raises:
        ProtocolError: they are of different tasks, or were tested on different clips.
    """
    runs = first, second
    check_same_task(*runs)
    truth, speakers = runs[0].classes("true_label"), runs[0].predictions["speaker"].to_numpy(object)
    before, after = (run.classes("pred_label") for run in runs)
    return Comparison(
        *runs,
        differs=list_differences(*runs),
        uar=compare_uar(truth, before, after, speakers, len(runs[0].evaluation.labels)),
        mcnemar=mcnemar(truth, before, after),
    )


def check_same_task(first: Run, second: Run) -> None:
    """Reject runs of different tasks, whose scores cannot be compared.

    Raises:
        ProtocolError: the task or the test clips differ; the message lists how.
    """
    names = f"{first.name} and {second.name}"
    if differing := word_differences(first.evaluation.protocol, second.evaluation.protocol, "task"):
        listed = "; ".join(f"{field}: {value} and {other}" for field, value, other in differing)
        raise ProtocolError(f"{names} cannot be compared: {listed}")
    labels, other_labels = (
        dict(zip(run.predictions["clip_id"], run.predictions["true_label"], strict=True))
        for run in (first, second)
    )
    only_first, only_second = labels.keys() - other_labels.keys(), other_labels.keys() - labels.keys()
    only = [
        f"{len(clips)} only in {run.name} (such as {min(clips)})"
        for run, clips in ((first, only_first), (second, only_second))
        if clips
    ]
    if only:
        raise ProtocolError(
            f"{names} were tested on different clips: {', '.join(only)}; see their rejects.csv"
        )
    for clip, label in labels.items():
        if label != other_labels[clip]:
            raise ProtocolError(
                f"{names} cannot be compared: {clip} is {label} in one and {other_labels[clip]} in the other"
            )


def list_differences(first: Run, second: Run) -> list[tuple[str, Any, Any]]:
    """Dotted name and both values of all that differs: parameters first, then the other fields of the cards.

    The parameters of a network and of a baseline are of different kinds and are left out where the models differ.
    """
    cards = [run.evaluation.protocol for run in (first, second)]
    own = OF_A_MODEL if cards[0].model != cards[1].model else set()
    params = [
        {name: value for name, value in run.evaluation.params.items() if name not in own}
        for run in (first, second)
    ]
    makers = [maker for card in cards for own in card.made_by.values() for maker in own]
    return differences(*params) + differences(*(_plain(card, makers) for card in cards))


def _plain(card: ScoringCard, makers: list[Maker]) -> dict[str, Any]:
    """A card without its `UNLISTED` fields, and with its makers and its start in words."""
    made_by = {stage: describe_makers(own, makers) for stage, own in card.made_by.items()}
    init = card.init and describe_init(card.init)
    return {**card.model_dump(mode="json", exclude=UNLISTED), "made_by": made_by, "init": init}


def verdict(comparison: Comparison) -> str:
    """The result in one sentence."""
    uar, names = comparison.uar, (comparison.first.name, comparison.second.name)
    points = 100 * abs(uar.difference)
    better = names[uar.difference > 0]
    if uar.p is None or uar.least_p is None:
        ahead = f"{better} is ahead by {points:.1f} points of UAR" if points else "both have the same UAR"
        return f"{ahead}; this cannot be tested for significance ({uar.note})"
    numbers = f"p = {uar.p:.2g}, {counted(uar.speakers, 'speaker')}"
    if uar.interval is not None:
        low, high = sorted(100 * end * (1 if uar.difference >= 0 else -1) for end in uar.interval)
        numbers = f"95 % interval {low:.1f} to {high:.1f}, {numbers}"
    if uar.difference == 0:
        return f"both have the same UAR ({numbers})"
    if uar.p < ALPHA:
        return f"{better} is better by {points:.1f} points of UAR ({numbers})"
    limit = ""
    if uar.least_p >= ALPHA:
        limit = f"; with {uar.speakers} speakers, no difference can be significant (p is at least {uar.least_p:.2g})"
    return f"{better} is ahead by {points:.1f} points of UAR, which may be chance ({numbers}){limit}"


def format_comparison(comparison: Comparison) -> list[str]:
    """The comparison as lines of text."""
    runs = (comparison.first, comparison.second)
    width = max(len(run.name) for run in runs)
    uar, clips = comparison.uar, comparison.mcnemar
    lines = [f"{run.name:{width}}  {describe_scores(run.evaluation)}" for run in runs]
    lines += ["", f"both on {describe_task(runs[0].evaluation.protocol)}"]
    lines += [f"  {name}: {_format_value(a)} → {_format_value(b)}" for name, a, b in comparison.differs] or [
        "  no difference"
    ]
    lines.append("")
    if uar.p is not None:
        lines.append(
            f"UAR {100 * uar.difference:+.1f} points, {_format_interval(uar)}, p = {uar.p:.2g}"
            f" (over {uar.speakers} speakers)"
        )
    lines.append(
        f"right in {runs[0].name} only: {counted(clips.only_first, 'clip')}, "
        f"in {runs[1].name} only: {clips.only_second}; McNemar p = {clips.p:.2g} (assumes independent clips)"
    )
    leaks = [f"{run.name}: {leak}" for run in runs if (leak := describe_leak(run.evaluation.protocol))]
    return fit_lines([*lines, *leaks, verdict(comparison)])


def _format_interval(uar: UarDifference) -> str:
    if uar.interval is None:
        return f"no interval ({uar.note})"
    low, high = (100 * end for end in uar.interval)
    return f"95 % interval {low:+.1f} to {high:+.1f}"


def _format_value(value: Any) -> str:
    return "none" if value is None or value == "" else str(value)
