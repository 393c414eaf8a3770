"""A cluster of two nodes, one of which dies, makes the same shards as one process."""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from featurize.denoise import DenoiseParams
from featurize.errors import SerError
from pipeline.extraction import grouping
from pipeline.extraction import ray_engine as module
from pipeline.extraction.ray_engine import RayEngine, check_nodes
from pipeline.extraction.tasks import Task
from pipeline.stages.denoise import denoise
from tests.waiting import LONG_S, wait_until

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
PATIENCE = (
    "gcs_server_port_wait_time_s",
    "gcs_server_request_timeout_seconds",
    "raylet_start_wait_time_s",
    "worker_register_timeout_seconds",
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


def patient(get_node: Callable[..., Any]) -> Callable[..., Any]:
    """Wait for a node."""

    def get(*arguments: Any) -> Any:
        found: list[Any] = []

        def is_there() -> bool:
            with suppress(RuntimeError):
                found.append(get_node(*arguments))
            return bool(found)

        wait_until(is_there, "a node of the cluster is registered")
        return found[0]

    return get


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two nodes with one core each, on this machine; the second one may die."""
    import ray
    from ray._private import services
    from ray.cluster_utils import Cluster

    # On a busy machine a node needs more than the half minute that Ray gives it to start and to answer.
    for name in PATIENCE:
        monkeypatch.setenv(f"RAY_{name}", f"{LONG_S:.0f}")
    monkeypatch.setattr(services, "get_node", patient(services.get_node))
    wait = Cluster._wait_for_node
    monkeypatch.setattr(Cluster, "_wait_for_node", lambda cluster, node: wait(cluster, node, timeout=LONG_S))
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
    died: list[int] = []
    run, original = module._ActorPool.run, module._ActorPool._handle

    def run_with_all(pool: Any, waiting: Any) -> Any:
        assert len(pool._at) == 2
        engine.ray.wait(
            list(pool._at), num_returns=2
        )  # on a busy machine the first might do all the work alone
        return run(pool, waiting)

    def hear(crew: Any, answer: Any) -> Any:
        done = original(crew, answer)
        busy = [task for _, task in crew._at.values() if task is not None]
        if done is not None and busy and not died:
            died.append(busy[0].number)
            cluster.remove_node(cluster.mortal, allow_graceful=False)
        return done

    monkeypatch.setattr(module._ActorPool, "_handle", hear)
    monkeypatch.setattr(module._ActorPool, "run", run_with_all)
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


def node(alive: bool = True, **resources: float) -> dict[str, Any]:
    return {"Alive": alive, "Resources": resources}


def test_a_busy_cluster_is_waited_for_and_one_without_a_node_of_the_size_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    needs = {"num_cpus": 8.0, "num_gpus": 1}
    with caplog.at_level("WARNING"):
        check_nodes([node(CPU=2.0), node(CPU=8.0, GPU=1.0)], needs)
    assert "still waiting" in caplog.text
    for nodes in ([], [node(CPU=8.0), node(CPU=4.0, GPU=1.0)], [node(alive=False, CPU=8.0, GPU=1.0)]):
        with pytest.raises(SerError, match=r"--engine ray: .*num_cpus"):
            check_nodes(nodes, needs)


def test_patience_is_about_actors_that_do_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray as the pool sees it: the actor starts after some patience has run out, then makes its shard."""
    answers = [([], None)] * 3 + [(["ready"], None), (["shard"], None)]
    checked: list[Any] = []

    class Actor:
        def __init__(self) -> None:
            self.ready = SimpleNamespace(remote=lambda: "ready")
            self.run = SimpleNamespace(remote=lambda _task: "shard")

    class FakeRay:
        exceptions = SimpleNamespace(RayTaskError=KeyError, RayError=LookupError)

        def __getattr__(self, name: str) -> Any:
            return {
                "put": lambda job: job,
                "remote": lambda _class: SimpleNamespace(
                    options=lambda **_needs: SimpleNamespace(remote=lambda _job: Actor())
                ),
                "wait": lambda *_, **__: answers.pop(0),
                "get": {"ready": None, "shard": "done"}.get,
                "nodes": lambda: [node(CPU=1.0)],
            }[name]

    monkeypatch.setattr(module, "PATIENCE_S", -1.0)
    monkeypatch.setattr(module, "check_nodes", lambda *arguments: checked.append(arguments))
    pool = module._ActorPool(FakeRay(), "job", 1, {"num_cpus": 1})  # type: ignore[arg-type]
    assert list(pool.run(iter([Task(0, [])]))) == ["done"]
    assert checked == [([node(CPU=1.0)], {"num_cpus": 1})] * 3


def test_no_cluster_and_no_ray_are_one_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setenv("RAY_ADDRESS", "nonsense")
    with pytest.raises(SerError, match=r"no cluster answers at nonsense .*ray start --head") as raised:
        RayEngine(None)
    assert "\n" not in str(raised.value)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SerError, match=r"pip install 'ser\[ray\]'"):
        RayEngine(None)
