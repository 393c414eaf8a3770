"""The recipe's cache, its splits and its mixtures."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from mixing import Mixer, draw_noise, equalise, room_response, synthetic_noise
from params import Recipe, SourceParams, load_recipe

from data import Bank, build_cache, decode, open_banks, split_groups
from featurize.errors import AudioError, CorpusError, ParamsError, SerError, SplitError
from featurize.snr import active_power


def one_line(error: pytest.ExceptionInfo[SerError]) -> bool:
    return len(str(error.value).splitlines()) == 1


def test_cache_holds_what_the_files_hold(recipe: Recipe, cache: Path) -> None:
    speech, noise = open_banks(cache, recipe.split)["train"]
    assert set(speech.clips["group"]) == {"toy/a", "toy/b"}
    assert len(noise) == 2
    root = Path(recipe.data.clean["toy"].root)
    for row in range(len(speech)):
        original, _ = sf.read(root / speech.clips["path"][row].removeprefix("toy/"), dtype="float32")
        assert np.abs(speech.clip(row) - original / np.abs(original).max()).max() < 1 / 32767


def test_no_speaker_and_no_noise_is_in_two_splits(recipe: Recipe, cache: Path) -> None:
    banks = open_banks(cache, recipe.split)
    for kind in (0, 1):
        groups = [set(bank[kind].clips["group"]) for bank in banks.values()]
        assert set.union(*groups) == set().union(*groups)
        assert sum(map(len, groups)) == len(set.union(*groups)) == 4


def test_shipped_params_hold_out_disjoint_sets() -> None:
    recipe = load_recipe(Path(__file__).resolve().parents[2] / "recipes" / "compact-denoiser" / "params.yaml")
    for kind in ("speakers", "noises"):
        assert not set(getattr(recipe.split.val, kind)) & set(getattr(recipe.split.test, kind))
    assert {"ravdess/01", "ravdess/11", "ravdess/20", "ravdess/21"} <= set(recipe.split.test.speakers)
    assert not any("shared" in source.root for source in (recipe.data.clean | recipe.data.noise).values())


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no audio files") as error:
        build_cache({"x": SourceParams(root=str(tmp_path), group="(.*)")}, tmp_path / "cache", "speech")
    assert one_line(error)


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="is not a folder; set data"):
        build_cache(
            {"x": SourceParams(root=str(tmp_path / "no"), group="(.*)")}, tmp_path / "cache", "speech"
        )


def test_path_without_group(recipe: Recipe, tmp_path: Path) -> None:
    source = recipe.data.clean["toy"].model_copy(update={"group": r"Speaker(\d+)"})
    with pytest.raises(CorpusError, match="does not match group"):
        build_cache({"toy": source}, tmp_path / "cache", "speech")


@pytest.mark.parametrize("content", [b"", b"not audio at all"])
def test_unreadable_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=r"bad\.wav") as error:
        decode(path)
    assert one_line(error)


def test_silent_file(tmp_path: Path) -> None:
    sf.write(tmp_path / "silent.wav", np.zeros(1000), 16_000)
    with pytest.raises(AudioError, match="silent"):
        decode(tmp_path / "silent.wav")


def test_other_rates_and_stereo_become_16_khz_mono(tmp_path: Path) -> None:
    sf.write(tmp_path / "x.wav", np.random.default_rng(0).uniform(-0.5, 0.5, (48_000, 2)), 48_000)
    decoded = decode(tmp_path / "x.wav")
    assert decoded.shape == (16_000,)
    assert np.abs(decoded).max() == 32767


@pytest.mark.parametrize(
    ("groups", "val", "test", "message"),
    [
        ({"a", "b"}, ("a",), ("b",), "too few speakers"),
        ({"a", "b", "c"}, ("a",), ("a",), "in split.val and in split.test"),
        ({"a", "b", "c"}, ("z",), ("a",), "no speaker 'z' in the data"),
        ({"a", "b", "c"}, ("a",), (), "no speaker held out"),
    ],
)
def test_impossible_splits(
    groups: set[str], val: tuple[str, ...], test: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SplitError, match=message) as error:
        split_groups(groups, val, test, "speaker")
    assert one_line(error)


def test_no_cache_yet(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="run the cache stage first"):
        open_banks(tmp_path, recipe.split)


def test_misspelt_param(tmp_path: Path, recipe: Recipe) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(recipe.model_dump_json().replace('"workers"', '"wrokers"'))
    with pytest.raises(ParamsError, match=r"train\.wrokers") as error:
        load_recipe(path)
    assert one_line(error)


def test_batch_is_a_function_of_its_seed(recipe: Recipe, cache: Path) -> None:
    mixer = Mixer(*open_banks(cache, recipe.split)["train"], recipe.mix)
    noisy, clean = mixer.batch(6, (1, 5))
    assert noisy.shape == clean.shape == (6, 8000)
    assert noisy.dtype == np.float32
    assert np.isfinite(noisy).all()
    assert np.array_equal(noisy, mixer.batch(6, (1, 5))[0])
    assert not np.array_equal(noisy, mixer.batch(6, (1, 6))[0])


def test_clean_examples_are_their_own_target(recipe: Recipe, cache: Path) -> None:
    mix = recipe.mix.model_copy(update={"clean_share": 1.0})
    noisy, clean = Mixer(*open_banks(cache, recipe.split)["train"], mix).batch(4, (0,))
    assert np.array_equal(noisy, clean)


def test_noise_avoids_digital_silence() -> None:
    import pandas as pd

    recording = np.zeros(100_000, np.int16)
    recording[:20_000] = 8_000
    clips = pd.DataFrame(
        [("n", "n", 0, 100_000, active_power(recording / np.float32(32767)))],
        columns=["group", "path", "start", "length", "power"],
    )
    rng = np.random.default_rng(0)
    pieces = [draw_noise(Bank(recording, clips), 16_000, rng, tries=50) for _ in range(10)]
    assert all(np.abs(piece).max() > 0 for piece in pieces)


def test_augmentations_keep_length_and_stay_finite() -> None:
    rng = np.random.default_rng(0)
    noise = synthetic_noise(8000, rng)
    assert noise.shape == equalise(noise, 6.0, rng).shape == (8000,)
    assert np.isfinite(noise).all()
    room = room_response(rng)
    assert room[0] == 1
    assert (room[1:30] == 0).all()
    assert np.sum(room[1:] ** 2) <= 1.0001
