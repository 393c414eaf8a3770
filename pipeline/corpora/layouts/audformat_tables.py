"""The header and the tables of an audformat database: db.yaml, and db.<table>.parquet or .csv.

Source: audformat's documentation, "Database" (data-header, data-tables, data-misc-tables).
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from featurize.errors import CorpusError
from pipeline.corpora.layouts.records import open_parquet, parquet_cells
from pipeline.corpora.tables.table_bytes import read_text

Cells = dict[str, str]
"""Column → text."""


@dataclass(frozen=True)
class Table:
    """A table, or a misc table."""

    name: str
    rows: list[Cells]
    """With the index columns: file, or file, start and end; of a misc table its levels."""


@dataclass(frozen=True)
class Database:
    """The header of a database."""

    folder: Path
    header: Mapping[str, Any]

    def block(self, name: str) -> dict[str, dict[str, Any]]:
        """A block of the header, such as tables: name → its description."""
        found = self.header.get(name)
        named = found.items() if isinstance(found, dict) else ()
        return {str(key): value if isinstance(value, dict) else {} for key, value in named}

    def columns(self, table: str) -> dict[str, str]:
        """Column of a table → its scheme, or empty."""
        found = (self.block("tables") | self.block("misc_tables")).get(table, {}).get("columns")
        if not isinstance(found, dict):
            return {}
        return {str(name): str((column or {}).get("scheme_id") or "") for name, column in found.items()}

    def labels(self, scheme: str) -> dict[str, dict[str, str]]:
        """Label of a scheme → its attributes: a dict in the header, or the rows of a misc table that it names.

        A label with a text in place of attributes has it under "".
        """
        labels = self.block("schemes").get(scheme, {}).get("labels")
        if isinstance(labels, str) and labels in self.block("misc_tables"):
            return _by_first_column(read_table(self, labels))
        if not isinstance(labels, dict):
            return {}
        return {
            str(label): {str(key): _text(value) for key, value in about.items()}
            if isinstance(about, dict)
            else {"": _text(about)}
            for label, about in labels.items()
        }


def read_header(folder: Path) -> Database:
    """Read db.yaml.

    Raises:
        CorpusError: it cannot be read, or is no header.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the fast one, where it was compiled
    file = folder / "db.yaml"
    try:
        header = yaml.load(read_text(file, json_too=True), Loader=loader)  # noqa: S506 - both are safe loaders
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CorpusError(f"{file}: not readable as YAML ({' '.join(str(error).split())[:100]})") from error
    if not isinstance(header, dict) or not isinstance(header.get("tables"), dict):
        raise CorpusError(f"{file}: not the header of an audformat database: no tables in it")
    return Database(folder, header)


def read_table(database: Database, name: str) -> Table:
    """Read a table from its Parquet or CSV file.

    Raises:
        CorpusError: there is no such file, or it cannot be read.
    """
    parquet, text = (database.folder / f"db.{name}.{ending}" for ending in ("parquet", "csv"))
    if parquet.is_file():
        with open_parquet(parquet) as file:
            header, columns = parquet_cells(file)
        return Table(name, [dict(zip(header, cells, strict=True)) for cells in zip(*columns, strict=True)])
    if text.is_file():
        try:
            return Table(name, [*csv.DictReader(io.StringIO(read_text(text), newline=""), restval="")])
        except csv.Error as error:
            raise CorpusError(f"{text}: not readable as CSV: {error}") from error
    pickled = (database.folder / f"db.{name}.pkl").is_file()
    why = "only a pickle of it, which is not opened: save it as CSV or Parquet" if pickled else "no such file"
    raise CorpusError(f"{database.folder}: the table db.{name}.parquet or .csv: {why}")


def _by_first_column(table: Table) -> dict[str, Cells]:
    level = next(iter(table.rows[0])) if table.rows else ""
    return {row[level]: {key: text for key, text in row.items() if key != level} for row in table.rows}


def _text(value: Any) -> str:
    return "" if value is None else str(value)
