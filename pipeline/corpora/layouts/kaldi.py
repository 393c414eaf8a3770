"""A Kaldi data folder, or one for each split: wav.scp, utt2emo, and where present utt2spk, segments, spk2gender, text.

Each line is a key, white space and a value. FunASR and ESPnet read the same files.
"""

from pathlib import Path

from featurize.errors import CorpusError
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.layouts.places import find_places, nearest_root
from pipeline.corpora.layouts.records import rows_of
from pipeline.corpora.tables.table_bytes import read_text
from pipeline.corpora.tables.table_clips import SPLIT_NAMES, corpus_of_rows
from pipeline.corpora.tables.table_file import Row
from pipeline.protocol.folds import some

EMOTIONS = ("utt2emo", "utt2emotion", "utt2label", "emo")
"""Names of the file of emotions, in order of preference."""
FIELDS = ("path", "emotion", "speaker", "gender", "text", "language", "start", "end", "split")


def read(root: Path, audio_root: Path | None = None) -> Corpus:
    """Read one data folder, or all those below the root that are named as splits.

    Args:
        root: a folder with wav.scp, or with such folders.
        audio_root: folder that the paths of wav.scp are relative to; None: the nearest above it that fits.

    Raises:
        CorpusError: there is no wav.scp, a file cannot be read, or wav.scp holds commands; or as in `corpus_of_rows`.
    """
    places = find_places(root, lambda folder: (folder / "wav.scp").is_file(), "wav.scp")
    splits = {place: SPLIT_NAMES.get(place.name.lower(), "") for place in places}
    if len(places) > 1 and not all(splits.values()):
        named = some([str(place) for place in places])
        raise CorpusError(f"corpus.root: {root} holds several data folders; name one of {named}")
    rows = [
        row for place in places for row in rows_of_folder(place, splits[place] if len(places) > 1 else "")
    ]
    source = places[0] / "wav.scp"
    root_of_paths = audio_root or nearest_root(source, [row.cells["path"] for row in rows])
    return corpus_of_rows(source, rows, root_of_paths, "kaldi")


def rows_of_folder(folder: Path, split: str) -> list[Row]:
    """The rows of one data folder; `split` is that of all of them, or empty.

    Raises:
        CorpusError: a file is missing or cannot be read, or wav.scp holds commands.
    """
    path_of = _pairs(folder / "wav.scp")
    _refuse_commands(folder / "wav.scp", path_of)
    emotions = next((folder / name for name in EMOTIONS if (folder / name).is_file()), None)
    if emotions is None:
        raise CorpusError(f"{folder}: no utt2emo (a line for each utterance: its id and its emotion)")
    emotion_of, speaker_of = _pairs(emotions), _pairs(folder / "utt2spk")
    gender_of, text_of, language_of = (_pairs(folder / name) for name in ("spk2gender", "text", "utt2lang"))
    segments = folder / "segments"
    cut = segments.is_file()
    spans = _segments(segments, path_of) if cut else {key: (key, "", "") for key in path_of}
    records = []
    for utterance, (recording, start, end) in spans.items():
        speaker = speaker_of.get(utterance, "")
        about = (
            emotion_of.get(utterance, ""),
            speaker,
            gender_of.get(speaker, ""),
            text_of.get(utterance, ""),
        )
        records.append([path_of[recording], *about, language_of.get(utterance, ""), start, end, split])
    return rows_of(segments if cut else folder / "wav.scp", FIELDS, records)


def _pairs(file: Path) -> dict[str, str]:
    """Key → the rest of its line; empty if there is no such file."""
    if not file.is_file():
        return {}
    lines = (line.split(maxsplit=1) for line in read_text(file, json_too=True).splitlines())
    return {line[0]: line[1].strip() if len(line) > 1 else "" for line in lines if line}


def _refuse_commands(file: Path, path_of: dict[str, str]) -> None:
    for number, (key, path) in enumerate(path_of.items(), start=1):
        if path.endswith("|") or path.startswith("|"):
            raise CorpusError(
                f"{file}, line {number}: {key} is the output of a command ({path[:40]}...), and commands are not run; "
                "write the audio into files and list these"
            )
        if ".ark:" in path:
            raise CorpusError(f"{file}, line {number}: {key} is in an archive (.ark); list audio files")


def _segments(file: Path, path_of: dict[str, str]) -> dict[str, tuple[str, str, str]]:
    """Utterance → recording, start and end."""
    spans = {}
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) < 4 or parts[1] not in path_of:
            why = (
                f"no recording {parts[1]} in wav.scp"
                if len(parts) > 3
                else "not: utterance recording start end"
            )
            raise CorpusError(f"{file}, line {number}: {why}")
        end = "" if parts[3] == "-1" else parts[3]  # Kaldi's form of the file's end
        spans[parts[0]] = (parts[1], parts[2], end)
    return spans
