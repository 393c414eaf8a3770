"""nkululeko's tables: a CSV file for each split, with the columns file, speaker, gender, emotion and others.

Paths are relative to the file, to `corpus.audio_root`, or to the project.
"""

from pathlib import Path

from featurize.errors import CorpusError
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.layouts.places import find_place, nearest_root
from pipeline.corpora.layouts.records import read_records, with_cells
from pipeline.corpora.layouts.split_sets import SplitSet, group_files
from pipeline.corpora.tables.table_clips import corpus_of_rows
from pipeline.protocol.folds import some

WHAT = "CSV files of splits, such as emodb_train.csv and emodb_test.csv"


def read(root: Path, audio_root: Path | None = None) -> Corpus:
    """Read the tables of one corpus.

    Args:
        root: their folder, or one of them: the others of its name are read as well.
        audio_root: folder in which paths are looked up first.

    Raises:
        CorpusError: there are no such tables, or those of several corpora; or as in `corpus_of_rows`.
    """
    place = find_place(root, lambda folder: bool(_sets(folder)), WHAT)
    sets = _sets(place)
    if root.is_file():
        sets = [each for each in sets if root in {file for files in each.files.values() for file in files}]
    if len(sets) != 1:
        found = f"those of {some([each.pattern for each in sets])}; name a file" if sets else f"no {WHAT}"
        raise CorpusError(f"corpus.root: {root} holds {found}")
    rows = [
        with_cells(row, {"split": split})
        for split, files in sets[0].files.items()
        for file in files
        for row in read_records(file)
    ]
    first = rows[0].table
    root_of_paths = audio_root or nearest_root(first, [row.cells["path"] for row in rows])
    return corpus_of_rows(first, rows, root_of_paths, "nkululeko")


def _sets(folder: Path) -> list[SplitSet]:
    files = [file for file in folder.glob("*.csv") if file.is_file()]
    return [each for each in group_files(files) if len(each.files) > 1 and "" not in each.files]
