"""The demo corpus is reproducible, matches its table, and overwrites no other files."""

import csv
import hashlib
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from featurize.errors import CorpusError
from pipeline.corpora.synthetic import demo, espeak
from pipeline.corpora.synthetic.demo import DemoParams

TINY = DemoParams(voices=2, sentences=1)


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "demo"
    demo.make(TINY, folder)
    return folder


def samples_of(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 22_050)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32768


def test_the_full_corpus_is_as_large_as_promised() -> None:
    params = DemoParams()
    drawn = [t for n, v in enumerate(demo.VOICES[: params.voices]) for t, _ in demo._draw(params, n, v)]
    assert len(drawn) == 400
    assert len({truth.file for truth in drawn}) == 400
    assert {truth.speaker: truth.gender for truth in drawn}.keys() == {v.speaker for v in demo.VOICES[:10]}
    assert {truth.emotion for truth in drawn} == set(demo.EMOTIONS) == set(demo.PROSODY)
    genders = [voice.gender for voice in demo.VOICES[:10]]
    assert genders.count("female") == genders.count("male") == 5


def test_the_same_seed_gives_the_same_bytes_in_this_process(tiny: Path, tmp_path: Path) -> None:
    demo.make(TINY, tmp_path / "again")
    assert hashes(tmp_path / "again") == hashes(tiny)
    assert len(hashes(tiny)) == 2 * 4 + 1


def test_the_same_seed_gives_the_same_bytes_in_another_process(tiny: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from pipeline.corpora.synthetic import demo; "
        "demo.make(demo.DemoParams(voices=2, sentences=1), Path(sys.argv[1]))"
    )
    root = Path(demo.__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "other")], check=True, cwd=root)
    assert hashes(tmp_path / "other") == hashes(tiny)


def test_another_seed_gives_other_speech(tiny: Path, tmp_path: Path) -> None:
    demo.make(DemoParams(voices=2, sentences=1, seed=1), tmp_path / "other")
    ours, theirs = hashes(tiny), hashes(tmp_path / "other")
    assert ours.keys() == theirs.keys()
    assert all(ours[name] != theirs[name] for name in ours)


def test_more_voices_do_not_change_the_first_ones(tiny: Path, tmp_path: Path) -> None:
    demo.make(DemoParams(voices=3, sentences=1), tmp_path / "more")
    more = hashes(tmp_path / "more")
    assert {name: more[name] for name in hashes(tiny) if name.endswith(".wav")}.items() <= hashes(
        tiny
    ).items()


def test_the_table_matches_every_clip(tiny: Path) -> None:
    with (tiny / "demo.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    for row in rows:
        audio = samples_of(tiny / row["file"])
        rate = espeak.SAMPLE_RATE
        lead, speech, trail = (float(row[name]) for name in ("leading_s", "speech_s", "trailing_s"))
        assert len(audio) / rate == pytest.approx(lead + speech + trail, abs=0.002)
        assert 1.5 < len(audio) / rate < 6
        inside = audio[round(lead * rate) : round((lead + speech) * rate)]
        noise = np.concatenate([audio[: int(lead * rate) - 1], audio[-int(trail * rate) + 1 :]])
        measured_db = 10 * np.log10(np.mean(inside**2) / np.mean(noise**2))
        assert measured_db == pytest.approx(float(row["snr_db"]), abs=2.0)
        assert 0.05 < np.abs(audio).max() < 1
        assert 0.2 <= lead <= 0.8
        assert 15 <= float(row["snr_db"]) <= 30


def test_emotions_differ_in_prosody_and_overlap() -> None:
    params = DemoParams(seed=3)
    drawn = [t for n, v in enumerate(demo.VOICES[:10]) for t, _ in demo._draw(params, n, v)]
    rate = {e: [t.rate for t in drawn if t.emotion == e] for e in demo.EMOTIONS}
    assert np.mean(rate["sad"]) < np.mean(rate["neutral"]) < np.mean(rate["happy"])
    assert max(rate["sad"]) > min(rate["neutral"])
    assert max(rate["neutral"]) > min(rate["angry"])


def test_reading_gives_the_clips_of_the_table(tiny: Path) -> None:
    corpus = demo.read(tiny)
    assert corpus.synthetic
    assert corpus.emotions == ("angry", "happy", "neutral", "sad")
    assert [clip.clip_id for clip in corpus.clips][:2] == ["demo/f01/angry_s01", "demo/f01/happy_s01"]
    assert all(clip.path.is_file() for clip in corpus.clips)
    assert {(clip.speaker, clip.gender) for clip in corpus.clips} == {("f01", "female"), ("m01", "male")}


def test_a_missing_corpus_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="ser corpus"):
        demo.read(tmp_path)


def test_a_table_without_its_columns_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "demo.csv").write_text("something,else\n1,2\n")
    with pytest.raises(CorpusError, match=r"demo\.csv.*ser corpus"):
        demo.read(tmp_path)


def test_a_folder_with_other_files_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("irreplaceable")
    with pytest.raises(CorpusError, match=r"thesis\.txt"):
        demo.make(TINY, tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "irreplaceable"


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("")
    with pytest.raises(CorpusError, match="is a file"):
        demo.make(TINY, tmp_path / "demo")


def test_an_older_demo_corpus_is_replaced(tiny: Path, tmp_path: Path) -> None:
    demo.make(DemoParams(voices=3, sentences=1, seed=5), tmp_path / "demo")
    demo.make(TINY, tmp_path / "demo")
    assert hashes(tmp_path / "demo") == hashes(tiny)


@pytest.mark.parametrize("wrong", [{"voices": 1}, {"voices": 99}, {"sentences": 0}, {"voice": 3}])
def test_impossible_sizes_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        DemoParams(**wrong)


def test_contradicting_bounds_are_refused() -> None:
    with pytest.raises(ValidationError, match="max_snr_db"):
        DemoParams(min_snr_db=30, max_snr_db=10)
    with pytest.raises(ValidationError, match="max_silence_s"):
        DemoParams(min_silence_s=1.0)
