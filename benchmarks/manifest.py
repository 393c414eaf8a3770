"""Time and peak memory of the stage manifest on many rows: listing, labels, split, hashes and the audit.

    python benchmarks/manifest.py [--rows 100000] [--layouts jsonl parquet csv]

Each row of the table is measured in a new process, without fingerprints, on a list of that form that names as many
files of 64 bytes. `list` is the time until the clips are known; `stage` is all of `ser manifest`, of which `hashes` is
the part that reads the files; `audit` is `ser audit` on the same list, which does not open the files.
"""

import argparse
import json
import logging
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
from pyarrow import parquet

from pipeline.audit.audit_params import AuditParams
from pipeline.audit.hashing import digests_of
from pipeline.audit.split_files.judge import judge_fold
from pipeline.audit.split_files.read_splits import Speakers, find_sets, read_set
from pipeline.corpora import CorpusParams, read_corpus
from pipeline.protocol.labels import LabelParams
from pipeline.protocol.split_params import SplitParams
from pipeline.stages.manifest import manifest

EMOTIONS = ("angry", "happy", "neutral", "sad", "fearful")
SPEAKERS = 500
T = TypeVar("T")
READERS = {"jsonl": "emobox", "parquet": "huggingface", "csv": "table"}


def write_list(root: Path, form: str, rows: int) -> Path:
    """Write the files and the list that names them; returns the list."""
    records = []
    for number in range(rows):
        speaker = number % SPEAKERS
        path = root / "wavs" / f"s{speaker}" / f"clip_{number}.wav"
        if number < SPEAKERS:
            path.parent.mkdir(parents=True)
        path.write_bytes(b"\0" + f"{number:063d}".encode())
        record = {"file": path.relative_to(root).as_posix(), "speaker": f"s{speaker}", "gender": "female"}
        record |= {
            "emotion": EMOTIONS[number // SPEAKERS % 5],
            "text": f"sentence {number % 3000} of the list",
        }
        records.append(record | {"split": ("train", "train", "train", "val", "test")[speaker % 5]})
    file = root / f"list.{form}"
    if form == "parquet":
        parquet.write_table(pa.Table.from_pylist(records), file)
    elif form == "jsonl":
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
    else:
        lines = [",".join(record.values()) for record in records]
        file.write_text("\n".join([",".join(records[0]), *lines]))
    return file


def measure(form: str, rows: int) -> None:
    """Print one row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        context = multiprocessing.get_context("spawn")  # so that writing the list is no part of the peak
        with context.Pool(1) as pool:
            file = pool.apply(write_list, (root, form, rows))
        logging.disable(logging.CRITICAL)
        params = CorpusParams(name=READERS[form], root=file)  # type: ignore[arg-type]
        list_s, corpus = timed(lambda: read_corpus(params))
        hash_s, _ = timed(partial(digests_of, corpus.clips))
        del corpus
        split = SplitParams(method="predefined")
        labels, audit = LabelParams(set="native"), AuditParams(fingerprint=False)
        stage_s, _ = timed(lambda: manifest(params, labels, split, root / "data", audit))
        audit_s, _ = timed(lambda: audit_list(file))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # KiB on Linux
        sys.stdout.write(
            f"| {form} | {rows:,} | {list_s:.1f} | {hash_s:.1f} | {stage_s:.1f} | {audit_s:.1f} | {peak:.0f} |\n"
        )


def audit_list(file: Path) -> None:
    """What `ser audit` does with a list whose recordings are elsewhere."""
    (files,), _ = find_sets([file])
    listed = read_set(files, Speakers())
    about = {"corpus": "", "fold": "", "files": [], "speakers_from": ""}
    judge_fold(listed.entries, {}, 0.1, **about)  # type: ignore[arg-type]


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds, and the result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--layouts", nargs="+", default=["jsonl", "parquet", "csv"], choices=READERS)
    arguments = parser.parse_args()
    print("| list | rows | list, s | hashes, s | stage, s | audit, s | peak MB |")
    print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
    for form in arguments.layouts:
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(form, arguments.rows))
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(process.exitcode)
