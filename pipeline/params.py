"""params.yaml as one typed, frozen model; unknown keys are errors."""

import difflib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from ruamel.yaml import YAML

from featurize.augment import AugmentParams
from featurize.denoise import DenoiseParams
from featurize.encoders.encoder import EncodeParams
from featurize.errors import ParamsError
from featurize.mfcc import MfccParams
from featurize.tier0 import Tier0Params
from featurize.vad import VadParams
from model.baseline.baseline_params import BaselineParams
from model.network.tier1 import NetworkParams
from model.training.hyperparameters import TrainParams
from pipeline.audit.audit_params import AuditParams
from pipeline.corpora import CorpusParams
from pipeline.protocol.labels import LabelParams
from pipeline.protocol.split_params import SplitParams


class Params(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """All of params.yaml. Each parameter is described under its field, in the model of its block."""

    corpus: CorpusParams = Field(default_factory=CorpusParams)
    """Which recordings to work on."""
    labels: LabelParams = Field(default_factory=LabelParams)
    """Which classes to learn."""
    split: SplitParams = Field(default_factory=SplitParams)
    """How clips are divided into train, val and test."""
    audit: AuditParams = Field(default_factory=AuditParams)
    """Search for leaks between the splits."""
    denoise: DenoiseParams = Field(default_factory=DenoiseParams)
    """The denoiser, the costly step."""
    vad: VadParams = Field(default_factory=VadParams)
    """Voice activity detection: which parts of a clip are speech."""
    mfcc: MfccParams = Field(default_factory=MfccParams)
    """The coefficients, at 16 kHz."""
    augment: AugmentParams = Field(default_factory=AugmentParams)
    """Altered copies of the training clips, beside the originals."""
    encode: EncodeParams = Field(default_factory=EncodeParams)
    """Frames of a frozen, pre-trained encoder, over whole clips."""
    network: NetworkParams = Field(default_factory=NetworkParams)
    """Size and variant of the network."""
    train: TrainParams = Field(default_factory=TrainParams)
    """Training."""
    baseline: BaselineParams = Field(default_factory=BaselineParams)
    """A linear classifier, which the network has to be better than."""

    @property
    def tier0(self) -> Tier0Params:
        """The settings of Tier 0 alone."""
        return Tier0Params(load=self.corpus.load, denoise=self.denoise, vad=self.vad, mfcc=self.mfcc)


def load_params(path: str | Path = "params.yaml") -> Params:
    """Read and check a params file; missing keys have their defaults.

    Raises:
        ParamsError: the file is missing or not YAML, a key is unknown (the nearest known one is named),
            or a value has the wrong type or is out of range.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ParamsError(
            f"{path}: does not exist; run from the project's root, or name the file with --params"
        ) from error
    except UnicodeDecodeError as error:
        raise ParamsError(f"{path}: not UTF-8 text: {error}; save it as UTF-8") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        raise ParamsError(f"{path}: cannot be read ({getattr(error, 'strerror', error)})") from error
    try:
        values = YAML(typ="safe", pure=True).load(text)
    except (
        Exception
    ) as error:  # besides its own errors, the parser raises what dates, numbers and depth cause
        raise ParamsError(f"{path}: not YAML: {' '.join(str(error).split())[:300]}") from error
    return check_params(values or {}, str(path))


def check_params(values: Any, source: str) -> Params:
    """Check plain values as if read from a params file; `source` is their name in error messages.

    Raises:
        ParamsError: a key is unknown (the nearest one is named), or a value has the wrong type or is out of range.
    """
    try:
        text = json.dumps(values, default=str)
    except (TypeError, ValueError, RecursionError) as error:
        raise ParamsError(f"{source}: not plain values: {error}") from error
    try:
        # In JSON mode, `strict` checks numbers and booleans, but still accepts a list for a tuple.
        return Params.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise ParamsError(
            "; ".join(f"{source}: {_explain(details)}" for details in error.errors())
        ) from error


def _explain(details: Any) -> str:
    """One of pydantic's errors as a sentence."""
    keys = [str(key) for key in details["loc"]]
    name = ".".join(keys)
    if details["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, known_names(), n=1, cutoff=0.4)
        return f"{name} is not a parameter" + (f"; did you mean {near[0]}?" if near else "")
    message = details["msg"].removeprefix("Value error, ")
    value = repr(details["input"])
    value = value if len(value) <= 200 else f"{value[:200]}…"
    return f"{name or 'the file'} = {value}: {message[0].lower()}{message[1:]}"


def known_names(model: type[BaseModel] = Params, prefix: str = "") -> list[str]:
    """Dotted names of all parameters, blocks included."""
    names = []
    for key, field in model.model_fields.items():
        names.append(f"{prefix}{key}")
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            names += known_names(field.annotation, f"{prefix}{key}.")
    return names
