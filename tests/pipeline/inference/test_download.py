"""Downloads end with the file or with one reason, whatever the server does."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from featurize.errors import AudioError
from pipeline.inference import download as module
from pipeline.inference.download import download

CONTENT = bytes(range(256)) * 1000


class Handler(BaseHTTPRequestHandler):
    """Answers each path in its own way."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", path.removeprefix("/to/"))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if path == "/never":
            self.rfile.read(1)  # until the client goes
            return
        if path == "/gone":
            self.send_error(404)
            return
        kind = "text/html; charset=utf-8" if path == "/page" else "audio/wav"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if path != "/unstated":
            self.send_header("Content-Length", str(len(CONTENT) + (path == "/short")))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.mark.parametrize("path", ["/a.wav", "/unstated", "/to//a.wav", "/a%20b.wav?x=1#t", "/ä b.wav?é"])
def test_a_recording_arrives_whole(server: str, path: str, tmp_path: Path) -> None:
    download(server + path, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/gone", "HTTP 404 Not Found"),
        ("/page", "a web page"),
        ("/short", r"ended after 256000 of 256001 bytes"),
        ("/to/file:///etc/passwd", "not http or https|not allowed"),
        ("/to/ftp://127.0.0.1/a.wav", "not http or https"),
        ("/to/data:,a", "not http or https|not allowed"),
        ("/to//to//to//to//to//to//to//to//to//to//to//to//a.wav", "HTTP 302"),
        (":x/", "cannot be downloaded"),
        ("\udcff", "cannot be downloaded"),
    ],
)
def test_what_goes_wrong_is_one_line(server: str, path: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=reason) as caught:
        download(server + path, tmp_path / "a")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["http://[::1", "http://", "http://127.0.0.1:1/a.wav", "https://ä\ud800/"]
)
def test_an_address_without_a_server(address: str, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="cannot be downloaded"):
        download(address, tmp_path / "a")


@pytest.mark.parametrize("path", ["/a.wav", "/unstated"])
def test_a_file_beyond_the_limit_is_not_stored(
    server: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", len(CONTENT) - 1)
    with pytest.raises(AudioError, match="more than"):
        download(server + path, tmp_path / "a")
    assert not (tmp_path / "a").exists() or (tmp_path / "a").stat().st_size < len(CONTENT)


def test_timeouts(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENT_S", 0.05)
    with pytest.raises(AudioError, match=r"sent nothing for 0\.05 s|timed out"):
        download(f"{server}/never", tmp_path / "a")
    monkeypatch.setattr(module, "SILENT_S", 30.0)
    monkeypatch.setattr(module, "WHOLE_S", -1.0)
    with pytest.raises(AudioError, match="the download took more than"):
        download(f"{server}/a.wav", tmp_path / "a")


def test_a_full_disk_is_one_line(server: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(AudioError, match="cannot be stored"):
        download(f"{server}/a.wav", Path("/dev/full"))
