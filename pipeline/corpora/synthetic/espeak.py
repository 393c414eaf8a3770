"""Speech synthesis with espeak-ng, run in a separate process.

The library keeps global state between utterances (flutter, random numbers), so a repeated call returns different
samples. With a new process for each list of utterances, the samples depend on the list only. `speak` starts this file
as the program of that process; it imports no module of the project.

Wire format: standard input is a JSON list of `Utterance` fields; standard output is, per utterance,
the number of bytes as little-endian uint32 and the samples as int16 of the machine's byte order.
"""

import ctypes
import json
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

SAMPLE_RATE = 22_050  # Hz, fixed inside espeak-ng's formant synthesiser
LONGEST_DATA_PATH = 150  # bytes; espeak-ng 1.52 silently ignores a path of 160 and more

# Constants of espeak-ng's speak_lib.h.
_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_UTF8 = 1
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


@dataclass(frozen=True)
class Utterance:
    """One text with its voice and prosody."""

    text: str
    voice: str
    """espeak-ng voice with its variant, such as "en-us+f2"."""
    rate: int
    """In words per minute, 80 to 450."""
    pitch: int
    """0 to 99; 50 is the voice's default."""
    pitch_range: int
    """0 (monotone) to 99; 50 is the voice's default."""
    seed: int
    """Seed of espeak-ng's random numbers."""


class EspeakError(Exception):
    """espeak-ng is not available or failed; the message is one line."""


def speak(utterances: Sequence[Utterance]) -> list[bytes]:
    """Synthesise a list in a new process: int16 samples at SAMPLE_RATE, one `bytes` per utterance.

    Raises:
        EspeakError: the library is missing or damaged, or does not have the voice.
    """
    request = json.dumps([asdict(utterance) for utterance in utterances]).encode()
    child = subprocess.run(
        [sys.executable, "-P", str(Path(__file__).resolve())], input=request, capture_output=True, check=False
    )
    if child.returncode != 0:
        said = child.stderr.decode(errors="replace").strip().splitlines()
        raise EspeakError(said[-1] if said else f"espeak-ng ended with code {child.returncode}")
    spoken, at = [], 0
    while at < len(child.stdout):
        (size,) = struct.unpack_from("<I", child.stdout, at)
        spoken.append(child.stdout[at + 4 : at + 4 + size])
        at += 4 + size
    if len(spoken) != len(utterances):
        raise EspeakError(f"espeak-ng spoke {len(spoken)} of {len(utterances)} utterances")
    return spoken


@contextmanager
def _short_path(folder: str) -> Iterator[str]:
    """The same folder under a path short enough for espeak-ng's fixed buffer."""
    if len(folder.encode()) <= LONGEST_DATA_PATH:
        yield folder
        return
    with tempfile.TemporaryDirectory() as temporary:
        short = Path(temporary) / "espeak-ng-data"
        try:
            short.symlink_to(folder, target_is_directory=True)
        except OSError:  # Windows without the right to make links
            shutil.copytree(folder, short)
        yield str(short)


class _Espeak:
    """The library, initialised once per process."""

    def __init__(self, library: str, data: str) -> None:
        self._library = ctypes.CDLL(library)
        self._chunks: list[bytes] = []
        self._callback = _Callback(self._receive)  # ctypes holds no reference to it
        if self._library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DONT_EXIT) != SAMPLE_RATE:
            raise EspeakError(f"espeak-ng cannot read its phoneme data in {data}")
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: object) -> int:
        if samples and count > 0:
            self._chunks.append(ctypes.string_at(samples, 2 * count))
        return 0

    def say(self, utterance: Utterance) -> bytes:
        if self._library.espeak_SetVoiceByName(utterance.voice.encode()) != 0:
            raise EspeakError(f"espeak-ng has no voice {utterance.voice!r}")
        settings = ((_RATE, utterance.rate), (_PITCH, utterance.pitch), (_RANGE, utterance.pitch_range))
        for parameter, value in (*settings, (_VOLUME, 100)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(utterance.seed))
        text = utterance.text.encode()
        self._chunks.clear()
        size = ctypes.c_size_t(len(text) + 1)
        status = self._library.espeak_Synth(text, size, 0, 1, 0, _UTF8, None, None)
        if status != 0 or not self._chunks:
            raise EspeakError(f"espeak-ng returned no samples for {utterance.text!r} (status {status})")
        return b"".join(self._chunks)


def _serve() -> None:
    try:
        import espeakng_loader

        library, data = espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
    except (ImportError, RuntimeError) as error:
        raise EspeakError(f"package espeakng-loader is missing or damaged: {error}") from error
    requests = [Utterance(**fields) for fields in json.load(sys.stdin)]
    with _short_path(data) as short:
        try:
            espeak = _Espeak(library, short)
        except OSError as error:
            raise EspeakError(f"espeak-ng's library does not load: {error}") from error
        for utterance in requests:
            samples = espeak.say(utterance)
            sys.stdout.buffer.write(struct.pack("<I", len(samples)) + samples)


if __name__ == "__main__":
    try:
        _serve()
    except EspeakError as failure:
        sys.exit(str(failure))
