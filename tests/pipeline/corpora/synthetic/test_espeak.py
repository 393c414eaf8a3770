"""Speech synthesis depends on the list only, and errors of the library are clear."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from featurize.errors import CorpusError
from pipeline.corpora.synthetic import demo, espeak
from pipeline.corpora.synthetic.espeak import EspeakError, Utterance, speak

HELLO = Utterance("Hello there.", "en-us+f2", rate=170, pitch=50, pitch_range=50, seed=1)


def fake_loader(folder: Path, body: str) -> str:
    (folder / "espeakng_loader.py").write_text(body)
    return str(folder)


def test_speech_depends_on_the_list_alone() -> None:
    first, second = speak([HELLO, HELLO]), speak([HELLO, HELLO])
    assert first == second
    assert len(np.frombuffer(first[0], np.int16)) > espeak.SAMPLE_RATE / 4


def test_rate_and_pitch_change_the_speech() -> None:
    slow, fast = (Utterance("One, two, three.", "en+m3", rate, 50, 50, 1) for rate in (110, 240))
    one, two = speak([slow, fast])
    assert len(one) > 1.5 * len(two)


def test_no_utterances_give_no_samples() -> None:
    assert speak([]) == []


def test_an_unknown_voice_is_named() -> None:
    with pytest.raises(EspeakError, match="no voice 'xx-nobody'"):
        speak([Utterance("Hello.", "xx-nobody", 170, 50, 50, 1)])


def test_a_missing_package_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", fake_loader(tmp_path, "raise ImportError('nothing here')"))
    with pytest.raises(CorpusError, match="espeakng-loader is missing or damaged: nothing here") as error:
        demo.make(demo.DemoParams(voices=2, sentences=1), tmp_path / "demo")
    assert "\n" not in str(error.value)


def test_a_damaged_library_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lib.so").write_text("not a library")
    body = (
        f"def get_library_path(): return {str(tmp_path / 'lib.so')!r}\n"
        f"def get_data_path(): return {str(tmp_path)!r}\n"
    )
    monkeypatch.setenv("PYTHONPATH", fake_loader(tmp_path, body))
    with pytest.raises(EspeakError, match="does not load"):
        speak([HELLO])


def test_missing_phoneme_data_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import espeakng_loader

    body = (
        f"def get_library_path(): return {espeakng_loader.get_library_path()!r}\n"
        f"def get_data_path(): return {str(tmp_path)!r}\n"
    )
    monkeypatch.setenv("PYTHONPATH", fake_loader(tmp_path, body))
    with pytest.raises(EspeakError, match="phoneme data"):
        speak([HELLO])


def test_a_long_path_to_the_data_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import espeakng_loader

    far = tmp_path / ("a" * 120) / ("b" * 120)
    far.mkdir(parents=True)
    (far / "espeak-ng-data").symlink_to(espeakng_loader.get_data_path(), target_is_directory=True)
    body = (
        f"def get_library_path(): return {espeakng_loader.get_library_path()!r}\n"
        f"def get_data_path(): return {str(far / 'espeak-ng-data')!r}\n"
    )
    expected = speak([HELLO])
    monkeypatch.setenv("PYTHONPATH", fake_loader(tmp_path, body))
    assert speak([HELLO]) == expected


def test_the_data_may_be_copied_where_links_are_forbidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("c" * 200)
    folder.mkdir()
    (folder / "phontab").write_text("data")

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no right to make links")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with espeak._short_path(str(folder)) as short:
        assert len(short) < espeak.LONGEST_DATA_PATH
        assert (Path(short) / "phontab").read_text() == "data"
    assert not Path(short).exists()
    shutil.rmtree(folder)
