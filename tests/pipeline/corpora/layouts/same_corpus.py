"""One small corpus in every layout: six clips of three speakers, whose bytes stand for recordings."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from pyarrow import parquet

from tests.pipeline.split_lists import write_records


class Spoken(NamedTuple):
    """What every layout can say of a clip."""

    name: str
    speaker: str
    gender: str
    emotion: str
    split: str
    text: str


CLIPS = [
    Spoken("a1", "speaker_1", "female", "happy", "train", "Guten Tag"),
    Spoken("a2", "speaker_1", "female", "sad", "train", "Guten Morgen"),
    Spoken("b1", "speaker_2", "male", "happy", "val", "Guten Tag"),
    Spoken("b2", "speaker_2", "male", "sad", "val", "Grüß Gott"),
    Spoken("c1", "speaker_3", "female", "happy", "test", "Guten Tag"),
    Spoken("c2", "speaker_3", "female", "sad", "test", "Guten Morgen"),
]
SPLITS = {"train": "train", "val": "dev", "test": "test"}
"""Split → its name in other tools."""


def content(clip: Spoken) -> bytes:
    """What stands for a recording."""
    return b"RIFF\0" + clip.name.encode()


def write_audio(folder: Path, clips: Sequence[Spoken] = CLIPS, name: str = "{}.wav") -> None:
    """Write the recordings of clips into a folder."""
    for clip in clips:
        path = folder / name.format(clip.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(clip))


def of_split(split: str) -> list[Spoken]:
    return [clip for clip in CLIPS if clip.split == split]


def write_lines(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def emobox(root: Path) -> Path:
    write_audio(root / "downloads" / "mine")
    for split, name in (("train", "train"), ("val", "valid"), ("test", "test")):
        records = [
            {
                "key": f"mine-{clip.name}",
                "dataset": "mine",
                "wav": f"downloads/mine/{clip.name}.wav",
                "emo": clip.emotion[0],
            }
            | {"speaker": clip.speaker, "gender": clip.gender, "text": clip.text, "length": 1.0, "channel": 1}
            for clip in of_split(split)
        ]
        write_records(root / "data" / "mine" / "fold_1" / f"mine_{name}_fold_1.jsonl", records)
    (root / "data" / "mine" / "label_map.json").write_text('{"h": "happy", "s": "sad"}')
    return root / "data" / "mine"


def nkululeko(root: Path) -> Path:
    write_audio(root / "wav")
    for split, name in SPLITS.items():
        records = [
            {
                "file": f"wav/{clip.name}.wav",
                "speaker": clip.speaker,
                "gender": clip.gender,
                "emotion": clip.emotion,
            }
            | {"text": clip.text}
            for clip in of_split(split)
        ]
        write_records(root / f"mine_{name}.csv", records)
    return root


def kaldi(root: Path) -> Path:
    write_audio(root / "audio")
    for split, name in SPLITS.items():
        folder, clips = root / "data" / name, of_split(split)
        write_lines(folder / "wav.scp", [f"{clip.name}  audio/{clip.name}.wav" for clip in clips])
        write_lines(folder / "utt2spk", [f"{clip.name} {clip.speaker}" for clip in clips])
        write_lines(folder / "utt2emo", [f"{clip.name}\t{clip.emotion}" for clip in clips])
        write_lines(folder / "text", [f"{clip.name} {clip.text}" for clip in clips])
        write_lines(folder / "spk2gender", sorted({f"{clip.speaker} {clip.gender[0]}" for clip in clips}))
    return root


def audiofolder(root: Path) -> Path:
    for split, name in SPLITS.items():
        write_audio(root / name, of_split(split))
        records = [
            {
                "file_name": f"{clip.name}.wav",
                "emotion": clip.emotion,
                "speaker_id": clip.speaker,
                "gender": clip.gender,
            }
            | {"transcription": clip.text}
            for clip in of_split(split)
        ]
        write_records(root / name / "metadata.jsonl", records)
    return root


def hub_parquet(root: Path) -> Path:
    (root / "data").mkdir(parents=True)
    features = {"audio": {"_type": "Audio"}, "emotion": {"names": ["sad", "happy"], "_type": "ClassLabel"}}
    for split, name in (("train", "train"), ("val", "validation"), ("test", "test")):
        clips = of_split(split)
        table = pa.table(
            {
                "audio": [{"bytes": content(clip), "path": f"{clip.name}.wav"} for clip in clips],
                "emotion": [int(clip.emotion == "happy") for clip in clips],
                "speaker_id": [clip.speaker for clip in clips],
                "gender": [clip.gender for clip in clips],
                "transcription": [clip.text for clip in clips],
            }
        ).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
        parquet.write_table(table, root / "data" / f"{name}-00000-of-00001.parquet")
    return root


HEADER = """
name: mine
source: here
usage: unrestricted
languages: [deu]
splits:
  development: {type: dev}
