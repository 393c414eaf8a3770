"""Rows of JSON Lines and Parquet files, in the form of a table's: the columns' names are those of any table.

In a Parquet file of Hugging Face, `audio` holds the bytes of a recording and the path that it had; only the path is
read here. A class that is stored as a number has its name in the file's metadata.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from featurize.containers.readable import LFS_POINTER
from featurize.errors import CorpusError
from pipeline.corpora.tables.table_bytes import read_text
from pipeline.corpora.tables.table_columns import REQUIRED, choose_columns
from pipeline.corpora.tables.table_file import Row, read_rows

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".csv.gz", ".tsv.gz", ".jsonl.gz")
"""Endings of the files that `read_records` reads."""


def read_records(path: Path, required: Sequence[str] = REQUIRED) -> list[Row]:
    """Read all rows of a CSV, JSON Lines or Parquet file.

    Args:
        path: the file.
        required: the fields that need a column.

    Raises:
        CorpusError: the file cannot be read, has no rows, or lacks a column.
    """
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".parquet"):
        return rows_of(path, *_of_parquet(path), required=required)
    if name.endswith((".jsonl", ".ndjson")):
        return rows_of(path, *_of_json_lines(path), required=required)
    return read_rows(path, required)


def rows_of(
    path: Path, header: Sequence[str], records: Sequence[Sequence[str]], *, required: Sequence[str] = REQUIRED
) -> list[Row]:
    """Rows from text cells in the order of a header.

    Raises:
        CorpusError: there is no row, or a column is missing.
    """
    if not records:
        raise CorpusError(f"{path}: no rows")
    columns = choose_columns(path, header, required)
    names = {field: header[index] for field, index in columns.items()}
    return [
        Row(
            path,
            number,
            {field: cells[index] for field, index in columns.items()},
            names,
            decimal_comma=False,
        )
        for number, cells in enumerate(records, start=1)
    ]


def with_cells(row: Row, more: Mapping[str, str]) -> Row:
    """A row with more cells, or others."""
    names = row.names if more.keys() <= row.names.keys() else {**{name: name for name in more}, **row.names}
    return Row(row.table, row.number, {**row.cells, **more}, names, row.decimal_comma)


def _of_json_lines(path: Path) -> tuple[list[str], list[list[str]]]:
    objects = [*_objects(path)]
    header = [*dict.fromkeys(key for record in objects for key in record)]
    return header, [[as_text(record.get(key)) for key in header] for record in objects]


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(read_text(path, json_too=True).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CorpusError(f"{path}, line {number}: not JSON ({str(error)[:60]})") from error
        if not isinstance(record, dict):
            raise CorpusError(
                f"{path}, line {number}: not an object with the clip's fields, but {line[:40]!r}"
            )
        yield record


def _of_parquet(path: Path) -> tuple[list[str], list[list[str]]]:
    with open_parquet(path) as file:
        header, columns = parquet_cells(file)
    return header, [list(cells) for cells in zip(*columns, strict=True)]


def parquet_cells(file: Any) -> tuple[list[str], list[list[str]]]:
    """The columns of a Parquet file as text, without the bytes of recordings: their names, and the cells of each."""
    schema = file.schema_arrow
    header = [name for name in schema.names if not name.startswith("__index_level_")]
    classes = class_names(schema.metadata)
    leaves = [f"{name}.path" if holds_bytes(schema.field(name).type) else name for name in header]
    table = file.read(columns=leaves)
    return header, [
        [as_text(value, classes.get(name)) for value in table.column(name).to_pylist()] for name in header
    ]


def open_parquet(path: Path) -> Any:
    """A `pyarrow.parquet.ParquetFile`, to be closed.

    Raises:
        CorpusError: the file cannot be read, or is none.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with path.open("rb") as file:
            if file.read(len(LFS_POINTER)) == LFS_POINTER:
                raise CorpusError(f"{path} is a Git LFS pointer, not the table itself; run `git lfs pull`")
        return ParquetFile(path)
    except (ArrowException, OSError) as error:
        raise CorpusError(
            f"{path}: not readable as Parquet ({' '.join(str(error).split())[:100]})"
        ) from error


def class_names(metadata: Any) -> dict[str, list[str]]:
    """Column → names of its classes, from the metadata that Hugging Face writes into a Parquet file."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return {
            name: [str(each) for each in feature["names"]]
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}


def holds_bytes(kind: Any) -> bool:
    """Whether a column of this type holds recordings: a struct with bytes and a path."""
    from pyarrow import types

    return bool(types.is_struct(kind)) and kind.get_field_index("bytes") >= 0


def as_text(value: Any, classes: Sequence[str] | None = None) -> str:
    """A value as the text of a cell: a duration in seconds, a class by its name, a recording by its path."""
    if isinstance(value, dict) and "path" in value:
        value = value["path"]
    if isinstance(value, str) or value is None:
        return value or ""
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if classes is not None and isinstance(value, int) and 0 <= value < len(classes):
        return classes[value]
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return str(int(value) if whole else value)
