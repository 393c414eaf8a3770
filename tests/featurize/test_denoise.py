"""Denoisers: finding and checking weights, and equality with the network."""

import hashlib
import http.server
import pickle
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from denoiser import pretrained
from denoiser.demucs import Demucs
from denoiser.utils import serialize_model
from hypothesis import given, settings
from hypothesis import strategies as st

from featurize.audio import load_audio
from featurize.demucs.weights import PUBLISHED, Published
from featurize.denoise import (
    DenoiseParams,
    Denoiser,
    Streamed,
    denoise_clips,
    denoise_demucs,
    dns64,
    load_denoiser,
    method_for,
)
from featurize.errors import AudioError, WeightsError

DNS64_FILE = "dns64-a7761ff99a7d5bb6.th"
SMALL = {"hidden": 4, "depth": 3}


def small_demucs(**changes: object) -> Demucs:
    torch.manual_seed(0)
    return Demucs(**{**SMALL, **changes}).eval()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def dns64_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of DNS64's full architecture, randomly initialised, under the published name."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / DNS64_FILE
    torch.save(pretrained.dns64(pretrained=False).state_dict(), path)
    return path


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty torch hub cache: its checkpoints folder, which does not exist yet."""
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    dns64.cache_clear()
    yield tmp_path / "hub" / "checkpoints"
    dns64.cache_clear()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server on the loopback address, and the folder it serves."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}", folder
        httpd.shutdown()
        thread.join()


def publish(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Replace `dns64` by a small Demucs at this address."""
    monkeypatch.setitem(PUBLISHED, "dns64", Published(lambda pretrained: Demucs(**SMALL), url))


def failure(params: DenoiseParams) -> str:
    with pytest.raises(WeightsError) as caught:
        load_denoiser(params)
    message = str(caught.value)
    assert "\n" not in message
    return message


def run_together(clips: dict[Any, torch.Tensor], denoiser: Denoiser) -> dict[Any, torch.Tensor]:
    """Denoise clips together; the third value that comes with each says whether it is another tensor."""
    results = {key: (clean, changed) for key, clean, changed in denoise_clips(clips.items(), denoiser)}
    assert all(changed == (clean is not clips[key]) for key, (clean, changed) in results.items())
    return {key: clean for key, (clean, _) in results.items()}


# --- the published models


def test_the_published_files() -> None:
    found = {name: (model.file_name, model.sha256_prefix) for name, model in PUBLISHED.items()}
    assert found == {
        "dns64": (DNS64_FILE, "a7761ff99a7d5bb6"),
        "dns48": ("dns48-11decc9d8e3f0998.th", "11decc9d8e3f0998"),
        "master64": ("master64-8a5dfb4bb92753dd.th", "8a5dfb4bb92753dd"),
    }


def test_dns64_from_a_local_file(dns64_weights: Path) -> None:
    denoiser = load_denoiser(DenoiseParams(model="dns64", weights=str(dns64_weights)))
    assert (denoiser.name, denoiser.sha256) == ("dns64", sha256(dns64_weights))
    assert isinstance(denoiser.method, Streamed)
    module = denoiser.method.module
    assert not module.training
    assert sum(p.numel() for p in module.parameters()) == 33_533_569
    saved = torch.load(dns64_weights, weights_only=True)
    torch.testing.assert_close(module.state_dict(), saved, rtol=0, atol=0)

    noise = torch.randn(3000, generator=torch.Generator().manual_seed(0)) * 0.1
    with torch.no_grad():
        expected = module(noise[None])[0, 0]
    torch.testing.assert_close(denoise_demucs(noise, denoiser=denoiser), expected, rtol=0, atol=1e-6)


def test_dns64_from_the_hub_cache_must_be_the_published_file(dns64_weights: Path, hub: Path) -> None:
    hub.mkdir(parents=True)
    (hub / DNS64_FILE).symlink_to(dns64_weights)
    message = failure(DenoiseParams(model="dns64"))
    assert str(hub / DNS64_FILE) in message
    assert "a7761ff99a7d5bb6" in message


