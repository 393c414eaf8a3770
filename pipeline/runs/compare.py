"""`ser compare`: whether one run is better than another, or whether that may be chance.

Only runs of the same task are compared: same recordings, classes and splits. Everything else, such as denoiser, Tier 0,
network, training and its seed, is what one compares; it is listed where it differs.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from featurize.errors import ProtocolError
from model.scoring.intervals import LEVEL
from model.scoring.significance import McNemar, UarDifference, compare_uar, mcnemar
from pipeline.protocol.card import FIELDS, ScoringCard
from pipeline.protocol.provenance import Maker
from pipeline.protocol.wording import describe_makers, describe_task, differences, word_differences
from pipeline.runs.evaluated_run import Run, describe_scores, fit_lines, read_run

ALPHA = 1 - LEVEL
UNLISTED = {*FIELDS["task"], "clips_sha256", "tier0_sha256", "seed"}
"""Fields of the card that are the same, or that the parameters say in words."""


@dataclass(frozen=True)
class Comparison:
    """Two runs of one task: `differs` holds a dotted name and both values of whatever is not the same."""

    first: Run
    second: Run
    differs: list[tuple[str, Any, Any]]
    uar: UarDifference
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
        reports: where evaluation.json and predictions.csv lie.

    Raises:
        ProtocolError: the runs are of different tasks, or were tested on different clips.
        SerError: a run cannot be read.
    """
    one, other = read_run(first, reports), read_run(second, reports)
    check_same_task(one, other)
    truth, speakers = one.classes("true_label"), one.predictions["speaker"].to_numpy(object)
    before, after = one.classes("pred_label"), other.classes("pred_label")
    return Comparison(
        first=one,
        second=other,
        differs=list_differences(one, other),
        uar=compare_uar(truth, before, after, speakers, len(one.evaluation.labels)),
        mcnemar=mcnemar(truth, before, after),
    )


def check_same_task(one: Run, other: Run) -> None:
    """Refuse runs whose scores do not answer the same question.

    Raises:
        ProtocolError: one line that says what differs.
    """
    names = f"{one.name} and {other.name}"
    if unlike := word_differences(one.evaluation.protocol, other.evaluation.protocol, "task"):
        told = "; ".join(f"{what}: {mine} and {yours}" for what, mine, yours in unlike)
        raise ProtocolError(f"{names} cannot be compared: {told}")
    mine, yours = (
        dict(zip(run.predictions["clip_id"], run.predictions["true_label"], strict=True))
        for run in (one, other)
    )
    only = [
        f"{len(extra)} only in {run.name} (such as {min(extra)})"
        for run, extra in ((one, mine.keys() - yours.keys()), (other, yours.keys() - mine.keys()))
        if extra
    ]
    if only:
        raise ProtocolError(
            f"{names} were tested on different clips: {', '.join(only)}; see their rejects.csv"
        )
    for clip, label in mine.items():
        if label != yours[clip]:
            raise ProtocolError(
                f"{names} cannot be compared: {clip} is {label} in one and {yours[clip]} in the other"
            )


def list_differences(one: Run, other: Run) -> list[tuple[str, Any, Any]]:
    """Parameters first, then what else the cards hold."""
    cards = [run.evaluation.protocol for run in (one, other)]
    makers = [maker for card in cards for own in card.made_by.values() for maker in own]
    return differences(one.evaluation.params, other.evaluation.params) + differences(
        *(_plain(card, makers) for card in cards)
    )


def _plain(card: ScoringCard, makers: list[Maker]) -> dict[str, Any]:
    """A card without what is the same, or said by the parameters, and with its makers in words."""
    made_by = {stage: describe_makers(own, makers) for stage, own in card.made_by.items()}
    return {**card.model_dump(mode="json", exclude=UNLISTED), "made_by": made_by}


def verdict(comparison: Comparison) -> str:
    """The answer in one sentence."""
    uar, names = comparison.uar, (comparison.first.name, comparison.second.name)
    points = 100 * abs(uar.difference)
    better = names[uar.difference > 0]
    if uar.p is None or uar.least_p is None:
        ahead = f"{better} is ahead by {points:.1f} points of UAR" if points else "both have the same UAR"
        return f"{ahead}; whether that is chance cannot be told ({uar.note})"
    numbers = f"p = {uar.p:.2g}, {uar.speakers} speakers"
    if uar.interval is not None:
        low, high = sorted(100 * end * (1 if uar.difference >= 0 else -1) for end in uar.interval)
        numbers = f"95 % interval {low:.1f} to {high:.1f}, {numbers}"
    if uar.difference == 0:
        return f"both have the same UAR ({numbers})"
    if uar.p < ALPHA:
        return f"{better} is better by {points:.1f} points of UAR ({numbers})"
    limit = ""
    if uar.least_p >= ALPHA:
        limit = f"; {uar.speakers} speakers can never show a difference, for their p is {uar.least_p:.2g} at the least"
    return f"{better} is ahead by {points:.1f} points of UAR, which may be chance ({numbers}){limit}"


def tell(comparison: Comparison) -> list[str]:
    """The comparison as lines for a person."""
    runs = (comparison.first, comparison.second)
    width = max(len(run.name) for run in runs)
    uar, clips = comparison.uar, comparison.mcnemar
    lines = [f"{run.name:{width}}  {describe_scores(run.evaluation)}" for run in runs]
    lines += ["", f"both on {describe_task(runs[0].evaluation.protocol)}"]
    lines += [f"  {name}: {_told(a)} → {_told(b)}" for name, a, b in comparison.differs] or [
        "  no difference"
    ]
    lines.append("")
    if uar.p is not None:
        lines.append(
            f"UAR {100 * uar.difference:+.1f} points, {_told_interval(uar)}, p = {uar.p:.2g}"
            f" (over {uar.speakers} speakers)"
        )
    lines.append(
        f"right in {runs[0].name} only: {clips.only_first} clips, in {runs[1].name} only: {clips.only_second};"
        f" McNemar p = {clips.p:.2g} (takes clips as independent)"
    )
    return fit_lines([*lines, verdict(comparison)])


def _told_interval(uar: UarDifference) -> str:
    if uar.interval is None:
        return f"no interval ({uar.note})"
    low, high = (100 * end for end in uar.interval)
    return f"95 % interval {low:+.1f} to {high:+.1f}"


def _told(value: Any) -> str:
    return "none" if value is None or value == "" else str(value)
