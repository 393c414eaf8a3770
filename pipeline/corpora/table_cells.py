"""Cells of a user's table → values: what is unknown, what is invisible, numbers, and times."""

import math
import re
import unicodedata
from collections.abc import Iterable

# What pandas takes for a missing value, in any case, and what people write for one.
_MISSING = {
    *("#n/a", "#n/a n/a", "#na", "-1.#ind", "-1.#qnan", "-nan", "1.#ind", "1.#qnan", "<na>", "n/a", "na"),
    *("null", "nan", "none", "nat", "n.a.", "-", "--", "?", "#value!", "#ref!"),
}
_NOBODY = {"unknown", "unk"}
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"  # letters that show nothing
_INTEGER = re.compile(r"0*([0-9]+?)(\.0*)?")
_CLOCK = re.compile(
    r"(?:(?P<days>[+-]?\d+) days?,? ?)?(?P<sign>[+-]?)(?:(?P<hours>\d+):)?(?P<minutes>\d+):(?P<seconds>\d+(?:\.\d*)?)"
)
_UNITS = {"s": 1.0, "sec": 1.0, "ms": 1e-3}
_WITH_UNIT = re.compile(r"([+-]?[0-9.]+) ?(s|sec|ms)")


def clean(text: str) -> str:
    """A text as it looks: Unicode's composed form, one plain space between words, nothing that cannot be seen."""
    return unicodedata.normalize("NFC", visible(text))


def visible(text: str) -> str:
    """A text with one plain space between words, and nothing that cannot be seen."""
    seen = []
    for character in text:
        if character.isspace() or character in _FILLERS:
            seen.append(" ")
        elif unicodedata.category(character) not in {"Cf", "Cc"}:
            seen.append(character)
    return " ".join("".join(seen).split())


def known(text: str) -> str:
    """The cleaned text, or "" where it is a word for an unknown value."""
    text = clean(text)
    return "" if text.lower() in _MISSING else text


def known_name(text: str) -> str:
    """The same of a person's attributes, where `unknown` is no name either."""
    text = known(text)
    return "" if text.lower() in _NOBODY else text


def shortest_integers(texts: Iterable[str]) -> dict[str, str]:
    """Text → shortest form, such as 3 for 03 and 3.0, where all texts are whole numbers; else nothing."""
    found = {text: _INTEGER.fullmatch(text) for text in texts if text}
    return {text: match[1] for text, match in found.items() if match} if all(found.values()) else {}


def number(text: str, decimal_comma: bool = False) -> float | None:
    """A finite number, or None where it is unknown.

    Raises:
        ValueError: it is none; the message says so.
    """
    if not (text := known(text)):
        return None
    plain = text.replace(",", ".") if decimal_comma and text.count(",") == 1 and "." not in text else text
    try:
        value = float(plain)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a finite number")
    return value


def seconds(text: str, decimal_comma: bool = False) -> float | None:
    """A time in seconds to the microsecond: a number, `0 days 00:00:01.5`, `1:02.5`, `1.5s`, `1500ms`; None: unknown.

    Raises:
        ValueError: it is none; the message says so.
    """
    value: float | None
    text = known(text)
    if (match := _CLOCK.fullmatch(text)) is not None:
        parts = {name: float(part) for name, part in match.groupdict("0").items() if name != "sign"}
        time = parts["hours"] * 3600 + parts["minutes"] * 60 + parts["seconds"]
        value = parts["days"] * 86_400 + (-time if match["sign"] == "-" else time)
    else:
        plain, unit = match.groups() if (match := _WITH_UNIT.fullmatch(text)) is not None else (text, "s")
        try:
            value = number(plain, decimal_comma)
        except ValueError:
            value = math.nan
        if value is None:
            return None
        value *= _UNITS[unit]
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]!r} is no time; give seconds, such as 1.5")
    return round(value, 6)