def test_from_the_hub_cache(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.mkdir(parents=True)
    torch.save(small_demucs().state_dict(), hub / "new")
    digest = sha256(hub / "new")
    path = (hub / "new").rename(hub / f"dns64-{digest[:16]}.th")
    publish(monkeypatch, f"http://127.0.0.1:1/{path.name}")
    assert load_denoiser(DenoiseParams(model="dns64")).sha256 == digest

    noise = torch.randn(2000)
    expected = denoise_demucs(noise, denoiser=load_denoiser(DenoiseParams(model="dns64")))
    torch.testing.assert_close(denoise_demucs(noise), expected, rtol=0, atol=1e-6)
    assert dns64("cpu") is dns64("cpu")


def test_download(hub: Path, server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    url, folder = server
    torch.save(small_demucs().state_dict(), folder / "new")
    digest = sha256(folder / "new")
    name = (folder / "new").rename(folder / f"dns64-{digest[:16]}.th").name
    publish(monkeypatch, f"{url}/{name}")
    denoiser = load_denoiser(DenoiseParams(model="dns64"))
    assert denoiser.sha256 == digest
    assert [path.name for path in hub.iterdir()] == [name]
    (folder / name).unlink()
    assert load_denoiser(DenoiseParams(model="dns64")).sha256 == digest  # from the cache


@pytest.mark.parametrize("fault", ["another file", "not found", "refused"])
def test_download_that_fails(
    hub: Path, server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    url, folder = server
    if fault == "another file":
        torch.save(small_demucs().state_dict(), folder / DNS64_FILE)
    if fault == "refused":
        url = "http://127.0.0.1:1"
    publish(monkeypatch, f"{url}/{DNS64_FILE}")
    message = failure(DenoiseParams(model="dns64"))
    for part in (DNS64_FILE, str(hub), url, "denoise.weights", "dns48", "master64", "none"):
        assert part in message
    assert {"another file": "hash", "not found": "404", "refused": "refused"}[fault] in message
    assert list(hub.iterdir()) == []


# --- local files


def test_weights_of_another_network(tmp_path: Path) -> None:
    path = tmp_path / "small.th"
    torch.save(small_demucs().state_dict(), path)
    assert "do not fit" in failure(DenoiseParams(model="dns48", weights=str(path)))


def test_missing_weights(tmp_path: Path) -> None:
    message = failure(DenoiseParams(model="dns64", weights=str(tmp_path / "nowhere.th")))
    assert "nowhere.th" in message
    assert "denoise.weights" in message
    message = failure(DenoiseParams(model="dns46"))
    assert "dns46" in message
    assert "none, compact, dns64, dns48, master64, noisereduce" in message


class Evil:
    """An object that runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("pwned"),)  # type: ignore[return-value]


def test_nothing_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state": small_demucs().state_dict(), "kwargs": Evil()}, tmp_path / "evil.th")
    assert "tensors and plain types" in failure(DenoiseParams(model=str(tmp_path / "evil.th")))
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(Evil()))
    assert "tensors and plain types" in failure(DenoiseParams(model=str(tmp_path / "evil.pkl")))
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "plain types"),
        (b"<html>404</html>", "plain types"),
        ([1, 2], "holds a list"),
        ({}, "no state_dict"),
        ({"state": {"a": 1}}, "no state_dict"),
        ({"weight": torch.zeros(3)}, "do not fit"),
        ({"state": small_demucs().state_dict(), "kwargs": {"hidden": 5, "depth": 3}}, "do not fit"),
        ({"state": small_demucs().state_dict(), "kwargs": {"colour": 5}}, "do not fit"),
        ({"state": small_demucs().state_dict(), "kwargs": {**SMALL, "sample_rate": 44_100}}, "44100 Hz"),
        ({"encoder.0.0.weight": torch.full((4, 1, 8), torch.nan)}, "NaN"),
        ({"encoder.x.0.weight": torch.zeros(4, 1, 8)}, "do not fit"),
        (small_demucs(chin=2, chout=2).state_dict(), "2 to 2 channels"),
    ],
)
def test_checkpoints_that_are_refused(tmp_path: Path, content: object, says: str) -> None:
    path = tmp_path / "checkpoint.th"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    message = failure(DenoiseParams(model=str(path)))
    assert says in message
    assert str(path) in message


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"depth": 1},
        {"causal": False},
        {"glu": False},
        {"growth": 1.5},
        {"max_hidden": 8},
        {"kernel_size": 4},
    ],
)
def test_the_architecture_is_inferred_from_a_state_dict(tmp_path: Path, changes: dict[str, object]) -> None:
    demucs = small_demucs(**changes)
    torch.save(demucs.state_dict(), tmp_path / "plain.th")
    denoiser = load_denoiser(DenoiseParams(model=str(tmp_path / "plain.th")))
    assert denoiser.name == "plain.th"
    noise = torch.randn(1500)
    with torch.no_grad():
        expected = demucs(noise[None])[0, 0]
    torch.testing.assert_close(denoise_demucs(noise, denoiser=denoiser), expected, rtol=0, atol=1e-6)


def test_checkpoints_with_their_architecture(tmp_path: Path) -> None:
    demucs = small_demucs(stride=2, resample=2)
    kwargs = {**SMALL, "stride": 2, "resample": 2}
    state = demucs.state_dict()
    noise = torch.randn(1500)
    with torch.no_grad():
        expected = demucs(noise[None])[0, 0]
    for package in (
        {"state": state, "kwargs": kwargs},
        {"model": state, "args": kwargs},
        serialize_model(demucs),
    ):
        torch.save(package, tmp_path / "best.th")
        denoiser = load_denoiser(DenoiseParams(model=str(tmp_path / "best.th")))
        torch.testing.assert_close(denoise_demucs(noise, denoiser=denoiser), expected, rtol=0, atol=1e-6)


# --- running it


@settings(deadline=None, max_examples=40)
@given(num_samples=st.integers(1, 2000), peak=st.sampled_from([1e-30, 1e-4, 1.0]))
def test_any_length(num_samples: int, peak: float) -> None:
    denoiser = Denoiser("small", "", method_for(small_demucs()))
    clean = denoise_demucs(torch.randn(num_samples) * peak, denoiser=denoiser)
    assert clean.shape == (num_samples,)
    assert clean.dtype == torch.float32
    assert torch.isfinite(clean).all()
    assert not clean.is_inference()


def test_none_returns_the_waveform() -> None:
    denoiser = load_denoiser(DenoiseParams(model="none"))
    assert (denoiser.name, denoiser.sha256) == ("none", "")
    clips = {length: torch.randn(length) for length in (1, 10)}
    assert all(denoise_demucs(clip, denoiser=denoiser) is clip for clip in clips.values())
    assert run_together(clips, denoiser) == clips


def test_clips_that_all_bypass_the_denoiser_are_read_one_at_a_time() -> None:
    taken: list[int] = []
    clips = ((index, taken.append(index) or torch.randn(10)) for index in range(5))  # type: ignore[func-returns-value]
    next(denoise_clips(clips, load_denoiser(DenoiseParams(model="compact", dry=1.0))))
    assert taken == [0]


def test_no_gradients() -> None:
    demucs = small_demucs()
    clean = denoise_demucs(torch.randn(500), denoiser=Denoiser("small", "", method_for(demucs)))
    assert not clean.requires_grad


def test_overflow_is_an_audio_error() -> None:
    demucs = small_demucs()
    with torch.no_grad():
        for parameter in demucs.parameters():
            parameter.fill_(1e30)
    with pytest.raises(AudioError) as caught:
        denoise_demucs(torch.randn(500), denoiser=Denoiser("wild", "", method_for(demucs)))
    assert caught.value.reason == "non-finite"


def test_a_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="num_samples"):
        denoise_demucs(torch.zeros(2, 100), denoiser=load_denoiser(DenoiseParams(model="none")))


def test_params() -> None:
    assert DenoiseParams() == DenoiseParams(model="compact", dry=0.0, gate_snr_db=None)
    for mistake in (
        {"model": ""},
        {"dry": -0.1},
        {"dry": 1.1},
        {"dry": float("nan")},
        {"gate_snr_db": float("inf")},
    ):
        with pytest.raises(ValueError, match=next(iter(mistake))):
            DenoiseParams(**mistake)


@pytest.mark.parametrize("shape", [SMALL, {**SMALL, "causal": False}], ids=["streamed", "one by one"])
def test_batched_clips_equal_single_clips(shape: dict[str, Any]) -> None:
    torch.manual_seed(0)
    denoiser = Denoiser("any", "", method_for(Demucs(**shape).eval()), edge=7)
    clips = {length: torch.randn(length) * 0.1 for length in (1, 2, 500, 3_000)}
    together = run_together(clips, denoiser)
    assert together.keys() == clips.keys()
    for key, clip in clips.items():
        torch.testing.assert_close(together[key], denoise_demucs(clip, denoiser=denoiser), atol=1e-6, rtol=0)


@pytest.mark.parametrize("shape", [SMALL, {**SMALL, "causal": False}], ids=["streamed", "one by one"])
@pytest.mark.parametrize("dry", [0.25, 1.0])
def test_the_dry_share_is_mixed_in_single_and_batched_clips(shape: dict[str, Any], dry: float) -> None:
    torch.manual_seed(0)
    wet = Denoiser("any", "", method_for(Demucs(**shape).eval()))
    denoiser = replace(wet, dry=dry)
    clips = {length: torch.randn(length) * 0.1 for length in (1, 500, 3_000)}
    together = run_together(clips, denoiser)
    for key, clip in clips.items():
        mixed = denoise_demucs(clip, denoiser=denoiser)
        expected = dry * clip + (1 - dry) * denoise_demucs(clip, denoiser=wet)
        torch.testing.assert_close(mixed, expected, atol=1e-6, rtol=0)
        torch.testing.assert_close(together[key], mixed, atol=1e-6, rtol=0)
        assert not mixed.is_inference()


def alternating(num_samples: int, snr_db: float) -> torch.Tensor:
    """Bursts of noise over steady noise, so many dB below them."""
    noise = torch.randn(2, num_samples, generator=torch.Generator().manual_seed(num_samples))
    bursts = noise[0] * (torch.arange(num_samples) // 1_600 % 2)
    return bursts * 0.1 + noise[1] * 0.1 * 10 ** (-snr_db / 20)


@pytest.mark.parametrize("shape", [SMALL, {**SMALL, "causal": False}], ids=["streamed", "one by one"])
def test_clips_that_bypass_the_denoiser_are_unchanged(shape: dict[str, Any]) -> None:
    torch.manual_seed(0)
    wet = Denoiser("any", "", method_for(Demucs(**shape).eval()))
    denoiser = replace(wet, gate_snr_db=20.0)
    # In every order, also all past the gate or none; the short one has too few frames to be judged: denoised.
    clean = {f"clean {n}": alternating(n, 40) for n in (16_000, 9_000)}
    noisy = {"noisy": alternating(12_000, 3), "short": alternating(2_000, 40)}
    for clips in ({**clean, **noisy}, {**noisy, **clean}, clean, noisy):
        together = run_together(clips, denoiser)
        assert together.keys() == clips.keys()
        for key, clip in clips.items():
            alone = denoise_demucs(clip, denoiser=denoiser)
            assert (together[key] is clip) == (alone is clip) == denoiser.bypasses(clip) == (key in clean)
            torch.testing.assert_close(together[key], alone, atol=1e-6, rtol=0)
            if key in noisy:
                torch.testing.assert_close(alone, denoise_demucs(clip, denoiser=wet), atol=0, rtol=0)


def test_a_clip_that_overflows_does_not_affect_its_neighbours() -> None:
    torch.manual_seed(0)
    denoiser = Denoiser("any", "", method_for(Demucs(**SMALL).eval()))
    good = torch.randn(3_000)
    overflowing = torch.full((2_000,), 3e38)
    alone = run_together({"good": good}, denoiser)
    together = run_together({"bad": overflowing, "good": good, "more": good}, denoiser)
    assert not torch.isfinite(together["bad"]).all()
    assert torch.equal(together["good"], alone["good"])
    assert torch.equal(together["more"], alone["good"])


def test_the_built_in_denoiser_needs_no_download_and_improves_snr(ravdess_clips: list[Path]) -> None:
    from featurize.audio import load_audio

    denoiser = load_denoiser(DenoiseParams(model="compact"))
    assert denoiser.name == "compact"
    assert "ravdess/02" in denoiser.trained_on
    assert "ravdess/01" not in denoiser.trained_on  # an actor of the first test fold
    trained_on = {speaker.removeprefix("ravdess/") for speaker in denoiser.trained_on}
    path = next(path for path in ravdess_clips if path.stem[-2:] not in trained_on)
    clean = load_audio(path)
    power = clean.square().mean()
    noisy = clean + torch.randn(len(clean), generator=torch.Generator().manual_seed(0)) * (power / 10).sqrt()

    def si_sdr_db(estimate: torch.Tensor) -> float:
        target = clean * (estimate @ clean) / (clean @ clean)
        return float(10 * torch.log10(target.square().sum() / (estimate - target).square().sum()))

    assert si_sdr_db(denoise_demucs(noisy, denoiser=denoiser)) > si_sdr_db(noisy) + 3
    assert si_sdr_db(denoise_demucs(clean, denoiser=denoiser)) > 20


def test_the_built_in_denoiser_pads_clips_with_silence(ravdess_clips: list[Path]) -> None:
    from featurize.audio import load_audio

    denoiser = load_denoiser(DenoiseParams(model="compact"))
    assert denoiser.edge == 128
    clip = load_audio(ravdess_clips[0])[16_000:32_000]  # begins and ends in the middle of speech
    clean = denoise_demucs(clip, denoiser=denoiser)
    torch.testing.assert_close(run_together({0: clip}, denoiser)[0], clean, atol=1e-5, rtol=0)
    assert len(clean) == len(clip)
    assert (clean - clip)[:128].abs().max() < 0.1


def test_the_built_in_weights_are_refused_when_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from featurize.demucs import weights

    content = weights.COMPACT.read_bytes()
    damaged = tmp_path / "compact.safetensors"
    damaged.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    monkeypatch.setattr(weights, "COMPACT", damaged)
    with pytest.raises(WeightsError, match=r"compact\.safetensors: damaged"):
        load_denoiser(DenoiseParams(model="compact"))


@pytest.mark.parametrize("content", [b"", b"not tensors", b"\xff" * 64])
def test_a_foreign_safetensors_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"other\.safetensors: damaged, or not a safetensors"):
        load_denoiser(DenoiseParams(model=str(path)))


def test_the_error_of_bf16_is_40_db_below_the_speech(ravdess_clips: list[Path]) -> None:
    speech = load_audio(ravdess_clips[0])
    exact, half = (
        denoise_demucs(speech, denoiser=load_denoiser(DenoiseParams(model="compact", precision=precision)))
        for precision in ("fp32", "bf16")
    )
    assert 0 < (exact - half).square().sum() < 1e-4 * exact.square().sum()


def test_networks_that_are_not_streamed_run_in_fp32_only(tmp_path: Path) -> None:
    kwargs = {"hidden": 2, "causal": False}
    torch.save({"state": Demucs(**kwargs).state_dict(), "kwargs": kwargs}, tmp_path / "a.th")
    with pytest.raises(WeightsError, match=r"set denoise\.precision to fp32"):
        load_denoiser(DenoiseParams(model=str(tmp_path / "a.th"), precision="bf16"))
