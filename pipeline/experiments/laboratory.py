"""Several DVC experiments as one: run or queued, found again, and read back.

Every experiment runs in a temporary copy of the project (`dvc exp run --temp`), so the workspace, its params.yaml
included, stays as it is. The copy starts with the workspace's dvc.lock, hence with its waveforms and features out of
DVC's cache, and the stages take over what they find by the hash of the audio: a fold denoises nothing anew.

An experiment's name ends in a digest of all its parameters, the code and the list of audio files. One that stands
in `dvc exp show` under its name is finished and is not run again.
"""

import hashlib
import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from featurize.errors import SerError
from pipeline.experiments.project import absolute_paths, code_digest, require_project, run_dvc
from pipeline.params import Params, check_params, load_params
from pipeline.protocol.manifest_summary import ManifestSummary, read_summary
from pipeline.runs.evaluated_run import FILES, Run, read_folder

log = logging.getLogger(__name__)

UP_TO = "featurize"
"""The workspace is brought up to date to this stage before any experiment."""
THROUGH = "evaluate"
"""The last stage of an experiment: scores are compared, pages are not."""
MANIFEST = Path("data") / "manifest.json"
SCORES = ("uar", "accuracy", "macro_f1", "val_uar")


@dataclass(frozen=True)
class Experiment:
    """A label such as "cv-fold2-seed0", and the parameters in which it differs, by their dotted names."""

    label: str
    overrides: Mapping[str, str | int]


def scores_of(run: Run) -> dict[str, float]:
    """The numbers that experiments are compared by."""
    return {name: float(getattr(run.evaluation, name)) for name in SCORES}


class Laboratory:
    """Runs experiments on the project in the working directory.

    Args:
        reports: results and logs go to its folder experiments/.

    Raises:
        SerError: experiments cannot run here.
        ParamsError: params.yaml has a mistake.
    """

    def __init__(self, reports: Path) -> None:
        require_project()
        self.folder = reports / "experiments"
        self.params = load_params("params.yaml")

    def check(self, experiments: Sequence[Experiment]) -> None:
        """Check the parameters of all experiments, before anything runs.

        Raises:
            ParamsError: an override is no parameter, or its value is out of range.
        """
        for experiment in experiments:
            override(self.params, experiment.overrides)

    def prepare(self) -> ManifestSummary:
        """Bring the workspace up to date as far as its features, as `dvc repro` does, and give its manifest.json.

        Raises:
            SerError: a stage fails.
        """
        log.info("dvc repro %s, so that experiments find it done (log: %s)", UP_TO, self._log("workspace"))
        run_dvc(self._log("workspace"), "repro", UP_TO)
        return read_summary(MANIFEST)

    def run(self, experiments: Sequence[Experiment]) -> tuple[dict[str, Run], dict[str, str]]:
        """Run experiments one after the other, save those that are finished; one that fails stops no other.

        Returns:
            By label: the runs, named as in `dvc exp show`, and why the others failed.
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
        """Queue the experiments that are neither finished nor in the queue, and give their names."""
        known = self._finished() | set(run_dvc(self._log("queue"), "queue", "status").split())
        queued = []
        names = self.names(experiments)
        for experiment in experiments:
            if (name := names[experiment.label]) not in known:
                self._start(experiment, name, "--queue")
                queued.append(name)
        return queued

    def names(self, experiments: Sequence[Experiment]) -> dict[str, str]:
        """What DVC calls each experiment, by label.

        Raises:
            ParamsError: an override is no parameter, or its value is out of range.
        """
        known = code_digest() + read_summary(MANIFEST).protocol.files_sha256
        names = {}
        for experiment in experiments:
            params = override(self.params, experiment.overrides).model_dump_json()
            digest = hashlib.sha256(f"{known}{params}".encode()).hexdigest()
            names[experiment.label] = f"{experiment.label}-{digest[:7]}"
        return names

    def _start(self, experiment: Experiment, name: str, how: str) -> None:
        overrides = {**experiment.overrides, **absolute_paths(override(self.params, experiment.overrides))}
        options = [part for key, value in overrides.items() for part in ("-S", f"++{key}={_quoted(value)}")]
        run_dvc(
            self._log(name), "exp", "run", how, "--copy-paths", "dvc.lock", "--name", name, *options, THROUGH
        )

    def _finished(self) -> set[str]:
        return set(run_dvc(self._log("list"), "exp", "list", "--name-only").split())

    def _read(self, name: str) -> Run:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in FILES:
            if not (folder / file).exists():
                where = "--rev", name, "--out", str(folder / file)
                run_dvc(self._log(f"{name}.get"), "get", ".", f"reports/{file}", *where)
        return read_folder(folder, name)

    def _log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"


def override(params: Params, overrides: Mapping[str, str | int]) -> Params:
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


def _quoted(value: str | int) -> str:
    """A value in the grammar of `-S`, which is Hydra's; there, ++ before a name adds it where a file lacks it."""
    if isinstance(value, int) or re.fullmatch(r"[\w./+-]+", value):
        return str(value)
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
