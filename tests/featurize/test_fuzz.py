"""Damaged audio by the thousand: a load ends in a waveform or an AudioError, soon and in bounded memory.

The loads run in child processes under limits of time and memory, so that a decoder's crash or hang is noticed
and named instead of ending the tests. Every input comes from a seeded generator: the number in a failure's
message is enough to make it again.
"""

import os
import re
import signal
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from featurize.audio import load_audio
from featurize.errors import AudioError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits on the child are Linux's")

KINDS = ("wav", "flac", "ogg", "mp3", "m4a")
# Of computing, more than 50 times the longest load; of waiting, since a busy machine has other things to do, any time
# that ends.
LONGEST_CPU_S, LONGEST_S = 10, 600
LARGEST_BYTES, ENDLESS_BYTES = 2**30, 2**34  # the promise, and where the child's memory ends
PER_CHILD = 1000
BAD = "BAD"

Seeds = dict[str, list[bytes]]


# --- the child: loads the files named on stdin, and prints a line before and after each of them


def child() -> None:
    import resource

    load_audio(sys.argv[1])  # pays for every import and buffer, and is not counted
    before = memory_bytes("VmSize")
    resource.setrlimit(resource.RLIMIT_AS, (before + ENDLESS_BYTES, before + ENDLESS_BYTES))
    for line in sys.stdin:
        print(line.strip(), end=" ", flush=True)
        signal.setitimer(signal.ITIMER_PROF, LONGEST_CPU_S)  # unhandled: the signal ends the process
        signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
        outcome = outcome_of(Path(line.strip()))
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        taken = memory_bytes("VmPeak") - before  # allocated, whether written or not
        if taken > LARGEST_BYTES:
            print(f"{BAD} took {taken >> 20} MiB")
            break  # the peak never falls again
        print(outcome, flush=True)


