"""A cluster of two nodes, one of which dies in the middle, makes the same shards as one process."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from featurize.denoise import DenoiseParams
from featurize.errors import SerError
from pipeline.extraction import grouping
from pipeline.extraction import ray_engine as module
from pipeline.extraction.engine import choose_engine
from pipeline.extraction.ray_engine import RayEngine
from pipeline.stages.denoise import denoise

pytestmark = [
    # Ray's own habits when it starts processes and files
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

AGENTS = (
    "metrics_agent_port",
    "metrics_export_port",
    "dashboard_agent_listen_port",
    "runtime_env_agent_port",
)


def free_ports() -> dict[str, int]:
    """Ports for a node's agents: with ports of its own a node need not wait for them to choose."""
    sockets = [socket.socket() for _ in AGENTS]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = {name: int(one.getsockname()[1]) for name, one in zip(AGENTS, sockets, strict=True)}
    for one in sockets:
        one.close()
    return ports


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two nodes with one core each, on this machine; the second one may die."""
    import ray
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_worker_niceness", "0")  # Ray would let everything else on this machine go first
    size = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
    nodes = Cluster(initialize_head=True, head_node_args={**size, **free_ports()})
    nodes.mortal = nodes.add_node(**size, **free_ports())
    monkeypatch.setenv("RAY_ADDRESS", nodes.address)
    yield nodes
    ray.shutdown()
    nodes.shutdown()


def test_a_node_may_die_in_the_middle(
    cluster: Any, noise_corpus: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "CLIPS_PER_SHARD", 4)
    noise_corpus(tmp_path, 40)
    engine = RayEngine()
    died: list[float] = []
    original = module._ActorPool._handle

    def hear(crew: Any, answer: Any) -> Any:
        done = original(crew, answer)
        busy = [task for _, task in crew._at.values() if task is not None]
        if done is not None and busy and not died:
            died.append(time.monotonic())
            cluster.remove_node(cluster.mortal, allow_graceful=False)
        return done

    monkeypatch.setattr(module._ActorPool, "_handle", hear)
    denoise(DenoiseParams(), tmp_path, tmp_path / "reports", 0.0, engine=engine)
    assert died
    made = {path.name: path.read_bytes() for path in (tmp_path / "denoised").glob("*.h5")}
    for path in (tmp_path / "denoised").glob("*.h5"):
        path.unlink()
    denoise(DenoiseParams(), tmp_path, tmp_path / "reports", 0.0)
    assert made == {path.name: path.read_bytes() for path in (tmp_path / "denoised").glob("*.h5")}
    assert len(made) == 10
    with pytest.raises(SerError, match="the Ray cluster has 0 GPUs"):
        engine.device("cuda")
    assert engine.device("auto") == "cpu"


def test_no_cluster_and_no_ray_are_one_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setenv("RAY_ADDRESS", "nonsense")
    with pytest.raises(SerError, match=r"no cluster answers at nonsense .*ray start --head") as told:
        choose_engine("ray", None)
    assert "\n" not in str(told.value)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SerError, match=r"pip install 'ser\[ray\]'"):
        choose_engine("ray", None)
    with pytest.raises(SerError, match="--engine spark: no such engine"):
        choose_engine("spark", None)
