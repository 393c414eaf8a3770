"""The demo corpus: synthetic emotional speech, generated locally so that the pipeline runs without any download.

Ten espeak-ng voices speak ten sentences in four emotions. Only the prosody expresses the emotion: rate, pitch, pitch
range and vocal effort are drawn per clip from distributions that overlap between emotions. Scores on this corpus say
nothing about human speech.
"""

import csv
import shutil
import wave
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, Field, model_validator

from featurize.errors import CorpusError
from pipeline.corpora.clip import Clip
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.facts import Facts
from pipeline.corpora.recordings import clip_ids
from pipeline.corpora.synthetic import acoustics, espeak
from pipeline.corpora.synthetic.acoustics import Samples
from pipeline.corpora.synthetic.voices import PROSODY, SENTENCES, SPREAD, VOICES, Voice

EMOTIONS = tuple(PROSODY)
TABLE = "demo.csv"
PEAK_DB = -12.0
"""Peak of a clip of neutral loudness, relative to full scale."""


FACTS = Facts(
    title="Synthetic demo corpus, read by espeak-ng",
    languages=("en",),
    licence="of this project",
    emotions=EMOTIONS,
    standard="intended",
)


class DemoParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """Size and conditions of the demo corpus."""

    voices: Annotated[int, Field(ge=2, le=len(VOICES))] = 10
    """Number of speakers, alternately female and male; at most 12."""
    sentences: Annotated[int, Field(ge=1, le=len(SENTENCES))] = 10
    """Number of sentences per speaker and emotion; at most 10."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of prosody, silences and noise."""
    min_silence_s: Annotated[float, Field(ge=0, le=5)] = 0.2
    """Shortest silence before and after the speech."""
    max_silence_s: Annotated[float, Field(ge=0, le=5)] = 0.8
    """Longest silence before and after the speech."""
    min_snr_db: Annotated[float, Field(ge=-20, le=80)] = 15.0
    """Lowest SNR; the noise is pink noise and mains hum."""
    max_snr_db: Annotated[float, Field(ge=-20, le=80)] = 30.0
    """Highest SNR; the noise is pink noise and mains hum."""

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Self:
        for quantity in ("silence_s", "snr_db"):
            if getattr(self, f"min_{quantity}") > getattr(self, f"max_{quantity}"):
                raise ValueError(f"min_{quantity} is larger than max_{quantity}")
        return self


@dataclass(frozen=True)
class DemoClip:
    """The parameters that one clip was generated with: a row of demo.csv."""

    file: str
    speaker: str
    gender: str
    emotion: str
    sentence: str
    text: str
    rate: int
    pitch: int
    pitch_range: int
    loudness_db: float
    snr_db: float
    leading_s: float
    trailing_s: float
    speech_s: float = 0.0
    """Duration of the speech; 0 before it is synthesised."""


def make(params: DemoParams, out: Path) -> list[DemoClip]:
    """Write `<speaker>/<emotion>_<sentence>.wav` (16 bit, 22,050 Hz) and demo.csv into the folder `out`.

    The bytes depend on `params` only. An older demo corpus in `out` is replaced.

    Raises:
        CorpusError: espeak-ng is not available, or `out` holds other files than a demo corpus.
    """
    clear(out)
    clips: list[DemoClip] = []
    for number, voice in enumerate(VOICES[: params.voices]):
        (out / voice.speaker).mkdir(parents=True)
        drawn = list(_draw(params, number, voice))
        for (clip, rng), speech in zip(
            drawn, _speak(voice, [clip for clip, _ in drawn], params), strict=True
        ):
            _write_wav(out / clip.file, _record(clip, speech, rng))
            clips.append(DemoClip(**asdict(clip) | {"speech_s": round(len(speech) / espeak.SAMPLE_RATE, 3)}))
    with (out / TABLE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(DemoClip)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(clip) for clip in clips)
    return clips


def clear(out: Path) -> None:
    """Create the folder `out`, or empty it if it holds a demo corpus and nothing else."""
    if out.exists() and not out.is_dir():
        raise CorpusError(f"{out} is a file; the demo corpus is written there: move it away")
    if out.is_dir() and any(out.iterdir()):
        known = {TABLE, *(voice.speaker for voice in VOICES)}
        unknown = sorted(path.name for path in out.iterdir() if path.name not in known)
        if unknown:
            raise CorpusError(
                f"{out} holds {unknown[0]!r}, which is not part of the demo corpus: move it away"
            )
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)


