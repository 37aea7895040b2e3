"""Where downloaded files are kept: one folder, laid out as the addresses are."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from ...errors import ModelNotFoundError, ParameterError

VARIABLE = "ALBERT_FAST_CACHE"
_MAX_NAME = 150  # bytes; leaves room for what a download in progress adds to the name


def root() -> Path:
    """Return the cache's folder: ALBERT_FAST_CACHE, else `albert_fast` under XDG_CACHE_HOME or ~/.cache."""
    own = os.environ.get(VARIABLE)
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return (Path(own) if own else Path(base) / "albert_fast").expanduser().absolute()
    except RuntimeError as error:
        raise ModelNotFoundError(
            f"There is no home folder for the cache ({error}). Name a folder with the variable {VARIABLE}."
        ) from None


def is_address(name: str) -> bool:
    """Whether a model's name is an address such as "https://..." rather than a name or a path."""
    scheme, separator, _ = name.partition("://")
    return bool(separator) and scheme.isalnum()


def split_address(address: str) -> tuple[str, str | None]:
    """Return an address without its fragment, and the SHA-256 that a fragment "#sha256=..." announces.

    Raises
    ------
    ParameterError
        Not http(s), no file in it, or something in it that does not belong there.
    """
    try:
        parts = urlsplit(address.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ParameterError(f"{address!r} is no address ({error}). Correct it.") from None
    scheme = parts.scheme.lower()
    if scheme == "file":
        raise ParameterError(f"{address!r} names a local file. Give its path, without 'file://'.")
    if scheme not in ("http", "https"):
        raise ParameterError(f"{address!r} begins with {scheme}://; models are fetched from https://.")
    if parts.username is not None or parts.password is not None:
        raise ParameterError("The address holds a user name or password. Download the file yourself and give its path.")
    if not host or not parts.path.strip("/"):
        raise ParameterError(f"{address!r} names no file. Give the whole address of a model's zip.")
    announced = _announced(parts.fragment, address)
    netloc = host if port is None else f"{host}:{port}"
    netloc = f"[{host}]" + (f":{port}" if port else "") if ":" in host else netloc
    # What lies in the path stays as it is, except what no request line can hold.
    path, query = (quote(part, safe="/%:@!$&'()*+,;=~-._?") for part in (parts.path, parts.query))
    return f"{scheme}://{netloc}{path}" + (f"?{query}" if query else ""), announced


def _announced(fragment: str, address: str) -> str | None:
    key, _, digest = fragment.partition("=")
    if key.lower() != "sha256":
        return None
    digest = digest.strip().lower()
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ParameterError(f"{address!r}: the SHA-256 after '#sha256=' must have 64 hexadecimal digits.")
    return digest


def is_private(address: str) -> bool:
    """Whether nobody can read or change an address's answer on its way: https, or a server on this machine."""
    import ipaddress  # only downloads need it

    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    if parts.scheme.lower() == "https" or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def shown(address: str) -> str:
    """Return an address for messages and records, without its query, which may hold a key."""
    bare, mark, _ = address.partition("?")
    return bare + "?..." if mark else bare


def place(address: str, folder: Path | None = None) -> Path:
    """Return where the file of an address is kept: below `folder` (default `root()`), by host and path."""
    parts = urlsplit(address)
    names = [parts.netloc, *(part for part in parts.path.split("/") if part)]
    if parts.query:
        names.insert(-1, "query-" + hashlib.sha256(parts.query.encode()).hexdigest()[:16])
    return (folder if folder is not None else root()).joinpath(*map(_file_name, names))


def _file_name(part: str) -> str:
    """Return a part of an address as a name that every file system takes and that leads nowhere else."""
    name = quote(unquote(part), safe=" !$&'()+,;=@~-._")
    if name.startswith("."):
        name = "%2E" + name[1:]
    if len(name) > _MAX_NAME:
        name = hashlib.sha256(part.encode()).hexdigest()[:32] + name[-40:]
    return name
