"""Clips loaded in threads ahead of their use, in order."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import torch

from featurize.audio import LoadParams, SourceChannel, load_audio
from featurize.errors import AudioError
from pipeline.extraction.clip_audio import Recordings
from pipeline.extraction.tasks import Fields

Loaded = torch.Tensor | AudioError

LOADERS = 4
"""Threads that load audio."""
CLIPS_AHEAD = 32
"""Clips that are loaded or being loaded before they are needed."""


def load_ahead(
    clips: Iterable[tuple[int, Fields]],
    at: Callable[[int, str], None] = lambda _index, _step: None,
    loading: LoadParams | None = None,
    also: Callable[[int, torch.Tensor, SourceChannel], None] = lambda _index, _waveform, _source: None,
) -> Iterator[tuple[int, Loaded]]:
    """Load clips in threads ahead of their use, and yield them in order.

    Args:
        clips: index and fields of each.
        at: called with a clip's index and the step it is in.
        loading: parameters of `load_audio`.
        also: called in a thread with the index, the waveform (num_samples,), and the track and channel of each clip.
    """

    def load(index: int, clip: Fields) -> Loaded:
        at(index, "decode")
        sources: list[SourceChannel] = []
        waveform = _load(clip, recordings, loading, sources)
        if not isinstance(waveform, AudioError):
            also(index, waveform, sources[0])
        at(index, "wait")
        return waveform

    clips = list(clips)
    waiting = iter(clips)
    recordings = Recordings(clip for _, clip in clips)
    with recordings, ThreadPoolExecutor(LOADERS) as threads:
        ahead = [(clip[0], threads.submit(load, *clip)) for clip in islice(waiting, CLIPS_AHEAD)]
        while ahead:
            yield _result(*ahead.pop(0))
            ahead += [(clip[0], threads.submit(load, *clip)) for clip in islice(waiting, 1)]


def _result(index: int, loading: Future[Loaded]) -> tuple[int, Loaded]:
    return index, loading.result()


def _load(
    clip: Fields, recordings: Recordings, loading: LoadParams | None, sources: list[SourceChannel]
) -> Loaded:
    """Load a waveform (num_samples,), and check that the file's hash is still the manifest's."""
    try:
        with recordings.open(clip) as recording:
            waveform = load_audio(recording.path, **recording.part, params=loading, on_source=sources.append)
            recording.check(clip)
            return waveform
    except AudioError as error:
        return error
