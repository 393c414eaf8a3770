"""Speed of the Tier 1 trainer compared with a simple reference trainer, on the same shards.

    python benchmarks/train.py [--features data/features] [--batches 12] [--device cpu]

The reference trainer uses one tensor file per clip, a DataLoader with two workers and a padding collate function,
torch's Conv1d, BatchNorm1d and Dropout, and a packed bidirectional LSTM. It is compared with the project's trainer with
the same network and loss, reading from memory-mapped shards and from memory, and with its defaults (a smaller network
that pools frames, masks, averaged weights). All run alternately, batch by batch, so that other load on the machine
affects all of them equally. Absolute rates vary with the machine.
"""

import argparse
import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset

from featurize.shards import Shard, list_shards
from model.batches import Features
from model.feature_splits import load_features
from model.network.layers import ChannelAttention
from model.network.tier1 import NetworkParams, build_network
from model.standardisation import measure, statistics_of
from model.training.hyperparameters import SpecAugmentParams, TrainParams
from model.training.sampling import batch_order, padding_waste
from model.training.trainer import Trainer

START = time.perf_counter()
SAME_NETWORK = NetworkParams(
    conv_channels=(128, 256), time_pooling=1, lstm_hidden=128, dropout=0.1, lstm_dropout=0.0
)
SAME_TRAINING = TrainParams(ema=0.0, spec_augment=SpecAugmentParams(time_masks=0, freq_masks=0))


class ReferenceNetwork(nn.Module):
    """The same network with the layers of torch."""

    def __init__(self, n_mfcc: int, num_classes: int) -> None:
        super().__init__()
        self.attention = ChannelAttention(n_mfcc, 4)
        sizes = (n_mfcc, 128, 256)
        self.convs, self.skips = nn.ModuleList(), nn.ModuleList()
        for before, after in itertools.pairwise(sizes):
            depthwise = nn.Conv1d(before, before, 5, padding=2, groups=before)
            self.convs.append(
                nn.Sequential(
                    depthwise, nn.Conv1d(before, after, 1), nn.BatchNorm1d(after), nn.GELU(), nn.Dropout(0.1)
                )
            )
            self.skips.append(nn.Conv1d(before, after, 1))
        self.lstm = nn.LSTM(256, 128, 2, batch_first=True, bidirectional=True, dropout=0.1)
        self.score = nn.Linear(256, 1)
        self.head = nn.Sequential(nn.LayerNorm(256), nn.Dropout(0.1), nn.Linear(256, num_classes))

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Classify mfcc (B, C, T) of lengths (B,) -> logits (B, K)."""
        x = self.attention(x, torch.ones_like(x[:, :1]))
        for conv, skip in zip(self.convs, self.skips, strict=True):
            x = conv(x) + skip(x)
        packed = pack_padded_sequence(
            x.transpose(1, 2), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        x, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        outside = torch.arange(x.shape[1], device=x.device) >= lengths.to(x.device)[:, None]
        weights = torch.softmax(self.score(x).squeeze(2).masked_fill(outside, -torch.inf), dim=1)
        return self.head(torch.einsum("bt,btf->bf", weights, x))


class CachedClips(Dataset[tuple[Tensor, int]]):
    """A feature cache with one tensor file per clip."""

    def __init__(self, features: Features, folder: Path) -> None:
        self.labels = features.labels.tolist()
        self.paths = [folder / f"{index}.pt" for index in range(len(features))]
        for path, clip in zip(self.paths, features.views["mfcc"], strict=True):
            torch.save(torch.from_numpy(clip.copy()), path)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """One clip (T, C) and its class."""
        return torch.load(self.paths[index], weights_only=True), self.labels[index]


def collate(clips: list[tuple[Tensor, int]]) -> tuple[Tensor, Tensor, Tensor]:
    """Pad to the longest: mfcc (B, C, T), lengths (B,), labels (B,)."""
    padded = pad_sequence([clip for clip, _ in clips], batch_first=True).transpose(1, 2)
    lengths = torch.tensor([len(clip) for clip, _ in clips])
    return padded, lengths, torch.tensor([label for _, label in clips])


def reference_steps(
    features: Features, folder: Path, num_classes: int, device: torch.device
) -> Iterator[int]:
    """Train with the reference trainer; yields the number of clips of each step."""
    network = ReferenceNetwork(features.views["mfcc"][0].shape[1], num_classes).to(device).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
    clips = CachedClips(features, folder)
    while True:
        for mfcc, lengths, labels in DataLoader(
            clips, batch_size=16, shuffle=True, num_workers=2, collate_fn=collate
        ):
            optimiser.zero_grad()
            logits = network(mfcc.to(device), lengths)
            F.cross_entropy(logits, labels.to(device), label_smoothing=0.1).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            synchronise(device)
            yield len(labels)


def our_steps(
    features: Features,
    num_classes: int,
    device: torch.device,
    network_params: NetworkParams = SAME_NETWORK,
    params: TrainParams = SAME_TRAINING,
) -> Iterator[int]:
    """Train with the project's trainer; yields the number of clips of each step."""
    network = build_network(features.views["mfcc"][0].shape[1], num_classes, network_params, 0).to(device)
    trainer = Trainer(network, features, params, device)
    trainer.start(statistics_of(measure(features, network)))
    criterion = trainer.make_loss()
    network.train()
    epoch = 0
    while True:
        epoch += 1
        for index in batch_order(features.num_frames, params.batch_size, params.seed, epoch):
            trainer.run_step(index, epoch, criterion)
            trainer.step += 1
            synchronise(device)
            yield len(index)


