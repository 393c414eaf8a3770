"""Run commands up to the call of the function that does the work."""

import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from featurize.errors import SerError
from pipeline.cli import main
from pipeline.params import Params, load_params

# No block stands at its default, so that one that is not passed on shows.
PARAMS = """
corpus: {name: ravdess, root: elsewhere, max_reject_fraction: 0.25, channel: left, min_clip_s: 0.5}
labels: {set: native}
split: {seed: 7}
audit: {fingerprint: false}
denoise: {model: none}
vad: {method: none}
mfcc: {n_mfcc: 13}
augment: {copies: 5}
encode: {frame_pooling: 1}
network: {lstm_hidden: 32}
train: {epochs: 3, seed: 4}
baseline: {classifier: svm}
"""

Reached = Callable[..., dict[str, Any]]


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Params:
    """Parameters in params.yaml of the working directory."""
    monkeypatch.chdir(tmp_path)
    for variable in ("SER_DEVICE", "SER_ENGINE", "SER_WORKERS"):
        monkeypatch.delenv(variable, raising=False)
    Path("params.yaml").write_text(PARAMS)
    return load_params(Path("params.yaml"))


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch, params: Params) -> Reached:
    """What a command line ends in: the arguments, by name, of the function that does the work, which is not run."""

    def run(function: str, *arguments: str) -> dict[str, Any]:
        module, name = function.rsplit(".", 1)
        original = getattr(import_module(module), name)
        signature = inspect.signature(original)
        calls: list[dict[str, Any]] = []

        def record(*values: Any, **named: Any) -> None:
            bound = signature.bind(*values, **named)
            bound.apply_defaults()
            calls.append(bound.arguments)
            raise SerError("reached")

        monkeypatch.setattr(f"{module}.{name}", record)
        with pytest.raises(SystemExit):
            main(list(arguments))
        (call,) = calls
        return call

    return run
