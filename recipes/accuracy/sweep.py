"""The experiments by which the defaults were chosen: a list of variants, scored on validation speakers only.

    python -m recipes.accuracy.sweep recipes/accuracy/sweep.yaml --corpus /path/to/ravdess --work /path/to/scratch

The test split is never loaded, so a variant may be chosen by the printed scores. Features are computed once for each
combination of the parameters that they depend on; networks are trained in single-threaded processes, one for each core.
Each result is appended to `results.csv` in the scratch folder, so that an interrupted sweep can be continued.
"""

import argparse
import itertools
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import yaml
from rich.console import Console
from rich.progress import track
from rich.table import Table

from featurize.errors import ParamsError, SerError
from model.feature_splits import SplitLoader
from model.network.tier1 import build_network
from model.training.fit import fit
from pipeline.experiments.experiment_runner import override
from pipeline.params import Params, check_params
from pipeline.protocol.card import digest as digest_of
from pipeline.protocol.manifest_summary import read_summary
from pipeline.stages.denoise import denoise as denoise_stage
from pipeline.stages.encode import encode as encode_stage
from pipeline.stages.featurize import featurize as featurize_stage
from pipeline.stages.manifest import manifest as manifest_stage

FEATURES = ("corpus", "labels", "split", "denoise", "vad", "mfcc", "augment", "encode")
"""Blocks of the parameters that the features depend on."""
KEYS = ["variant", "fold", "seed", "params"]
Run = tuple[str, int, int, str]
"""What `KEYS` name."""


def main() -> None:
    """Run the missing runs, then print the mean of each variant."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sweep", type=Path, help="YAML: base, folds, seeds, variants")
    parser.add_argument("--corpus", required=True, help="folder of the recordings")
    parser.add_argument("--work", type=Path, required=True, help="folder for features and results.csv")
    parser.add_argument("--only", nargs="*", help="variants to run; default: all")
    parser.add_argument("--folds", nargs="*", type=int, help="folds to run; default: those of the sweep")
    parser.add_argument("--jobs", type=int, default=torch.get_num_threads(), help="networks at a time")
    args = parser.parse_args()
    listed = yaml.safe_load(args.sweep.read_text(encoding="utf-8"))
    listed["folds"] = args.folds or listed["folds"]
    listed["base"]["corpus.root"] = str(Path(args.corpus).resolve())
    try:
        sweep(listed, args.only or list(listed["variants"]), args.work, args.jobs)
    except SerError as error:
        sys.exit(f"sweep: {error}")


def sweep(listed: Mapping[str, Any], variants: Sequence[str], work: Path, jobs: int) -> pd.DataFrame:
    """Run each variant on each fold with each seed; results of earlier calls are reused.

    Args:
        listed: base (overrides for all), folds, seeds, variants (name -> overrides).
        variants: names of those to run.
        work: folder for features and results.csv.
        jobs: processes.

    Returns:
        A row for each run: variant, fold, seed, digest of the parameters, best validation UAR, its epoch and loss.
    """
    runs = list_runs(listed, variants)
    file = work / "results.csv"
    done = pd.read_csv(file, dtype={"params": str}) if file.exists() else pd.DataFrame(columns=KEYS)
    known = set(done[KEYS].itertuples(index=False, name=None))
    data = {run: featurize(runs[run], work / "features") for run in runs if run not in known}
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(train, runs[run], folder): run for run, folder in data.items()}
        for future in track(as_completed(futures), "training", len(futures), disable=not futures):
            row = dict(zip(KEYS, futures[future], strict=True)) | future.result()
            done = pd.concat([done, pd.DataFrame([row])], ignore_index=True)
            done.to_csv(file, index=False)
    asked = [row in runs for row in done[KEYS].itertuples(index=False, name=None)]
    return print_table(done[asked])


def list_runs(listed: Mapping[str, Any], variants: Sequence[str]) -> dict[Run, Params]:
    """The parameters of each run, by variant, fold, seed and digest of the parameters.

    Raises:
        ParamsError: a variant is not in the list, or has an unknown parameter or an invalid value.
    """
    if unknown := [name for name in variants if name not in listed["variants"]]:
        raise ParamsError(f"no variant {unknown[0]}; there are {', '.join(listed['variants'])}")
    runs = {}
    for name, seed, fold in itertools.product(variants, listed["seeds"], listed["folds"]):
        changes = {**listed["base"], **listed["variants"][name], "split.fold": fold, "train.seed": seed}
        params = override(check_params({}, "defaults"), changes)
        runs[name, fold, seed, digest(params.model_dump(mode="json"))] = params
    return runs


def featurize(params: Params, folder: Path) -> Path:
    """The folder of the manifest and features of these parameters, computed unless it is complete."""
    values = params.model_dump(mode="json")
    data = folder / digest({block: values[block] for block in FEATURES})
    if not (data / "finished").exists():
        rejects = params.corpus.max_reject_fraction
        manifest_stage(params.corpus, params.labels, params.split, data)
        denoise_stage(params.denoise, data, data / "reports", rejects)
        featurize_stage(params.vad, params.mfcc, data, data / "reports", rejects, params.augment)
        encode_stage(params.encode, data, data / "reports", rejects, params.augment)
        (data / "finished").touch()
    return data


def train(params: Params, data: Path) -> dict[str, float]:
    """Train on one thread: best validation UAR, its epoch and loss."""
    torch.set_num_threads(1)
    labels = read_summary(data / "manifest.json").labels
    loader = SplitLoader(data, labels, params.network.views)
    train_split, val_split = (loader.load(name) for name in ("train", "val"))
    network = build_network(
        params.mfcc.n_mfcc, len(labels), params.network, params.train.seed, loader.encoding
    )
    out = data / "checkpoints" / digest(params.model_dump(mode="json"))
    result = fit(network, train_split, val_split, params.train, out)
    loss = next(epoch.val_loss for epoch in result.history if epoch.epoch == result.best_epoch)
    return {"val_uar": result.best_uar, "best_epoch": result.best_epoch, "val_loss": loss}


def print_table(results: pd.DataFrame) -> pd.DataFrame:
    """Print the mean of each variant, best first."""
    table = Table("variant", "runs", "validation UAR", "each", "loss", "best epochs")
    groups = {str(name): rows.sort_values(["fold", "seed"]) for name, rows in results.groupby("variant")}
    for name, rows in sorted(groups.items(), key=lambda item: -item[1]["val_uar"].mean()):
        each = " ".join(f"{score:.3f}" for score in rows["val_uar"])
        epochs = " ".join(str(int(epoch)) for epoch in rows["best_epoch"])
        means = f"{rows['val_uar'].mean():.3f}", each, f"{rows['val_loss'].mean():.2f}"
        table.add_row(name, str(len(rows)), *means, epochs)
    Console().print(table, highlight=False)
    return results


def digest(values: Mapping[str, Any]) -> str:
    """A short digest of values of plain types."""
    return digest_of(values)[:10]


if __name__ == "__main__":
    main()
