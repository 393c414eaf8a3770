"""Recordings behind http and https addresses: downloaded to a file, within limits of size and time."""

import http.client
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit, urlunsplit

from featurize.errors import AudioError

MOST_BYTES = 4 << 30
"""Of one recording: what a WAV file can hold."""
SILENT_S = 30.0
"""How long a server may send nothing."""
WHOLE_S = 3600.0
"""How long a download may take."""

_PART = 1 << 16
_SAFE = "%/:=&?~#+!$,;'@()*[]"


class Readable(Protocol):
    """Bytes that come in parts."""

    def read1(self, size: int, /) -> bytes: ...  # noqa: D102


def download(address: str, out: Path) -> None:
    """Download a recording to the file `out`.

    Redirects are followed to http and https addresses only.

    Raises:
        AudioError: the address cannot be reached, is a web page, too large or too slow.
    """
    try:
        with _opener().open(_quoted(address), timeout=SILENT_S) as response:
            if response.headers.get_content_type() == "text/html":
                raise AudioError(
                    "undecodable", "a web page, not a recording; give the address of the file itself"
                )
            stated = response.headers.get("Content-Length", "")
            size = int(stated) if stated.isascii() and stated.isdigit() else None
            copied = copy(response, out, size, time.monotonic() + WHOLE_S)
            if size is not None and copied < size:
                raise AudioError(
                    "unreadable", f"the download ended after {copied} of {size} bytes; try again"
                )
    except HTTPError as error:
        with error:
            what = f"cannot be downloaded (HTTP {error.code} {_line(error.reason)})"
            raise AudioError("unreadable", what) from error
    except TimeoutError as error:
        raise AudioError("unreadable", f"the server sent nothing for {SILENT_S:g} s") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = _line(getattr(error, "reason", None) or error)
        raise AudioError("unreadable", f"cannot be downloaded ({why}); check the address") from error


def copy(source: Readable, out: Path, size: int | None = None, until: float | None = None) -> int:
    """Copy all of a stream into a file, part by part.

    Args:
        source: the stream.
        out: the file.
        size: its length, if it is known.
        until: time of `time.monotonic()` at which to give up.

    Returns:
        Number of bytes.

    Raises:
        AudioError: there are more than MOST_BYTES, the time is over, or `out` cannot be written.
    """
    if size is not None and size > MOST_BYTES:
        raise _too_large()
    copied = 0
    with out.open("wb", buffering=0) as file:
        for part in _parts(source):
            copied += len(part)
            if copied > MOST_BYTES:
                raise _too_large()
            if until is not None and time.monotonic() > until:
                raise AudioError("unreadable", f"the download took more than {WHOLE_S:g} s")
            try:
                file.write(part)
            except OSError as error:
                raise AudioError("unreadable", f"cannot be stored in {out} ({error.strerror})") from error
    return copied


def _parts(source: Readable) -> Iterator[bytes]:
    while part := source.read1(_PART):
        yield part


def _too_large() -> AudioError:
    return AudioError("unreadable", f"more than {MOST_BYTES >> 30} GiB; cut it into parts")


class _Redirects(request.HTTPRedirectHandler):
    def redirect_request(
        self, req: request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> request.Request | None:
        if not newurl.startswith(("http://", "https://")):
            fp.close()
            raise URLError(f"a redirect to {newurl[:100]}, which is not http or https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> request.OpenerDirector:
    """An opener as urllib's, without its handlers of ftp, file and data addresses."""
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPDefaultErrorHandler,
        request.HTTPErrorProcessor,
        _Redirects,
    ):
        opener.add_handler(handler())
    return opener


def _quoted(address: str) -> str:
    """An address as it is sent: what a browser shows as a space or an umlaut is quoted."""
    scheme, host, *rest = urlsplit(address)
    return urlunsplit((scheme, host, *(quote(part, safe=_SAFE) for part in rest[:2]), ""))


def _line(reason: object) -> str:
    return " ".join(str(reason).split())[:200]
