"""Paths that users give: the one rule for everything that is saved, exported, converted or loaded.

A path is a string or a `pathlib.Path`; a ``~`` at its start is the home folder; a ``file:`` URI is the path in it, as
in Spark; an address of any other kind is refused by name, because as a relative path it would make a folder called
``s3:`` in the working directory.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes

from .errors import ParameterError

_STORE_TOOLS = {
    "s3": "'aws s3 cp --recursive'",
    "gs": "'gcloud storage cp --recursive'",
    "hdfs": "'hdfs dfs -put' and 'hdfs dfs -get'",
    "azure": "'azcopy copy --recursive'",
    "dbfs": "'databricks fs cp --recursive'; on Databricks, dbfs:/x is the folder /dbfs/x",
}
# Schemes of stores -> how their tools copy.
_STORES = {
    **dict.fromkeys(("s3", "s3a", "s3n"), "s3"),
    **dict.fromkeys(("hdfs", "webhdfs", "swebhdfs", "viewfs"), "hdfs"),
    **dict.fromkeys(("abfs", "abfss", "wasb", "wasbs", "adl"), "azure"),
    "gs": "gs",
    "dbfs": "dbfs",
}
_WEB = ("http", "https", "hf")
# With these names one slash is enough, as Hadoop writes them and as pathlib shortens them; others need "://".
_KNOWN = frozenset(("file", *_STORES, *_WEB))
# A single letter is a drive of Windows.
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(//?)")


def scheme_of(text: str) -> str | None:
    """Return the scheme of an address such as "s3://bucket/x", in lower case; None for a path or a name."""
    match = _ADDRESS.match(text)
    if match is None:
        return None
    scheme = match[1].lower()
    return scheme if match[2] == "//" or scheme in _KNOWN else None


def path_of(given: object) -> Path:
    """Return the path that the user gave, its ``~`` expanded.

    Raises
    ------
    ParameterError
        It is no path, or an address that is no file of this machine.
    """
    text = os.fspath(given) if isinstance(given, (str, os.PathLike)) else given
    if not isinstance(text, str):
        hint = " Decode it with os.fsdecode." if isinstance(given, bytes) else ""
        raise ParameterError(f"A path is a string or a pathlib.Path; this is {type(given).__name__} ({given!r}).{hint}")
    scheme = scheme_of(text)
    if scheme == "file":
        return _path_in_uri(text)
    if scheme is not None:
        raise ParameterError(_refusal(text, scheme))
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ParameterError(
            f"{text!r} begins with the home folder of a user whom this machine does not know. Give the whole path, or "
            f"'./{text}' if the folder is called so."
        ) from None


def _path_in_uri(uri: str) -> Path:
    rest = uri[len("file:") :]
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host.lower() not in ("", "localhost"):
            raise ParameterError(
                f"{uri!r} names a file of another machine, {host!r}. A file URI of this machine has three slashes: "
                f"'file:///{host}{slash}{path}'."
            )
        rest = slash + path
    if not rest.strip("/"):
        raise ParameterError(f"{uri!r} names no file. Give its whole path, for example 'file:///tmp/model'.")
    return Path(os.fsdecode(unquote_to_bytes(rest)))


def _refusal(text: str, scheme: str) -> str:
    if scheme in _WEB:
        return (
            f"{text!r} is an address of the web, and only files of this machine can be saved and loaded. "
            "AlbertEmbeddings.pretrained fetches models: give it a Hugging Face id, or the https address of a zip."
        )
    store = _STORES.get(scheme)
    tool = f", for example with {_STORE_TOOLS[store]}" if store is not None else " with the tool of that store"
    return (
        f"{text!r} is an address of the kind {scheme}:, and only files of this machine can be saved and loaded. Save "
        f"to a local folder and copy it there{tool}; to load, copy it here first."
    )
