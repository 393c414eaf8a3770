"""Text of a user's table → rows: separator, comments, quotes, header."""

import csv
import io
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from featurize.errors import CorpusError, counted
from pipeline.corpora.tables.table_bytes import read_text
from pipeline.corpora.tables.table_columns import KNOWN, REQUIRED, choose_columns, plain

log = logging.getLogger(__name__)

SEPARATORS = ",;\t|"
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|$)")
_SEPARATOR = re.compile(r'"?sep=(.)"?[,;\t|]*', re.IGNORECASE)  # the first line of some files for Excel


@dataclass(frozen=True)
class Row:
    """A row of the table, with its row number for messages."""

    table: Path
    number: int
    """The header is row 1, as in a spreadsheet."""
    cells: dict[str, str]
    """Field → text of its cell, for the fields that have a column."""
    names: dict[str, str]
    """Field → name of its column."""
    decimal_comma: bool
    """Whether 3,5 is read as a number: if the separator is not a comma."""

    def error(self, field: str, what: object) -> CorpusError:
        """The exception for an error in a cell; it is returned, not raised."""
        return CorpusError(f"{self.table}, row {self.number}, column {self.names[field]}: {what}")


def read_rows(table: Path, required: Sequence[str] = REQUIRED) -> list[Row]:
    """Read all rows of a table.

    Args:
        table: the file.
        required: the fields that need a column.

    Raises:
        CorpusError: the table cannot be read, has no rows, or lacks a column.
    """
    text, preamble, separator = _skip_preamble(read_text(table))
    if not text.strip():
        raise CorpusError(f"{table}: empty; expected a header such as file_path,emotion_code")
    separator = separator or _separator(text)
    records = [*_records(table, text, separator, preamble)]
    _, header = records.pop(0) if records else (0, [""])
    if not records:
        raise CorpusError(f"{table}: no rows below the header {separator.join(header)}")
    if sum(_whole(cells, separator) for _, cells in records) * 2 > len(records):
        records = [(number, _split(cells, separator)) for number, cells in records]
        log.info("%s: each row is quoted as a single cell; the cells in it are read", table)
    columns = choose_columns(table, header, required)
    names = {field: header[index] for field, index in columns.items()}
    rows = []
    for number, cells in records:
        if any(cells[len(header) :]):
            raise CorpusError(
                f"{table}, row {number}: {counted(len(cells), 'cell')} under {counted(len(header), 'column')}; "
                f"put quotes around a path that holds {separator!r}"
            )
        values = {field: cells[index] if index < len(cells) else "" for field, index in columns.items()}
        rows.append(Row(table, number, values, names, decimal_comma=separator != ","))
    return rows


def _skip_preamble(text: str) -> tuple[str, int, str]:
    """Skip comments and a line `sep=;` above the header: the text after them, their number, and the separator."""
    skipped, at, separator = 0, 0, ""
    while at < len(text):
        line = _LINE.match(text, at)
        assert line is not None  # noqa: S101 - the pattern matches any text
        content = line[1].strip().lstrip("\ufeff")
        if (match := _SEPARATOR.fullmatch(content)) is not None:
            separator = match[1]
        elif content.startswith("#") and len(_known(content.lstrip("# "), separator)) < 2:
            skipped += 1
        elif content.startswith("#"):  # a header written as a comment
            return text[line.start(1) :].lstrip("\ufeff# \t"), skipped, separator
        elif content:
            break
        else:
            skipped += 1
        at = line.end()
    return text[at:].lstrip("\ufeff"), skipped, separator


def _separator(text: str) -> str:
    """The separator that gives the most known column names; between equals, the most frequent one."""
    line = _LINE.match(text)
    header = line[1] if line is not None else ""
    return max(SEPARATORS, key=lambda separator: (len(_known(header, separator)), header.count(separator)))


def _known(line: str, separator: str) -> set[str]:
    candidates = separator or SEPARATORS
    found = [{plain(cell.strip('" ')) for cell in line.split(each)} & KNOWN for each in candidates]
    return max(found, key=len)


def _records(table: Path, text: str, separator: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, with their numbers; a header that is quoted as a single cell is split."""
    file = io.StringIO(text, newline="")
    try:
        reader = csv.reader(file, delimiter=separator, strict=True, skipinitialspace=True)
    except (TypeError, ValueError) as error:
        raise CorpusError(f"{table}: {separator!r} cannot separate cells; use a comma") from error
    number, header = skipped, True
    try:
        for number, record in enumerate(reader, start=skipped + 1):
            cells = [cell.strip() for cell in record]
            if any(cells):
                yield number, _split(cells, separator) if header and _whole(cells, separator) else cells
                header = False
    except csv.Error as error:
        raise CorpusError(f"{table}, row {number + 1}: not readable as CSV: {error}") from error


def _whole(cells: Sequence[str], separator: str) -> bool:
    """Whether a row is quoted as a single cell, as Excel writes a CSV file that it opened as one column."""
    return separator in cells[0] and not any(cells[1:])


def _split(cells: list[str], separator: str) -> list[str]:
    if not _whole(cells, separator):
        return cells
    (inner,) = csv.reader([cells[0].replace("\n", " ").replace("\r", " ")], delimiter=separator)
    return [cell.strip() for cell in inner]
