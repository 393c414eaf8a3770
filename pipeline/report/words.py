"""Numbers as text, and the headline in words."""

import math

from model.scoring.intervals import Interval
from pipeline.runs.evaluation import Scores


def score(value: float | None, decimals: int = 3) -> str:
    """A score, or a dash where there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:.{decimals}f}"


def interval(ends: Interval | None) -> str:
    """An interval as "low to high", or a dash where there is none."""
    return "–" if ends is None or any(map(math.isnan, ends)) else f"{score(ends[0])} to {score(ends[1])}"


def percent(value: float | None) -> str:
    """A fraction in whole percent, or a dash where there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:.0%}".replace("%", "\N{NO-BREAK SPACE}%")


def count(value: int) -> str:
    """A count with a thin space between thousands."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def place(value: float | None) -> str:
    """A fraction as a coordinate from 0 to 100; None and NaN give 0."""
    return "0" if value is None or math.isnan(value) else f"{100 * min(max(value, 0.0), 1.0):.2f}"


def duration(seconds: float) -> str:
    """A length of time in hours and minutes, in minutes and seconds, or below a minute in tenths of a second."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def headline(metrics: Scores) -> str:
    """The UAR in words, with guessing for comparison."""
    tested = sum(own.support > 0 for own in metrics.per_class.values())
    return (
        f"Averaged over the {tested} emotions, the network recognises {percent(metrics.uar)} of an emotion’s clips; "
        f"guessing finds one in {len(metrics.labels)}."
    )


def uncertainty(metrics: Scores) -> str:
    """The UAR's interval in words, or why there is none."""
    found = metrics.intervals
    if found is None or found.uar is None:
        return sentence(metrics.intervals_note)
    low, high = found.uar
    text = (
        f"With other test speakers of the same kind, the UAR would plausibly be between {score(low)} and "
        f"{score(high)} ({percent(found.level)} interval: {found.method}; {count(found.speakers)} test speakers, "
        f"{count(found.degrees_of_freedom)} degrees of freedom)."
    )
    if low <= 1 / len(metrics.labels):
        text += " The interval includes chance level: this run does not show that the network beats guessing."
    return f"{text} {sentence(metrics.intervals_note)}".strip()


def sentence(note: str) -> str:
    """A note from a JSON file as a sentence; an empty note stays empty."""
    return f"{note[0].upper()}{note[1:].rstrip('.')}." if note else ""