schemes:
  emotion: {dtype: str, labels: [happy, sad]}
  speaker: {dtype: str, labels: speaker}
  gender: {dtype: str, labels: [female, male]}
  transcription:
    dtype: str
    labels: {s1: Guten Tag, s2: Guten Morgen, s3: Grüß Gott}
tables:
  emotion.train.gold: {type: filewise, columns: {emotion: {scheme_id: emotion, rater_id: gold}}}
  emotion.development.gold: {type: filewise, split_id: development, columns: {emotion: {scheme_id: emotion}}}
  emotion.test.gold: {type: filewise, columns: {emotion: {scheme_id: emotion}}}
  emotion: {type: filewise, columns: {emotion: {scheme_id: emotion}, other: {}}}
  files:
    type: filewise
    columns: {speaker: {scheme_id: speaker}, transcription: {scheme_id: transcription}, duration: {}}
misc_tables:
  speaker: {levels: {speaker: str}, columns: {gender: {scheme_id: gender}}}
"""
SENTENCES = {"Guten Tag": "s1", "Guten Morgen": "s2", "Grüß Gott": "s3"}


def audformat(root: Path, ending: str = "csv") -> Path:
    write_audio(root / "wav")
    (root / "db.yaml").write_text(HEADER, encoding="utf-8")

    def write(table: str, records: Sequence[dict[str, object]]) -> None:
        if ending == "csv":
            write_records(root / f"db.{table}.csv", records)
        else:
            parquet.write_table(pa.Table.from_pylist([*records]), root / f"db.{table}.parquet")

    for split, name in (("train", "train"), ("val", "development"), ("test", "test")):
        write(
            f"emotion.{name}.gold",
            [{"file": f"wav/{c.name}.wav", "emotion": c.emotion} for c in of_split(split)],
        )
    write("emotion", [{"file": f"wav/{clip.name}.wav", "emotion": "happy"} for clip in CLIPS])
    files = [
        {
            "file": f"wav/{c.name}.wav",
            "speaker": c.speaker,
            "transcription": SENTENCES[c.text],
            "duration": None,
        }
        for c in CLIPS
    ]
    write("files", files)
    write(
        "speaker", [{"speaker": f"speaker_{n}", "gender": "male" if n == 2 else "female"} for n in (1, 2, 3)]
    )
    return root


def audformat_parquet(root: Path) -> Path:
    return audformat(root, "parquet")


def folders(root: Path) -> Path:
    for clip in CLIPS:
        write_audio(
            root / SPLITS[clip.split] / {"happy": "Freude", "sad": "05_TRISTE"}[clip.emotion] / clip.speaker,
            [clip],
        )
    return root


WRITERS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "emobox": ("emobox", emobox),
    "nkululeko": ("nkululeko", nkululeko),
    "kaldi": ("kaldi", kaldi),
    "audiofolder": ("huggingface", audiofolder),
    "parquet": ("huggingface", hub_parquet),
    "audformat": ("audformat", audformat),
    "audformat in Parquet": ("audformat", audformat_parquet),
    "folders": ("folders", folders),
}
"""Layout → value of corpus.name, and the function that writes the corpus into a folder and returns its root."""
