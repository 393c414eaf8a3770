"""The parameters of the baseline, and what is chosen from them; params.yaml holds the defaults under `baseline`."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from model.network.normalisation import Group
from model.views import View

OpensmileSet = Literal["egemaps", "compare"]
"""Functionals of openSMILE over whole clips."""
OPENSMILE: dict[OpensmileSet, str] = {"egemaps": "eGeMAPSv02", "compare": "ComParE_2016"}
"""View → openSMILE's name of the set."""
BaselineView = View | OpensmileSet
Functional = Literal["mean", "std", "percentiles", "slope"]
Classifier = Literal["logistic", "svm"]
Penalty = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class BaselineParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """Parameters of the baseline."""

    view: BaselineView = "mfcc"
    """mfcc | encoder | egemaps | compare: by openSMILE, for non-commercial use only."""
    neighbours: int = Field(4, ge=1, le=100)
    """With view encoder: most neighbouring hidden states that are averaged; 1: each alone."""
    functionals: Annotated[tuple[Functional, ...], Field(min_length=1)] = ("mean", "std")
    """Over time, of each value of a frame: mean | std | percentiles (5, 25, 50, 75, 95) | slope."""
    classifier: Classifier = "logistic"
    """logistic: logistic regression | svm: a linear support vector machine."""
    penalties: Annotated[tuple[Penalty, ...], Field(min_length=1)] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    """Values of C, the inverse of the penalty; validation chooses one."""
    normalisation: Literal["global"] | Group = "global"
    """global | speaker, corpus: minus the mean of its clips; transductive, stamped so."""

    @property
    def opensmile(self) -> OpensmileSet | None:
        """The view, if it is one of openSMILE."""
        match self.view:
            case "egemaps" | "compare":
                return self.view
            case _:
                return None

    @property
    def frames(self) -> View:
        """The view of frames, or, with one of openSMILE, the one that lists the clips."""
        return "encoder" if self.view == "encoder" else "mfcc"


@dataclass(frozen=True)
class Choice:
    """What the validation split chose."""

    states: tuple[int, ...]
    """Hidden states whose functionals are averaged; empty without the view "encoder"."""
    penalty: float
    """C."""
