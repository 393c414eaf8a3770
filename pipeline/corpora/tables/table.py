"""Reader of a user's table, as described in the README: one row per recording, or per part of a recording.

Error messages name the file, the row (the header is row 1, as in a spreadsheet) and the column.
"""

import logging
from pathlib import Path

from featurize.errors import CorpusError, counted
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.tables.table_clips import corpus_of_rows
from pipeline.corpora.tables.table_file import Row, read_rows

log = logging.getLogger(__name__)


def read(table: Path, audio_root: Path | None = None) -> Corpus:
    """Read a table.

    Raises:
        CorpusError: the table does not exist or has no rows, a column is missing, or as in `corpus_of_rows`.
    """
    return corpus_of_rows(table, _without_comments(table, read_rows(table)), audio_root)


def _without_comments(table: Path, rows: list[Row]) -> list[Row]:
    comments = [row for row in rows if row.cells["path"].startswith("#") and not _is_there(row)]
    if comments:
        log.warning(
            "%s: skipped: %s with # in front (first: row %d)",
            table,
            counted(len(comments), "row"),
            comments[0].number,
        )
    kept = [row for row in rows if row not in comments] if comments else rows
    if not kept:
        raise CorpusError(f"{table}: only comments below the header")
    return kept


def _is_there(row: Row) -> bool:
    try:
        return (row.table.parent / row.cells["path"]).exists()
    except (OSError, ValueError):
        return False