def synchronise(device: torch.device) -> None:
    """Wait for the GPU, so that its work is measured in the step that started it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def run_alternately(runs: dict[str, Iterator[int]], batches: int) -> dict[str, float]:
    """Clips per second of each run, after one warm-up step."""
    for run in runs.values():
        next(run)
    seconds, clips = dict.fromkeys(runs, 0.0), dict.fromkeys(runs, 0)
    for _ in range(batches):
        for name, run in runs.items():
            start = time.perf_counter()
            clips[name] += next(run)
            seconds[name] += time.perf_counter() - start
    return {name: clips[name] / seconds[name] for name in runs}


def share_in_kernels(steps: Iterator[int]) -> float:
    """Share of the wall-clock time of twenty steps in which the GPU is computing."""
    activities = [torch.profiler.ProfilerActivity.CUDA]
    start = time.perf_counter()
    with torch.profiler.profile(activities=activities) as profiler:
        for _ in range(20):
            next(steps)
    busy = sum(event.self_device_time_total for event in profiler.key_averages())
    return float(busy) / 1e6 / (time.perf_counter() - start)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--features", type=Path, default=Path("data/features"))
    parser.add_argument("--batches", type=int, default=12)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    shards, device = list_shards(args.features), torch.device(args.device)
    labels = sorted({str(name) for path in shards for name in Shard(path, verify=False).columns["label"]})
    mapped = load_features(shards, labels, "train")
    resident = Features(
        {"mfcc": [np.array(clip) for clip in mapped.views["mfcc"]]}, mapped.labels, mapped.columns
    )
    ours = our_steps(mapped, len(labels), device)
    next(ours)
    print(f"from start to the end of the first step: {time.perf_counter() - START:.1f} s")
    order = batch_order(mapped.num_frames, 16, 0, 1)
    at_random = np.array_split(np.random.default_rng(0).permutation(len(mapped)), len(order))
    print(
        f"{len(mapped)} clips, padding {padding_waste(mapped.num_frames, order):.1%} "
        f"(shuffled alone: {padding_waste(mapped.num_frames, at_random):.1%})"
    )
    with tempfile.TemporaryDirectory() as folder:
        rates = run_alternately(
            {
                "reference": reference_steps(mapped, Path(folder), len(labels), device),
                "ours": ours,
                "ours, resident": our_steps(resident, len(labels), device),
                "ours, defaults": our_steps(mapped, len(labels), device, NetworkParams(), TrainParams()),
            },
            args.batches,
        )
    for name, rate in rates.items():
        print(f"{name:15} {rate:7.1f} clips/s  {rate / rates['reference']:.2f} × the reference")
    print(f"mapped shards train at {rates['ours'] / rates['ours, resident']:.2f} × the rate of resident ones")
    if device.type == "cuda":
        print(f"share of the time in kernels: {share_in_kernels(ours):.0%}")


if __name__ == "__main__":
    main()