def read(root: Path) -> Corpus:
    """Read a demo corpus from its table.

    Raises:
        CorpusError: the folder holds no demo corpus.
    """
    table = root / TABLE
    if not table.is_file():
        raise CorpusError(f"corpus.root: no {TABLE} in {root}; make the demo corpus with `ser corpus`")
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"file", "speaker", "gender", "emotion"} <= rows[0].keys():
        raise CorpusError(f"{table}: not the table of a demo corpus; make it again with `ser corpus`")
    names = clip_ids("demo", [PurePosixPath(row["file"]) for row in rows])
    clips = [
        Clip(
            *(name, root / row["file"], "demo", row["speaker"], row["gender"], row["emotion"]),
            sentence=row.get("sentence", ""),
            language="en",
            text=row.get("text", ""),
            intended=row["emotion"],
        )
        for name, row in zip(names, rows, strict=True)
    ]
    return Corpus("demo", clips, EMOTIONS, synthetic=True, facts=FACTS)


def _draw(params: DemoParams, number: int, voice: Voice) -> Iterator[tuple[DemoClip, np.random.Generator]]:
    """Draw the parameters of a voice's clips; each clip has its own seed, so that it does not depend on the others."""
    for kind, emotion in enumerate(EMOTIONS):
        for index in range(params.sentences):
            rng = np.random.default_rng([params.seed, number, kind, index])
            rate, pitch, pitch_range, loudness_db = rng.normal(PROSODY[emotion], SPREAD)
            leading_s, trailing_s = rng.uniform(params.min_silence_s, params.max_silence_s, size=2)
            clip = DemoClip(
                file=f"{voice.speaker}/{emotion}_s{index + 1:02d}.wav",
                speaker=voice.speaker,
                gender=voice.gender,
                emotion=emotion,
                sentence=f"s{index + 1:02d}",
                text=SENTENCES[index],
                rate=int(np.clip(rate * voice.tempo, 80, 300)),
                pitch=int(np.clip(pitch + voice.pitch, 0, 99)),
                pitch_range=int(np.clip(pitch_range, 0, 99)),
                loudness_db=round(float(loudness_db), 2),
                snr_db=round(float(rng.uniform(params.min_snr_db, params.max_snr_db)), 2),
                leading_s=round(float(leading_s), 3),
                trailing_s=round(float(trailing_s), 3),
            )
            yield clip, rng


def _speak(voice: Voice, clips: Sequence[DemoClip], params: DemoParams) -> list[Samples]:
    """Clean speech of one voice, with the silence around it removed, at a peak of 1."""
    utterances = [
        espeak.Utterance(t.text, voice.espeak, t.rate, t.pitch, t.pitch_range, seed=params.seed * 1000 + i)
        for i, t in enumerate(clips)
    ]
    try:
        spoken = espeak.speak(utterances)
    except espeak.EspeakError as error:
        raise CorpusError(f"the demo corpus cannot be made: {error}") from error
    speech = []
    for samples in spoken:
        wave_int = np.frombuffer(samples, dtype=np.int16).astype(np.float64)
        loud = np.flatnonzero(np.abs(wave_int) > 0.005 * np.abs(wave_int).max())
        speech.append(acoustics.scale_peak(wave_int[loud[0] : loud[-1] + 1], 0.0))
    return speech


def _record(clip: DemoClip, speech: Samples, rng: np.random.Generator) -> Samples:
    """Make a clip from clean speech: vocal effort, silence before and after it, noise."""
    effort = acoustics.vocal_effort(speech, clip.loudness_db, espeak.SAMPLE_RATE)
    lead, trail = (round(s * espeak.SAMPLE_RATE) for s in (clip.leading_s, clip.trailing_s))
    noise = acoustics.room_noise(lead + len(effort) + trail, rng, espeak.SAMPLE_RATE)
    mixture = acoustics.mix(np.pad(effort, (lead, trail)), noise, float(np.mean(effort**2)), clip.snr_db)
    return acoustics.scale_peak(mixture, min(clip.loudness_db + PEAK_DB, 0.0))


def _write_wav(path: Path, samples: Samples) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(espeak.SAMPLE_RATE)
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
