"""nkululeko's tables: a file of a set stands for the set, and several sets ask for one."""

from pathlib import Path

import pytest

from featurize.errors import CorpusError
from pipeline.corpora.layouts.nkululeko import read
from tests.pipeline.corpora.layouts.same_corpus import CLIPS, nkululeko
from tests.pipeline.split_lists import write_table


def test_one_table_stands_for_its_set(tmp_path: Path) -> None:
    root = nkululeko(tmp_path)
    for split in ("train", "test"):
        write_table(root / f"other_{split}.csv", "file,emotion", "wav/a1.wav,happy")
    assert len(read(root / "mine_dev.csv").clips) == len(CLIPS)
    with pytest.raises(CorpusError, match=r"those of mine_\*\.csv, other_\*\.csv; name a file"):
        read(root)
