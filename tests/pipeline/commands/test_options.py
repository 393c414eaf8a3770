"""Options that name an engine choose it."""

import pytest

from featurize.errors import SerError
from pipeline.commands.options import choose_engine
from pipeline.extraction.engine import InProcess
from pipeline.extraction.workers import LocalEngine


def test_engine_and_workers_choose_where_shards_are_made() -> None:
    assert isinstance(choose_engine("local", 0), InProcess)
    chosen = choose_engine("local", 3)
    assert isinstance(chosen, LocalEngine)
    assert chosen.workers == 3
    with pytest.raises(SerError, match="--engine spark: no such engine"):
        choose_engine("spark", None)
