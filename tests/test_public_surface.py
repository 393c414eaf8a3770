"""What `featurize` and `model` offer to other programs: these names, with these signatures, on a light import."""

import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import featurize
import model

ROOT = Path(__file__).resolve().parent.parent
FEATURIZE = {
    "denoise_demucs": (
        "(waveform: torch.Tensor, device: str | torch.device = 'cpu',"
        " denoiser: featurize.denoise.Denoiser | None = None) -> torch.Tensor"
    ),
    "load_audio": (
        "(path: str | pathlib.Path, sample_rate: int = 16000, start_s: float = 0.0, end_s: float | None = None,"
        " params: featurize.audio.LoadParams | None = None,"
        " on_source: collections.abc.Callable[[featurize.audio.SourceChannel], None] | None = None,"
        " name: str | pathlib.Path | None = None,"
        " track_file: collections.abc.Callable[[int], pathlib.Path] | None = None) -> torch.Tensor"
    ),
    "mfcc_40": (
        "(waveform: torch.Tensor, n_mfcc: int | None = None,"
        " params: featurize.mfcc.MfccParams | None = None) -> torch.Tensor"
    ),
    "tier0_to_mfcc": "(path: str | pathlib.Path, device: str = 'cpu', n_mfcc: int = 40) -> torch.Tensor",
    "vad_silero_keep_speech": (
        "(waveform: torch.Tensor, vad: featurize.vad_network.SileroVad | None = None,"
        " params: featurize.vad.VadParams | None = None) -> torch.Tensor"
    ),
}
MODEL = {
    "NetworkParams": None,  # its fields are those of the block `network` of params.yaml
    "SERTier1": "(n_mfcc: int, num_classes: int, params: model.network.tier1.NetworkParams | None = None,"
    " encoding: tuple[int, int] | None = None, *, no_agreement: bool = False) -> None",
    "load_checkpoint": (
        "(path: str | pathlib.Path, device: str | torch.device = 'cpu')"
        " -> tuple[model.network.tier1.SERTier1, dict[str, typing.Any]]"
    ),
}


@pytest.mark.parametrize(("package", "surface"), [(featurize, FEATURIZE), (model, MODEL)])
def test_the_public_names_and_their_signatures(package: ModuleType, surface: dict[str, str | None]) -> None:
    assert package.__all__ == list(surface)
    assert set(surface) <= set(dir(package))
    for name, signature in surface.items():
        if signature is not None:
            assert str(inspect.signature(getattr(package, name))) == signature
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = package.no_such_name


def test_importing_the_packages_loads_nothing_heavy() -> None:
    code = (
        "import sys, featurize, model;"
        "print(*[name for name in ('torch', 'numpy', 'pydantic', 'featurize.audio') if name in sys.modules]);"
        "from featurize import load_audio; from model import SERTier1; print(load_audio.__name__, SERTier1.__name__)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines() == ["", "load_audio SERTier1"]


@pytest.mark.parametrize("package", ["featurize", "model", "pipeline"])
def test_the_packages_are_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
    assert '"py.typed"' in (ROOT / "pyproject.toml").read_text().split("[tool.setuptools.package-data]")[1]
