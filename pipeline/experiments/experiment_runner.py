"""Run or queue several DVC experiments and read their results.

Every experiment runs in a temporary copy of the project (`dvc exp run --temp`), so the workspace and its params.yaml
do not change. The copy starts from the workspace's dvc.lock, so DVC restores its waveforms and features from the
cache, and the stages reuse rows by the hash of the audio: changing the fold denoises nothing again.

An experiment's name ends in a digest of its parameters, the code, the list of audio files and the checkpoint that it
starts from. If `dvc exp list` shows an experiment of that name, it is finished and is not run again.
"""

import hashlib
import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from featurize.errors import SerError, counted
from pipeline.experiments.project import absolute_paths, code_digest, require_project, run_dvc
from pipeline.params import Params, check_params, load_params
from pipeline.protocol.manifest_summary import ManifestSummary, read_summary
from pipeline.runs.evaluated_run import FILES, Run, read_folder
from pipeline.runs.initial_network import find_initial, sha256_of

log = logging.getLogger(__name__)

RESULTS = {"evaluate": "reports", "baseline": "reports/baseline"}
"""The last stage of an experiment, whose report is not needed, and the folder of its results."""
MANIFEST = Path("data") / "manifest.json"
CHECKPOINTS = Path("checkpoints")
SCORES = ("uar", "accuracy", "macro_f1", "val_uar")
"""The scores by which experiments are compared."""


Value = str | int | list[str]
"""Of a parameter."""


@dataclass(frozen=True)
class Experiment:
    """One DVC experiment: the parameters of params.yaml with some of them changed."""

    label: str
    """Such as "cv-fold2-seed0"; the start of its name."""
    overrides: Mapping[str, Value]
    """The changed parameters by their dotted names."""


def scores_of(run: Run) -> dict[str, float]:
    """The scores by which experiments are compared."""
    return {name: float(getattr(run.evaluation, name)) for name in SCORES}


class ExperimentRunner:
    """Runs experiments on the project in the working directory.

    Args:
        reports: results and logs are written to its folder experiments/.
        through: the last stage, evaluate or baseline.

    Raises:
        SerError: experiments cannot run here.
        ParamsError: params.yaml has a mistake.
    """

    def __init__(self, reports: Path, through: str = "evaluate") -> None:
        require_project()
        self.through = through
        self.folder = reports / "experiments"
        self.params = load_params("params.yaml")

    def check(self, experiments: Sequence[Experiment]) -> None:
        """Check the parameters of all experiments before the first one runs.

        Raises:
            ParamsError: an override is not a parameter, or its value is out of range.
        """
        for experiment in experiments:
            override(self.params, experiment.overrides)

    def prepare(self) -> ManifestSummary:
        """Bring the workspace up to date through its features with `dvc repro`, and return its manifest.json.

        With an encoder also through its frames, and with a baseline of openSMILE through its functionals.

        Raises:
            SerError: a stage fails.
        """
        stages = ["featurize"]
        stages += ["encode"] if self.params.encode.model != "none" else []
        stages += ["baseline"] if self.through == "baseline" and self.params.baseline.opensmile else []
        log.info(
            "dvc repro %s, so that experiments can reuse it (log: %s)",
            " ".join(stages),
            self._log("workspace"),
        )
        run_dvc(self._log("workspace"), "repro", *stages)
        return read_summary(MANIFEST)

    def run(self, experiments: Sequence[Experiment]) -> tuple[dict[str, Run], dict[str, str]]:
        """Run the experiments one after the other, skipping finished ones; after a failure, the others still run.

        Returns:
            By label: the runs, named as in `dvc exp show`, and the errors of those that failed.
        """
        names = self.names(experiments)
        finished = self._finished()
        runs, failures = {}, {}
        for number, experiment in enumerate(experiments, 1):
            name = names[experiment.label]
            taken_over = name in finished
            try:
                if not taken_over:
                    log.info("%d of %d: %s", number, len(experiments), name)
                    self._start(experiment, name, "--temp")
                run = runs[experiment.label] = self._read(name)
                log.info("%s: UAR %.3f%s", name, run.evaluation.uar, " (taken over)" * taken_over)
            except SerError as error:
                failures[experiment.label] = str(error)
                log.warning("%s failed: %s", name, error)
        return runs, failures

    def queue(self, experiments: Sequence[Experiment]) -> list[str]:
        """Queue the experiments that are neither finished nor in the queue, and return their names."""
        known = self._finished() | set(run_dvc(self._log("queue"), "queue", "status").split())
        queued = []
        names = self.names(experiments)
        for experiment in experiments:
            if (name := names[experiment.label]) not in known:
                self._start(experiment, name, "--queue")
                queued.append(name)
        return queued

    def queue_all(self, experiments: Sequence[Experiment], command: str) -> None:
        """Queue those that are missing, and say how to go on; `command` collects the results."""
        queued = self.queue(experiments)
        log.info(
            "%d of %s added to the queue; the others are queued or finished already",
            *(len(queued), counted(len(experiments), "experiment")),
        )
        log.info(
            "start them with `dvc queue start` (one worker), then collect the results with `%s`", command
        )

    def names(self, experiments: Sequence[Experiment]) -> dict[str, str]:
        """The name of each experiment in DVC, by label.

        Raises:
            ParamsError: an override is not a parameter, or its value is out of range.
            CheckpointError: there is no checkpoint to start from.
        """
        known = code_digest() + read_summary(MANIFEST).protocol.files_sha256
        names = {}
        for experiment in experiments:
            params = override(self.params, experiment.overrides)
            initial = sha256_of(find_initial(params.train.init, CHECKPOINTS)) if params.train.init else ""
            digest = hashlib.sha256(f"{known}{params.model_dump_json()}{initial}".encode()).hexdigest()
            names[experiment.label] = f"{experiment.label}-{digest[:7]}"
        return names

    def _start(self, experiment: Experiment, name: str, how: str) -> None:
        overrides = {**experiment.overrides, **absolute_paths(override(self.params, experiment.overrides))}
        options = [part for key, value in overrides.items() for part in ("-S", f"++{key}={_quoted(value)}")]
        run_dvc(
            self._log(name),
            "exp",
            "run",
            how,
            "--copy-paths",
            "dvc.lock",
            "--name",
            name,
            *options,
            self.through,
        )

    def _finished(self) -> set[str]:
        return set(run_dvc(self._log("list"), "exp", "list", "--name-only").split())

    def _read(self, name: str) -> Run:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in FILES:
            if not (folder / file).exists():
                where = "--rev", name, "--out", str(folder / file)
                run_dvc(self._log(f"{name}.get"), "get", ".", f"{RESULTS[self.through]}/{file}", *where)
        return read_folder(folder, name)

    def _log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"


def override(params: Params, overrides: Mapping[str, Value]) -> Params:
    """Parameters with some of them replaced, by their dotted names.

    Raises:
        ParamsError: there is no such parameter, or the value is out of range.
    """
    values = json.loads(params.model_dump_json())
    for name, value in overrides.items():
        *blocks, last = name.split(".")
        block = values
        for key in blocks:
            block = block.setdefault(key, {})
        block[last] = value
    return check_params(values, "experiment")


def _quoted(value: Value) -> str:
    """A value quoted for `-S`, which uses Hydra's grammar (where `++name` also adds a name that the file lacks)."""
    if isinstance(value, list):
        return f"[{','.join(map(_quoted, value))}]"
    if isinstance(value, int) or re.fullmatch(r"[\w./+-]+", value):
        return str(value)
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
