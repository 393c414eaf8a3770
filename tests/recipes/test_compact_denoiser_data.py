"""The recipe's cache, its splits and its mixtures."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import yaml

from featurize.errors import AudioError, CorpusError, ParamsError, SerError, SplitError
from featurize.snr import active_power
from recipes.compact_denoiser.data import build_cache, open_banks, split_groups
from recipes.compact_denoiser.mixing import Mixer, draw_noise, equalise, room_response, synthetic_noise
from recipes.compact_denoiser.params import Recipe, SourceParams, load_recipe

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "compact_denoiser"


def one_line(error: pytest.ExceptionInfo[SerError]) -> bool:
    return len(str(error.value).splitlines()) == 1


def test_cache_holds_what_the_files_hold(recipe: Recipe, cache: Path) -> None:
    speech, noise = open_banks(cache, recipe.split)["train"]
    assert set(speech.clips["group"]) == {"toy/a", "toy/b"}
    assert len(noise) == 2
    root = Path(recipe.data.clean["toy"].root)
    for row in range(len(speech)):
        original, _ = sf.read(root / speech.clips["path"][row].removeprefix("toy/"), dtype="float32")
        original = original - original.mean()  # as load_audio does
        assert np.abs(speech.clip(row) - original / np.abs(original).max()).max() < 1 / 32767


def test_no_speaker_and_no_noise_is_in_two_splits(recipe: Recipe, cache: Path) -> None:
    banks = open_banks(cache, recipe.split)
    for kind in (0, 1):
        groups = [set(bank[kind].clips["group"]) for bank in banks.values()]
        assert set.union(*groups) == set().union(*groups)
        assert sum(map(len, groups)) == len(set.union(*groups)) == 4


def test_shipped_params_hold_out_disjoint_sets() -> None:
    recipe = load_recipe(RECIPE / "params.yaml")
    for kind in ("speakers", "noises"):
        assert not set(getattr(recipe.split.val, kind)) & set(getattr(recipe.split.test, kind))
    assert {"ravdess/01", "ravdess/11", "ravdess/20", "ravdess/21"} <= set(recipe.split.test.speakers)
    assert not any("shared" in source.root for source in (recipe.data.clean | recipe.data.noise).values())


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no audio file in") as error:
        build_cache({"x": SourceParams(root=str(tmp_path), group="(.*)")}, tmp_path / "cache", "speech")
    assert one_line(error)


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"data.*root: .* does not exist; set it"):
        build_cache(
            {"x": SourceParams(root=str(tmp_path / "no"), group="(.*)")}, tmp_path / "cache", "speech"
        )


def test_path_without_group(recipe: Recipe, tmp_path: Path) -> None:
    source = recipe.data.clean["toy"].model_copy(update={"group": r"Speaker(\d+)"})
    with pytest.raises(CorpusError, match="does not match group"):
        build_cache({"toy": source}, tmp_path / "cache", "speech")


@pytest.mark.parametrize("content", [b"", b"not audio at all"])
def test_unreadable_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.wav").write_bytes(content)
    source = SourceParams(root=str(tmp_path), group=r"(\w+)\.wav")
    with pytest.raises(AudioError, match=r"bad\.wav") as error:
        build_cache({"x": source}, tmp_path / "cache", "speech")
    assert one_line(error)


def test_other_rates_and_stereo_become_16_khz_mono_at_full_scale(tmp_path: Path) -> None:
    sf.write(tmp_path / "x.wav", np.random.default_rng(0).uniform(-0.5, 0.5, (48_000, 2)), 48_000)
    source = SourceParams(root=str(tmp_path), group=r"(\w+)\.wav")
    index = build_cache({"x": source}, tmp_path / "cache", "speech")
    assert index["length"].tolist() == [16_000]
    decoded = np.load(tmp_path / "cache" / "speech.npy")
    assert decoded.shape == (16_000,)
    assert np.abs(decoded).max() == 32_767
    assert index["power"][0] == pytest.approx(active_power(decoded / np.float32(32_767)), rel=1e-4)


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


def test_a_stage_runs_as_dvc_calls_it(tmp_path: Path) -> None:
    stages = yaml.safe_load((RECIPE / "dvc.yaml").read_text())["stages"]
    command = stages["cache"]["cmd"].replace("python", sys.executable, 1)
    ended = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: params.yaml")
    assert len(ended.stderr.splitlines()) == 1


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


def test_noise_is_of_the_requested_class_and_not_a_pause(recipe: Recipe, cache: Path) -> None:
    _, noise = open_banks(cache, recipe.split)["train"]
    rng = np.random.default_rng(0)
    for group, rows in enumerate(noise.rows_by_group):
        (row,) = rows  # one recording each, shorter than what is drawn: it repeats
        piece = draw_noise(noise, 40_000, rng, group)
        assert piece.shape == (40_000,)
        assert np.mean(piece**2) == pytest.approx(noise.power[row], rel=0.05)
        np.testing.assert_array_equal(piece[:10_000], piece[16_000:26_000])
        assert np.isin(piece[:100], noise.clip(row)).all()


def test_augmentations_keep_length_and_stay_finite() -> None:
    rng = np.random.default_rng(0)
    noise = synthetic_noise(8000, rng)
    assert noise.shape == equalise(noise, 6.0, rng).shape == (8000,)
    assert np.isfinite(noise).all()
    room = room_response(rng)
    assert room[0] == 1
    assert (room[1:30] == 0).all()
    assert np.sum(room[1:] ** 2) <= 1.0001
