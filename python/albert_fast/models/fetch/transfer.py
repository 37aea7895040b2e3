"""One http(s) request of a file: redirects, proxies and time limits, and what each failure means."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from . import cache

TIMEOUT = 30.0  # seconds without a byte, at any point
MOST_PATIENCE = 60.0  # seconds that a server may ask to wait
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_BROKEN = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError, ssl.SSLEOFError)


class RefusedError(Exception):
    """What will not be better at the next attempt."""


class BrokenTransferError(Exception):
    """What may go better at the next attempt."""

    def __init__(self, text: str, retry_after: float = 0.0) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class RangeError(BrokenTransferError):
    """The server has no such rest of the file: it must come anew."""


def wait(seconds: float) -> None:
    """Wait before another attempt."""
    time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer; `read` gives what has arrived, b"" at the end."""

    status: int
    headers: Any
    response: Any

    def read(self, most: int) -> bytes:
        """Return the next bytes, as soon as there are any."""
        with _explained():
            return bytes(self.response.read1(most))


@contextlib.contextmanager
def open_address(address: str, resume: tuple[int, str] | None = None) -> Iterator[Answer]:
    """Ask for a file, or for its rest: `resume` is (bytes that are here, the server's mark of that content).

    Raises
    ------
    RefusedError, BrokenTransferError
    """
    from ... import __version__

    headers = {"User-Agent": f"albert_fast/{__version__}", "Accept-Encoding": "identity"}
    if resume is not None:
        # With If-Range the server sends the rest of the same content, or all of what is there now.
        headers |= {"Range": f"bytes={resume[0]}-", "If-Range": resume[1]}
    request = urllib.request.Request(address, headers=headers)
    with _explained():
        response = urllib.request.build_opener(_Redirects).open(request, timeout=TIMEOUT)
    with response:
        yield Answer(response.status, response.headers, response)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects, but never from https to something that can be read on the way."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        scheme = urlsplit(newurl).scheme
        if scheme not in ("http", "https"):
            raise RefusedError(f"the server redirects to an address that begins with {scheme}:")
        from_https = urlsplit(req.full_url).scheme == "https"
        if scheme == "http" and (from_https or (cache.is_private(req.full_url) and not cache.is_private(newurl))):
            raise RefusedError("the server redirects to an address without encryption")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        raise _http_error(error) from error
    except urllib.error.URLError as error:
        raise _network_error(error.reason) from error
    except (OSError, http.client.HTTPException) as error:
        raise _network_error(error) from error


def _http_error(error: urllib.error.HTTPError) -> Exception:
    text = f"the server answered {error.code} {error.reason}".rstrip()
    if error.code == 416:
        return RangeError(text)
    if error.code in _PASSING:
        asked = error.headers.get("Retry-After", "") if error.headers else ""
        return BrokenTransferError(text, min(float(asked), MOST_PATIENCE) if asked.isdigit() else 0.0)
    if error.code in (401, 403, 407):
        text += " (no access; where a proxy asks for a password, it belongs into HTTPS_PROXY)"
    return RefusedError(text)


def _network_error(reason: object) -> Exception:
    if isinstance(reason, TimeoutError):
        return BrokenTransferError(f"nothing arrived for {TIMEOUT:g} seconds")
    if isinstance(reason, ssl.SSLCertVerificationError):
        return RefusedError(
            f"the server's certificate is not trusted ({reason.verify_message}); where a company's proxy opens "
            "connections, name its certificate with SSL_CERT_FILE"
        )
    kind = type(reason).__name__
    text = f"{kind}: {reason}" if isinstance(reason, Exception) else str(reason)
    if isinstance(reason, OSError) and not isinstance(reason, _BROKEN):
        return RefusedError(f"no connection ({text}); check the network and the variables HTTP_PROXY, HTTPS_PROXY")
    return BrokenTransferError(f"the connection broke ({text})")
