"""What several raters heard in a clip: how many chose each emotion."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping

_PAIR = re.compile(r"\s*([^:=;|,]+?)\s*[:=]\s*([0-9.]+)\s*")


def tally(choices: Iterable[Iterable[str]]) -> dict[str, float]:
    """Emotion → number of raters who chose it, the most frequent first; a rater may choose several."""
    counts = Counter(emotion for chosen in choices for emotion in dict.fromkeys(chosen))
    return {emotion: float(number) for emotion, number in sorted(counts.items(), key=lambda e: (-e[1], e[0]))}


def majority(votes: Mapping[str, float]) -> str:
    """The emotion with most votes; empty if two have as many, or if there are none."""
    most = [emotion for emotion, number in votes.items() if number == max(votes.values())]
    return most[0] if len(most) == 1 else ""


def share(votes: Mapping[str, float], raters: int | None, emotion: str) -> float | None:
    """Share of the raters who chose an emotion; without their number, of all votes. None if there are no votes."""
    of = raters or sum(votes.values())
    return votes.get(emotion, 0.0) / of if votes and of else None


def votes_by_class(votes: Mapping[str, float], class_of: Mapping[str, str]) -> dict[str, float]:
    """Class → number of votes for its emotions; votes for an emotion without a class are left out."""
    counts: Counter[str] = Counter()
    for emotion, number in votes.items():
        if number and emotion in class_of:
            counts[class_of[emotion]] += number  # type: ignore[assignment]
    return dict(counts)


def votes_text(votes: Mapping[str, float]) -> str:
    """Votes as a cell of manifest.csv: a JSON object, or empty."""
    return json.dumps(dict(votes), ensure_ascii=False) if votes else ""


def parse_votes(text: str) -> dict[str, float]:
    """Votes from a cell: a JSON object, or `angry:3; neutral:1`.

    Raises:
        ValueError: neither, or a negative or infinite number.
    """
    if not text.strip():
        return {}
    if text.lstrip().startswith("{"):
        found = json.loads(text)
    else:
        pairs = [_PAIR.fullmatch(part) for part in re.split(r"[;|,]", text) if part.strip()]
        if not all(pairs):
            raise ValueError(f"{text!r} is not a list of votes; write angry:3; neutral:1")
        found = {pair[1]: pair[2] for pair in pairs if pair is not None}
    votes = {str(emotion): float(number) for emotion, number in found.items()}
    if not all(math.isfinite(number) and number >= 0 for number in votes.values()):
        raise ValueError(f"{text!r}: votes are numbers from 0 on")
    return votes
