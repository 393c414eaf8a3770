"""`ser inspect`: the result of Tier 0 for one file, and the frames of an encoder."""

import math
from pathlib import Path
from typing import Literal

import numpy as np
from rich.console import Console
from rich.table import Table

from featurize.atomic import replacing
from featurize.audio import SAMPLE_RATE, probe
from featurize.denoise import Denoiser, load_denoiser
from featurize.encoders.encoder import EncodeParams, Encoder
from featurize.errors import SerError, counted
from featurize.level import Channel
from featurize.snr import estimate_snr_db
from featurize.tier0 import Tier0, Tier0Params, tier0
from pipeline.inference.encoder_frames import (
    EncoderFrames,
    describe_frames,
    draw_frames,
    encode_clip,
    tabulate_states,
)


def inspect(
    file: Path,
    params: Tier0Params,
    plot: Path | None = None,
    device: str = "cpu",
    channel: Channel | Literal["each"] | None = None,
    encode: EncodeParams | None = None,
) -> None:
    """Print duration, speech found and MFCC statistics of a file; with `plot`, also draw them to that file.

    Args:
        file: an audio file.
        params: of Tier 0.
        plot: the picture; with several channels, its name gets theirs.
        device: where the denoiser and the encoder run.
        channel: to use, if not that of the params; each: left and right, one after the other.
        encode: the encoder whose frames are shown as well; None: of none.

    Raises:
        AudioError: the file cannot be used.
        WeightsError: the weights of the denoiser or of the encoder cannot be had.
        ParamsError: a hidden state that the encoder does not have.
        SerError: `plot` has an unknown ending.
    """
    recorded_s, sample_rate, num_channels = probe(file)
    denoiser = load_denoiser(params.denoise, device)
    encoder = Encoder(encode, device) if encode else None
    each: tuple[Channel, ...] = ("left", "right") if num_channels > 1 else ("mix",)
    for one in each if channel == "each" else (channel or params.load.channel,):
        loaded = params.model_copy(update={"load": params.load.model_copy(update={"channel": one})})
        result = tier0(file, loaded, denoiser)
        picture = plot.with_stem(f"{plot.stem}-{one}") if plot and channel == "each" else plot
        recorded = f"{recorded_s:.2f} s, {sample_rate} Hz, {counted(num_channels, 'channel')}"
        encoded = encode_clip(encoder, result.denoised, result.segments) if encoder else None
        _show(file, recorded, denoiser, result, encoded)
        if picture:
            _draw(result, encoded, picture)
            Console().print(f"picture: {picture}", highlight=False, markup=False, soft_wrap=True)


def _show(
    file: Path, recorded: str, denoiser: Denoiser, result: Tier0, encoded: EncoderFrames | None
) -> None:
    snr_db = estimate_snr_db(result.waveform)
    bypassed = " (bypassed by this clip)" if denoiser.bypasses(result.waveform) else ""
    seconds = result.segments / SAMPLE_RATE
    speech_s = float(np.diff(seconds, axis=1).sum())
    duration_s = len(result.waveform) / SAMPLE_RATE
    facts = [
        ("file", str(file)),
        ("recorded", recorded),
        ("used", f"{result.source.channel}, track {result.source.track}"),
        (
            "SNR",
            "too short to estimate" if math.isnan(snr_db) else f"about {snr_db:.0f} dB before the denoiser",
        ),
        ("denoiser", denoiser.name + bypassed),
        (
            "speech",
            f"{speech_s:.2f} s of {duration_s:.2f} s"
            if len(seconds)
            else "none found: the whole clip is kept",
        ),
        ("segments", ", ".join(f"{start:.2f}–{end:.2f} s" for start, end in seconds) or "none"),
        ("mfcc", f"{result.mfcc.shape[0]} coefficients × {result.mfcc.shape[1]} frames"),
        *(describe_frames(encoded) if encoded else []),
    ]
    console = Console()
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, text in facts:
        table.add_row(name, text)
    console.print(table, highlight=False, markup=False)
    console.print(_statistics(result), highlight=False)
    if encoded:
        console.print(tabulate_states(encoded), highlight=False)


def _statistics(result: Tier0) -> Table:
    """Mean, deviation and range of every coefficient."""
    table = Table("coefficient", "mean", "std", "min", "max", box=None, pad_edge=False)
    for column in table.columns:
        column.justify = "right"
    for index, values in enumerate(result.mfcc.numpy()):
        numbers = (values.mean(), values.std(), values.min(), values.max())
        table.add_row(str(index), *(f"{number:.2f}" for number in numbers))
    return table


def _draw(result: Tier0, encoded: EncoderFrames | None, path: Path) -> None:
    """Draw the waveform with speech shaded, the MFCC of the speech, and the frames of the encoder, if any."""
    from matplotlib.figure import Figure

    kind = path.suffix.lstrip(".").lower() or "png"
    figure = Figure(figsize=(10, 8 if encoded else 5), layout="constrained")
    if kind not in figure.canvas.get_supported_filetypes():
        raise SerError(f"--plot {path}: unknown picture format '{kind}'; use .png or .svg")
    wave, cepstrum, *others = figure.subplots(3 if encoded else 2, 1)
    if encoded:
        draw_frames(encoded, others[0], result.segments)
    wave.plot(np.arange(len(result.denoised)) / SAMPLE_RATE, result.denoised.numpy(), linewidth=0.4)
    wave.margins(x=0)
    for start, end in result.segments / SAMPLE_RATE:
        wave.axvspan(start, end, alpha=0.2, color="tab:orange")
    wave.set(xlabel="time (s)", ylabel="amplitude", title="waveform, speech shaded", ylim=(-1.05, 1.05))
    # The 0th coefficient, the log energy, is an order of magnitude larger than the others.
    coefficients = result.mfcc.numpy()[1:]
    edges = (-0.5, coefficients.shape[1] - 0.5, 0.5, len(coefficients) + 0.5)
    cepstrum.imshow(coefficients, origin="lower", aspect="auto", interpolation="nearest", extent=edges)
    cepstrum.set(xlabel="frame of speech", ylabel="coefficient", title="MFCC without the 0th")
    with replacing(path) as temporary:
        figure.savefig(temporary, format=kind, dpi=120)
