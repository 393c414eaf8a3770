"""Split files in the forms of other tools, written for the tests that read them."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

CAFE_FOLDS = ((1, 7, 8, 10), (2, 4, 9, 12), (3, 5, 6, 11))
"""Test actors of the folds that EmoBox publishes for CaFE."""

Rows = Sequence[tuple[str, str]]
"""Path and emotion."""


def write_emobox(data: Path, corpus: str, fold: int, splits: Mapping[str, Rows]) -> list[Path]:
    """Write a fold as EmoBox does, and return its files in the order of the splits."""
    folder = data / corpus / f"fold_{fold}"
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for split, rows in splits.items():
        lines = [
            json.dumps(
                {
                    "key": f"{corpus}-{Path(path).stem}",
                    "dataset": corpus,
                    "wav": f"downloads/{corpus}/{path}",
                    "type": "raw",
                    "sample_rate": 16000,
                    "num_frame": 16000.0,
                    "task": "category",
                    "length": 1.0,
                    "emo": emotion,
                    "channel": 1,
                }
            )
            for path, emotion in rows
        ]
        files.append(folder / f"{corpus}_{split}_fold_{fold}.jsonl")
        files[-1].write_text("\n".join(lines) + "\n")
    return files


def cafe(actors: Sequence[int]) -> list[tuple[str, str]]:
    """Two clips of every actor and emotion."""
    return [
        (f"Peur/Fort/{actor:02d}-{c}-2-{n}.wav", c.lower())
        for actor in actors
        for c in "CDJN"
        for n in (1, 2)
    ]


def write_three_corpora(data: Path) -> None:
    """The shape of EmoBox's folder: folds of CaFE by speaker, of URDU not, and MELD, whose paths name no speaker."""
    for fold, test in enumerate(CAFE_FOLDS, start=1):
        train = [actor for actor in range(1, 13) if actor not in test]
        write_emobox(data, "cafe", fold, {"train": cafe(train), "test": cafe(test)})
    urdu = [
        (f"{word}/SM{speaker}_F1_{word[0]}0{speaker}.wav", word[0])
        for speaker in range(1, 6)
        for word in ("Sad", "Happy")
    ]
    write_emobox(data, "urdu", 1, {"train": urdu[::2] + urdu[1:4:2], "test": urdu[5::2]})
    write_emobox(
        data, "meld", 1, {"train": [("train/dia0_utt0.mp4", "joy")], "test": [("test/dia0_utt0.mp4", "joy")]}
    )


def write_table(path: Path, header: str, *rows: str) -> Path:
    """Write a CSV from lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def write_records(path: Path, records: Sequence[Mapping[str, object]]) -> Path:
    """Write JSON Lines, or a CSV, by the ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        path.write_text(
            "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8"
        )
        return path
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*records[0]])
        writer.writeheader()
        writer.writerows(records)
    return path
