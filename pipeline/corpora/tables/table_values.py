"""Cells of a row of a user's table → values; errors name the row and the column.

All functions raise CorpusError for a value of the wrong type.
"""

from collections.abc import Callable

from pipeline.corpora.tables.table_cells import known, number, seconds
from pipeline.corpora.tables.table_file import Row
from pipeline.corpora.votes import parse_votes


def votes_of(row: Row) -> dict[str, float]:
    """Emotion → number of raters who chose it."""
    try:
        return parse_votes(known(row.cells.get("votes", "")))
    except ValueError as error:
        raise row.error("votes", error) from None


def raters_of(row: Row) -> int | None:
    """Number of raters."""
    raters = value_of(row, "raters", number)
    return None if raters is None else round(raters)


def span_of_row(row: Row) -> tuple[float | None, float | None]:
    """Start and end in the file in s; both None if the clip is the whole file."""
    times = {
        name: value_of(row, name, seconds) for name in ("start", "end", "start_ms", "end_ms", "duration")
    }
    start, end = (
        times[name] if times[name] is not None or (ms := times[f"{name}_ms"]) is None else round(ms / 1000, 6)
        for name in ("start", "end")
    )
    if end is None and (duration := times["duration"]) is not None:
        end = round((start or 0.0) + duration, 6)
    if end is None and not start:
        return None, None
    return (start or 0.0) + 0.0, end  # + 0.0 turns -0.0 into 0.0


def value_of(row: Row, field: str, read: Callable[[str, bool], float | None]) -> float | None:
    """The number in a cell, or None if it is missing."""
    if not (cell := row.cells.get(field, "")):
        return None
    try:
        return read(cell, row.decimal_comma)
    except ValueError as error:
        raise row.error(field, error) from None