def memory_bytes(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


def outcome_of(path: Path) -> str:
    try:
        waveform = load_audio(path)
    except AudioError as error:
        if type(error.__cause__) is MemoryError:  # and not FFmpeg's own, by which it refuses absurd sizes
            return f"{BAD} wants more memory than there is"
        return f"{BAD} more than one line" if "\n" in error.detail else error.reason
    except BaseException as error:
        return f"{BAD} {error!r}".replace("\n", " ")
    good = waveform.ndim == 1 and bool(waveform.isfinite().all()) and float(waveform.abs().max()) == 1.0
    return "loaded" if good else f"{BAD} waveform {tuple(waveform.shape)}"


# --- the parent


def outcomes(paths: list[Path], warm_up: Path) -> dict[Path, str]:
    """What a load of each file ended in; a child that died is replaced after the file that killed it."""
    found: dict[Path, str] = {}
    while len(found) < len(paths):
        todo = paths[len(found) :]
        done = subprocess.run(
            [sys.executable, __file__, str(warm_up)],
            input="\n".join(map(str, todo)),
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
        )
        said = done.stdout.splitlines()
        assert said, done.stderr
        for path, line in zip(todo, said, strict=False):
            found[path] = line.removeprefix(str(path)).strip() or f"{BAD} {death(done.returncode)}"
    return found


def death(code: int) -> str:
    name = signal.Signals(-code).name if code < 0 else f"exit {code}"
    return {"SIGPROF": f"longer than {LONGEST_CPU_S} s", "SIGALRM": f"longer than {LONGEST_S} s"}.get(
        name, name
    )


def fuzz(numbers: range, folder: Path) -> Counter[tuple[str, str]]:
    """Load the inputs of these numbers; the bad ones are kept in `folder`."""
    seeds = make_seeds(folder)
    counts: Counter[tuple[str, str]] = Counter()
    bad = []
    for start in range(numbers.start, numbers.stop, PER_CHILD):
        paths = []
        for number in range(start, min(start + PER_CHILD, numbers.stop)):
            paths.append(folder / f"{number}.{KINDS[number % len(KINDS)]}")
            paths[-1].write_bytes(mutated(number, seeds))
        for path, outcome in outcomes(paths, folder / "seed-0.wav").items():
            counts[path.suffix[1:], outcome.split()[0]] += 1
            if outcome.startswith(BAD):
                bad.append(f"{path}: {outcome}")
            else:
                path.unlink()
    assert not bad, "\n".join(bad)
    return counts


def mutated(number: int, seeds: Seeds) -> bytes:
    """Input of this number: a seed of its kind after one to three mutations."""
    rng = np.random.default_rng(number)
    of_kind = seeds[KINDS[number % len(KINDS)]]
    content = bytearray(of_kind[rng.integers(len(of_kind))])
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        if content:
            MUTATIONS[rng.integers(len(MUTATIONS))](content, rng, seeds)
    if content[:4] == b"OggS" and rng.integers(2):
        set_ogg_checksums(content)
    return bytes(content)


def set_ogg_checksums(content: bytearray) -> None:
    """Make damaged pages look whole: otherwise the reader throws them away before the decoder sees them."""
    starts = [match.start() for match in re.finditer(b"OggS", content)]
    for start, end in pairwise([*starts, len(content)]):
        if end - start >= 27:
            content[start + 22 : start + 26] = bytes(4)
            checksum = 0
            for byte in content[start:end]:
                checksum = (checksum << 8 & 0xFFFF_FFFF) ^ OGG_CRC[checksum >> 24 ^ byte]
            content[start + 22 : start + 26] = checksum.to_bytes(4, "little")


def crc_of_byte(byte: int) -> int:
    """CRC-32 of Ogg (RFC 3533): generator 0x04c11db7, most significant bit first."""
    value = byte << 24
    for _ in range(8):
        value = (value << 1 ^ (0x04C1_1DB7 if value >> 31 else 0)) & 0xFFFF_FFFF
    return value


OGG_CRC = [crc_of_byte(byte) for byte in range(256)]


# --- seeds: the third of a second, in the forms that each decoder treats on a path of its own


def make_seeds(folder: Path) -> Seeds:
    rng = np.random.default_rng(0)
    time_s = np.arange(16_000) / 48_000
    voice = 0.3 * np.sin(2 * np.pi * 150 * time_s) * np.sin(9 * time_s) + rng.normal(0, 0.01, len(time_s))
    stereo = np.stack([voice, voice[::-1]], axis=1)
    forms = {
        "wav": [
            ("PCM_16", 16_000, "WAV"),
            ("PCM_24", 22_050, "WAVEX"),
            ("FLOAT", 48_000, "WAV"),
            ("ULAW", 8_000, "WAV"),
            ("IMA_ADPCM", 16_000, "WAV"),
            ("MS_ADPCM", 44_100, "WAV"),
            ("GSM610", 8_000, "WAV"),
            ("PCM_16", 48_000, "RF64"),
        ],
        "flac": [("PCM_16", 16_000, "FLAC"), ("PCM_24", 44_100, "FLAC"), ("PCM_S8", 8_000, "FLAC")],
        "ogg": [("VORBIS", 16_000, "OGG"), ("OPUS", 48_000, "OGG"), ("VORBIS", 44_100, "OGG")],
        "mp3": [("MPEG_LAYER_III", rate, "MP3") for rate in (16_000, 44_100, 8_000)],
    }
    for kind, variants in forms.items():
        for i, (subtype, rate, container) in enumerate(variants):
            samples = stereo if i % 2 and subtype != "GSM610" else voice
            soundfile.write(folder / f"seed-{i}.{kind}", samples, rate, subtype=subtype, format=container)
    m4a = [
        ("aac", 16_000, {}),
        ("aac", 44_100, {"movflags": "faststart"}),
        ("aac", 16_000, {"movflags": "frag_keyframe+empty_moov"}),
        ("alac", 16_000, {}),
    ]
    for i, (codec, rate, options) in enumerate(m4a):
        encode(folder / f"seed-{i}.m4a", codec, rate, voice, options)
    return {kind: [p.read_bytes() for p in sorted(folder.glob(f"seed-*.{kind}"))] for kind in KINDS}


def encode(path: Path, codec: str, rate: int, samples: np.ndarray, options: dict[str, str]) -> None:
    with av.open(path, "w", format="mp4", options=options) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        context = stream.codec_context
        fit = av.AudioResampler(context.format, "mono", rate, frame_size=context.frame_size or 1024)
        frame = av.AudioFrame.from_ndarray(samples.astype(np.float32)[None], format="fltp", layout="mono")
        frame.sample_rate = rate
        for part in [*fit.resample(frame), *fit.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


# --- mutations, in place

EXTREMES = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    2**24,
    2**31 - 1,
    2**31,
    4_000_000_000,
    2**32 - 1,
    2**62,
)


def place(content: bytearray, rng: np.random.Generator) -> int:
    """Anywhere, in the header, or close to a name of four letters: RIFF chunk, MP4 box, Ogg page."""
    names = [match.start() for match in re.finditer(rb"[A-Za-z]{4}", content)]
    choice = rng.integers(3)
    if choice == 0 or not names:
        return int(rng.integers(len(content)))
    if choice == 1:
        return int(rng.integers(min(len(content), 128)))
    return int(np.clip(rng.choice(names) + rng.integers(-4, 24), 0, len(content) - 1))


def piece(content: bytearray, rng: np.random.Generator) -> slice:
    start = place(content, rng)
    return slice(start, start + int(rng.integers(1, max(2, len(content) // int(rng.choice([2, 20, 200]))))))


def flip_bits(content: bytearray, rng: np.random.Generator, _: Seeds) -> None:
    for _i in range(rng.integers(1, 12)):
        content[place(content, rng)] ^= 1 << int(rng.integers(8))


def overwrite_bytes(content: bytearray, rng: np.random.Generator, _: Seeds) -> None:
    for _i in range(rng.integers(1, 12)):
        content[place(content, rng)] = int(rng.integers(256))


def truncate(content: bytearray, rng: np.random.Generator, _: Seeds) -> None:
    del content[place(content, rng) :]


def delete(content: bytearray, rng: np.random.Generator, _: Seeds) -> None:
    del content[piece(content, rng)]


def duplicate(content: bytearray, rng: np.random.Generator, _: Seeds) -> None:
    copied = content[piece(content, rng)]
    at = place(content, rng)
    content[at:at] = copied


def blank(content: bytearray, rng: np.random.Generator, _: Seeds) -> None:
    where = piece(content, rng)
    content[where] = bytes([int(rng.choice([0, 0xFF]))]) * len(content[where])


def edit_field(content: bytearray, rng: np.random.Generator, _: Seeds) -> None:
    width = int(rng.choice([1, 2, 4, 8]))
    value = EXTREMES[rng.integers(len(EXTREMES))] % 256**width
    at = place(content, rng)
    content[at : at + width] = value.to_bytes(width, "big" if rng.integers(2) else "little")


def splice(content: bytearray, rng: np.random.Generator, seeds: Seeds) -> None:
    others = seeds[KINDS[rng.integers(len(KINDS))]]
    other = others[rng.integers(len(others))]
    content[place(content, rng) :] = other[place(bytearray(other), rng) :]


Mutation = Callable[[bytearray, np.random.Generator, Seeds], None]
MUTATIONS: list[Mutation] = [
    flip_bits,
    overwrite_bytes,
    truncate,
    delete,
    duplicate,
    blank,
    edit_field,
    edit_field,
    splice,
]


# --- tests


def test_two_hundred_damaged_files(tmp_path: Path) -> None:
    counts = fuzz(range(200), tmp_path)
    assert counts.total() == 200
    for outcome in ("loaded", "undecodable"):  # mutations break neither everything nor nothing
        assert sum(counts[kind, outcome] for kind in KINDS) >= 20


def test_ogg_checksums_are_those_of_the_format(tmp_path: Path) -> None:
    for content in make_seeds(tmp_path)["ogg"]:
        again = bytearray(content)
        set_ogg_checksums(again)
        assert again == content


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_thousand_damaged_files(tmp_path: Path) -> None:
    counts = fuzz(range(10_000), tmp_path)
    print(*sorted(counts.items()), sep="\n")
    assert counts.total() == 10_000
    for kind in KINDS:
        assert counts[kind, "loaded"] >= 50
        assert counts[kind, "undecodable"] >= 50


def lies(seeds: Seeds) -> Iterator[tuple[str, bytes]]:
    """Small files whose headers promise what would take gigabytes."""
    wav, flac, m4a = seeds["wav"][0], seeds["flac"][0], seeds["m4a"][0]
    for rate in (0, 1, 4_000_000_000, 2**32 - 1):
        yield f"rate-{rate}.wav", wav[:24] + struct.pack("<I", rate) + wav[28:]
    for channels in (0, 1024, 65_535):
        yield f"channels-{channels}.wav", wav[:22] + struct.pack("<H", channels) + wav[24:]
    for size in (2**31 - 2**20, 2**31, 2**32 - 2):
        yield f"size-{size}.wav", wav[:40] + struct.pack("<I", size) + wav[44:]
    total = int.from_bytes(flac[18:26], "big") | (2**36 - 1)
    yield "samples.flac", flac[:18] + total.to_bytes(8, "big") + flac[26:]
    for box, offset in (
        (b"stsz", 12),
        (b"stts", 8),
        (b"stsc", 8),
        (b"stco", 8),
        (b"mdhd", 16),
        (b"mvhd", 16),
    ):
        for value in (2**24, 2**31 - 1, 2**32 - 1):
            at = m4a.index(box) + offset
            yield f"{box.decode()}-{value}.m4a", m4a[:at] + struct.pack(">I", value) + m4a[at + 4 :]
    at = m4a.index(b"stsz") + 8  # one size for all samples, and four billion of them
    yield "stsz.m4a", m4a[:at] + struct.pack(">II", 1, 2**32 - 1) + m4a[at + 8 :]
    at = seeds["ogg"][0].rindex(b"OggS") + 6  # the last page's position is the length
    yield "length.ogg", seeds["ogg"][0][:at] + struct.pack("<q", 2**62) + seeds["ogg"][0][at + 8 :]


def test_headers_with_false_lengths(tmp_path: Path) -> None:
    paths = []
    for name, content in lies(make_seeds(tmp_path)):
        paths.append(tmp_path / name)
        paths[-1].write_bytes(content)
    found = outcomes(paths, tmp_path / "seed-0.wav")
    assert not {path.name: said for path, said in found.items() if said.startswith(BAD)}


@pytest.mark.slow
def test_crashes_and_hangs_of_the_child_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check of the check: crashes and hangs are named, and what comes after them is still loaded."""
    make_seeds(tmp_path)
    names = ["seed-0.wav", "crash", "hang", "memory", "seed-0.flac"]
    spoilt = tmp_path / "sitecustomize.py"
    spoilt.write_text(
        "import os, signal, featurize.audio as audio\n"
        "load = audio.load_audio\n"
        "def spoilt(path):\n"
        "    name = os.path.basename(path)\n"
        "    if name == 'crash': os.kill(os.getpid(), signal.SIGSEGV)\n"
        "    if name == 'memory': bytearray(2**31)\n"
        "    if name == 'hang': os.kill(os.getpid(), signal.SIGPROF)\n"
        "    return load(path)\n"
        "audio.load_audio = spoilt\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = outcomes([tmp_path / name for name in names], tmp_path / "seed-0.wav")
    assert [found[tmp_path / name].split(" MiB")[0] for name in names] == [
        "loaded",
        "BAD SIGSEGV",
        "BAD longer than 10 s",
        "BAD took 2048",
        "loaded",
    ]


if __name__ == "__main__":
    child()
