"""Zips over http, against a local server that fails in every way a real one does."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import make_model
from albert_fast import AlbertEmbeddings
from albert_fast.errors import CorruptModelError, ModelNotFoundError, ParameterError
from albert_fast.models.fetch import cache, download, partial, transfer
from file_server import Behaviour, network_variables, packed, serve

NAME = "/public/models/albert_x_en_1.0_2.4_1.zip"


@pytest.fixture(name="data", scope="module")
def _data(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return packed(make_model.write_folder(tmp_path_factory.mktemp("zip") / "m"))


@pytest.fixture(name="server")
def _server(data: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Behaviour]:
    for name in network_variables():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(download, "PAUSES", (0.0, 0.0, 0.0))
    with serve({NAME: data}) as behaviour:
        yield behaviour


def place(server: Behaviour, name: str = NAME) -> Path:
    return cache.place(server.url + name)


def nothing_left(server: Behaviour) -> bool:
    """Whether neither the final file nor any part of it is there."""
    folder = place(server).parent
    return not folder.exists() or not list(folder.iterdir())


def parts(server: Behaviour) -> list[Path]:
    return sorted(place(server).parent.glob(".*.part"))


# ------------------------------------------------------------------------------------------------- it works


def test_a_file_is_fetched_once_and_checked_ever_after(server: Behaviour, data: bytes) -> None:
    found = download.fetch(server.url + NAME)
    assert found.path.read_bytes() == data
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    host = server.url.removeprefix("http://").replace(":", "%3A")
    assert found.path == Path(os.environ[cache.VARIABLE]) / host / NAME[1:]
    assert download.fetch(server.url + NAME) == download.in_cache(server.url + NAME) == found
    assert len(server.requests) == 1
    assert sorted(path.name for path in found.path.parent.iterdir()) == [found.path.name, found.path.name + ".json"]
    assert stat.S_IMODE(found.path.stat().st_mode) == 0o666 & ~umask()
    damaged = bytearray(data)
    damaged[100] ^= 1
    found.path.write_bytes(damaged)
    with pytest.raises(CorruptModelError, match=r"was changed or damaged.*Delete it"):
        download.fetch(server.url + NAME)


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_file_put_there_by_hand_is_used(server: Behaviour, data: bytes) -> None:
    place(server).parent.mkdir(parents=True)
    place(server).write_bytes(data)
    assert download.fetch(server.url + NAME).sha256 is None
    assert server.requests == []
    with pytest.raises(CorruptModelError, match="expected 00"):
        download.fetch(f"{server.url}{NAME}#sha256={'0' * 64}")


def test_a_redirect_is_followed(server: Behaviour, data: bytes) -> None:
    server.redirects["/short.zip"] = NAME
    found = download.fetch(server.url + "/short.zip")
    assert (found.path.read_bytes(), found.path.name) == (data, "short.zip")


def test_a_server_without_length(server: Behaviour, data: bytes) -> None:
    server.with_length = False
    assert download.fetch(server.url + NAME).path.read_bytes() == data


def test_a_proxy_is_asked(server: Behaviour, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    announced = f"#sha256={hashlib.sha256(data).hexdigest()}"  # without it, http is refused
    assert download.fetch("http://models.example" + NAME + announced).path.read_bytes() == data
    assert [path for path, _ in server.requests] == ["http://models.example" + NAME]


# -------------------------------------------------------------------------------------------------- resumed


def test_a_cut_connection_goes_on_where_it_stopped(server: Behaviour, data: bytes) -> None:
    server.cuts = [1000, 5000]
    assert download.fetch(server.url + NAME).path.read_bytes() == data
    assert server.asked("Range") == [None, "bytes=1000-", "bytes=6000-"]
    assert server.asked("If-Range") == [None, server.etag(NAME), server.etag(NAME)]
    assert parts(server) == []


def test_a_later_call_goes_on_too(server: Behaviour, data: bytes) -> None:
    server.cuts = [1000, 10, 10, 10]
    with pytest.raises(ModelNotFoundError, match=r"ended after 1030 of \d+ bytes.*put it at") as caught:
        download.fetch(server.url + NAME)
    assert server.url + NAME in str(caught.value)
    assert str(place(server)) in str(caught.value)
    assert not place(server).exists()
    assert [path.stat().st_size for path in place(server).parent.glob(".*.part/data")] == [1030]
    server.requests.clear()
    assert download.fetch(server.url + NAME).path.read_bytes() == data
    assert server.asked("Range") == ["bytes=1030-"]
    assert parts(server) == []


@pytest.mark.parametrize("reason", ["no ranges", "no etag", "weak etag", "changed"])
def test_what_cannot_be_resumed_comes_anew(server: Behaviour, data: bytes, reason: str) -> None:
    server.cuts = [1000] * 4
    if reason == "no ranges":
        server.ranges = False
    elif reason == "no etag":
        server.with_etag = False
    elif reason == "weak etag":
        server.headers["ETag"] = 'W/"x"'
    with pytest.raises(ModelNotFoundError):
        download.fetch(server.url + NAME)
    if reason == "changed":
        out = io.BytesIO(data)
        with zipfile.ZipFile(out, "a") as archive:
            archive.writestr("another", b"y")
        data = server.files[NAME] = out.getvalue()
    assert download.fetch(server.url + NAME).path.read_bytes() == data


def test_the_time_of_the_last_change_serves_where_there_is_no_etag(server: Behaviour, data: bytes) -> None:
    server.with_etag = False
    server.headers["Last-Modified"] = "Tue, 28 Apr 2020 11:29:23 GMT"
    server.cuts = [1000]
    assert download.fetch(server.url + NAME).path.read_bytes() == data
    assert server.asked("If-Range") == [None, "Tue, 28 Apr 2020 11:29:23 GMT"]


def test_a_rest_that_is_not_there_any_more(server: Behaviour, data: bytes) -> None:
    server.cuts = [3000] * 4
    with pytest.raises(ModelNotFoundError):
        download.fetch(server.url + NAME)
    # Beyond the end: a file that became shorter and kept its mark.
    (work,) = parts(server)
    with (work / "data").open("ab") as file:
        file.write(bytes(len(data)))
    server.requests.clear()
    assert download.fetch(server.url + NAME).path.read_bytes() == data
    assert server.asked("Range") == [f"bytes={12_000 + len(data)}-", None]


def test_a_wrong_part_is_not_taken(server: Behaviour, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    server.cuts = [1000]
    real = transfer.Answer
    lies = iter(["bytes 0-9/10", None])

    def answer(status: int, headers: Any, response: Any) -> Any:
        if status == 206 and (lie := next(lies)):
            headers.replace_header("Content-Range", lie)
        return real(status, headers, response)

    monkeypatch.setattr(transfer, "Answer", answer)
    assert download.fetch(server.url + NAME).path.read_bytes() == data
    assert server.asked("Range") == [None, "bytes=1000-", None]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_passes_is_tried_again(server: Behaviour, data: bytes, status: int) -> None:
    server.statuses = [status, status]
    assert download.fetch(server.url + NAME).path.read_bytes() == data
    assert len(server.requests) == 3
    server.statuses = [status] * 4
    server.files["/other.zip"] = data
    with pytest.raises(ModelNotFoundError, match=f"answered {status}"):
        download.fetch(server.url + "/other.zip")


# ------------------------------------------------------------------------------------------------- it fails


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_refusals(server: Behaviour, status: int) -> None:
    server.statuses = [status]
    with pytest.raises(ModelNotFoundError, match=f"answered {status}.*by hand") as caught:
        download.fetch(server.url + NAME)
    assert server.url + NAME in str(caught.value)
    assert len(server.requests) == 1
    assert nothing_left(server)


def test_a_refusal_keeps_what_is_there(server: Behaviour, data: bytes) -> None:
    server.cuts = [1000] + [0] * 3
    with pytest.raises(ModelNotFoundError):
        download.fetch(server.url + NAME)
    server.statuses = [403]
    with pytest.raises(ModelNotFoundError, match="403"):
        download.fetch(server.url + NAME)
    server.requests.clear()
    assert download.fetch(server.url + NAME).path.read_bytes() == data
    assert server.asked("Range") == ["bytes=1000-"]


PAGES = {
    "a page": (b"<html><body>Please log in</body></html>" * 100, "text/html", "a web page came"),
    "a page without type": (b"\n <!DOCTYPE html>" * 100, "application/zip", "a web page came"),
    "something else": (b"\x89PNG" * 100, "application/zip", "no zip file"),
    "half a zip": (None, "application/zip", "no complete zip"),
    "nothing": (b"", "application/zip", "no complete zip"),
}


@pytest.mark.parametrize("what", PAGES)
def test_other_things_than_a_zip(server: Behaviour, data: bytes, what: str) -> None:
    body, kind, message = PAGES[what]
    server.files[NAME] = data[: len(data) // 2] if body is None else body
    server.headers["Content-Type"] = kind
    with pytest.raises(ModelNotFoundError, match=message):
        download.fetch(server.url + NAME)
    assert len(server.requests) == 1, "another attempt would bring the same"
    assert nothing_left(server)


HASHES = {
    "address": lambda digest: (f"#sha256={digest.hex()}", {}),
    "Repr-Digest": lambda digest: ("", {"Repr-Digest": f"sha-256=:{base64.b64encode(digest).decode()}:"}),
    "Digest": lambda digest: ("", {"Digest": f"SHA-256={base64.b64encode(digest).decode()}"}),
    "Amazon": lambda digest: ("", {"x-amz-checksum-sha256": base64.b64encode(digest).decode()}),
}


@pytest.mark.parametrize("where", HASHES)
def test_an_announced_hash(server: Behaviour, data: bytes, where: str) -> None:
    fragment, server.headers = HASHES[where](hashlib.sha256(b"something else").digest())
    with pytest.raises(CorruptModelError, match=r"arrived damaged.*It was deleted"):
        download.fetch(server.url + NAME + fragment)
    assert nothing_left(server)
    fragment, server.headers = HASHES[where](hashlib.sha256(data).digest())
    assert download.fetch(server.url + NAME + fragment).path.read_bytes() == data


def test_a_server_that_says_nothing(server: Behaviour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT", 0.1)
    server.stall = 0.5
    with pytest.raises(ModelNotFoundError, match=r"nothing arrived for 0\.1 seconds"):
        download.fetch(server.url + NAME)
    assert len(server.requests) == 4
    assert nothing_left(server)


def test_a_slow_server_is_waited_for(server: Behaviour, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT", 1.5)
    server.block, server.pause = 1 << 13, 0.08  # longer than the limit as a whole, but never silent for so long
    assert download.fetch(server.url + NAME).path.read_bytes() == data
    assert len(server.requests) == 1


def test_no_server(server: Behaviour) -> None:
    with pytest.raises(ModelNotFoundError, match=r"no connection.*HTTPS_PROXY"):
        download.fetch("http://127.0.0.1:9/x.zip")


def test_a_redirect_in_a_circle_and_to_a_local_file(server: Behaviour) -> None:
    server.redirects |= {"/a.zip": "/b.zip", "/b.zip": "/a.zip", "/c.zip": "file:///etc/passwd", "/d.zip": "ftp://x/y"}
    for name in ("/a.zip", "/c.zip", "/d.zip"):
        with pytest.raises(ModelNotFoundError, match="could not be fetched"):
            download.fetch(server.url + name)


@pytest.mark.parametrize(
    ("old", "new", "followed"),
    [
        ("https://models.example", "https://other.example", True),
        ("https://models.example", "http://models.example", False),
        ("https://models.example", "http://127.0.0.1", False),
        ("http://localhost:80", "http://models.example", False),
        ("http://localhost:80", "http://127.0.0.2:8080", True),
        ("http://localhost:80", "https://models.example", True),
        ("http://models.example", "http://other.example", True),  # its hash was announced
    ],
)
def test_a_redirect_away_from_encryption_is_not_followed(old: str, new: str, followed: bool) -> None:
    request = transfer.urllib.request.Request(f"{old}/x.zip")
    caught: Any = contextlib.nullcontext() if followed else pytest.raises(transfer.RefusedError, match="encryption")
    with caught:
        transfer._Redirects().redirect_request(request, None, 302, "", {}, f"{new}/x.zip")


@pytest.mark.parametrize("host", ["models.example", "192.168.0.1", "127.0.0.1.example", "[2001:db8::1]"])
def test_http_is_refused_without_a_hash(server: Behaviour, host: str, data: bytes) -> None:
    address = f"http://{host}/x.zip?key=secret"
    with pytest.raises(ParameterError, match=r"not encrypted.*https address.*#sha256=.*by hand.*put it at") as caught:
        AlbertEmbeddings.pretrained(address)
    assert "secret" not in str(caught.value)
    path = cache.place(address)
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    assert download.fetch(address).path == path, "what was put there by hand needs no network"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "a.localhost", "[::1]"])
def test_http_is_good_enough_on_this_machine(host: str) -> None:
    assert cache.is_private(f"http://{host}:8080/x.zip")


def test_an_endless_file(server: Behaviour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MAX_BYTES", 1000)
    for server.with_length in (True, False):
        with pytest.raises(ModelNotFoundError, match=r"no ALBERT has|any ALBERT has"):
            download.fetch(server.url + NAME)
        assert nothing_left(server)


def test_an_encoding_nobody_asked_for(server: Behaviour) -> None:
    server.headers["Content-Encoding"] = "gzip"
    with pytest.raises(ModelNotFoundError, match="encoding 'gzip'"):
        download.fetch(server.url + NAME)


# ------------------------------------------------------------------------------------------------- the disk


@pytest.fixture(name="small_disk")
def _small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        pytest.skip("skipped: there is no mount command")
    if done.returncode:
        pytest.skip("skipped: this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("with_length", [True, False])
def test_a_full_disk(
    server: Behaviour, data: bytes, small_disk: Path, monkeypatch: pytest.MonkeyPatch, with_length: bool
) -> None:
    assert len(data) > 64 << 10
    monkeypatch.setenv(cache.VARIABLE, str(small_disk))
    server.with_length = with_length  # with it, the lack is seen before a byte is fetched
    with pytest.raises(ModelNotFoundError, match=rf"{small_disk}.*cannot be written.*{cache.VARIABLE}"):
        download.fetch(server.url + NAME)
    assert nothing_left(server), "a full disk is left as empty as it was"


def test_a_disk_that_fills_up(server: Behaviour, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(download, "_write_all", full)
        with pytest.raises(ModelNotFoundError, match=r"cannot be written.*No space left"):
            download.fetch(server.url + NAME)
    assert nothing_left(server)
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        with pytest.raises(ModelNotFoundError, match="No space left"):
            download.fetch(server.url + NAME)
    assert not place(server).exists()
    assert download.fetch(server.url + NAME).path.read_bytes() == data


@pytest.mark.parametrize("name", ["pathlib.Path.mkdir", "os.open"])
def test_a_read_only_cache(server: Behaviour, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def denied(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(name, denied)
        with pytest.raises(ModelNotFoundError, match=r"cannot be written.*Read-only"):
            download.fetch(server.url + NAME)
    found = download.fetch(server.url + NAME)
    monkeypatch.setattr(name, denied)
    assert download.fetch(server.url + NAME) == found, "what is there needs no writing"


def test_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def nowhere(*_: object) -> None:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.expanduser", nowhere)
    with pytest.raises(ModelNotFoundError, match=cache.VARIABLE):
        cache.root()


# ------------------------------------------------------------------------------------------ many at one time

FETCH = """
import sys
from pathlib import Path
if sys.argv[3] == "no locks":
    import fcntl
    fcntl.flock = lambda *_: None
from albert_fast.models.fetch import download
print(download.fetch(sys.argv[1], Path(sys.argv[2])).sha256)
"""


def start(server: Behaviour, folder: Path, mode: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", FETCH, server.url + NAME, str(folder), mode]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("mode", ["", "no locks"])
def test_sixteen_processes_at_once(server: Behaviour, data: bytes, tmp_path: Path, mode: str) -> None:
    server.block, server.pause = 1 << 14, 0.02
    processes = [start(server, tmp_path / "shared", mode) for _ in range(16)]
    for process in processes:
        out, error = process.communicate(timeout=120)
        assert (process.returncode, error) == (0, "")
        assert out.strip() == hashlib.sha256(data).hexdigest()
    path = cache.place(server.url + NAME, tmp_path / "shared")
    assert path.read_bytes() == data
    assert sorted(item.name for item in path.parent.iterdir()) == [path.name, path.name + ".json"]
    if not mode:
        assert len(server.requests) == 1


def test_killed_at_any_moment_the_next_start_succeeds(server: Behaviour, data: bytes, tmp_path: Path) -> None:
    server.block, server.pause = 1 << 12, 0.01
    path = cache.place(server.url + NAME, tmp_path / "shared")
    moment = random.Random(0)
    for _ in range(8):
        process = start(server, tmp_path / "shared")
        deadline = time.monotonic() + 60
        own = f".*-{process.pid}-*.part"
        while process.poll() is None and not list(path.parent.glob(own)) and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(moment.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert not path.exists() or path.read_bytes() == data
    assert download.fetch(server.url + NAME, tmp_path / "shared").path.read_bytes() == data
    # A process killed between the last rename and the end leaves an empty folder or lock, and no bytes.
    assert [
        item for item in path.parent.rglob("*") if item.stat().st_size and "part" in str(item) and item.is_file()
    ] == []
    assert any(server.asked("Range")), "no start went on where another was killed"


def test_work_of_a_running_process_is_not_taken(
    server: Behaviour, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = place(server).parent
    folder.mkdir(parents=True)
    names = {
        "running": f".{place(server).name}.{partial._host()}-{os.getppid()}-aa.part",
        "elsewhere": f".{place(server).name}.otherhost-1-aa.part",
        "dead": f".{place(server).name}.{partial._host()}-{2**22 + 1}-aa.part",
        "strange": f".{place(server).name}.x.part",
    }
    for name in names.values():
        (folder / name).mkdir()
        (folder / name / "data").write_bytes(b"PK")
    assert download.fetch(server.url + NAME).path.read_bytes() == data
    kept = {key for key, name in names.items() if (folder / name).exists()}
    assert kept == {"running", "elsewhere", "strange"}
    for idle, gone in ((partial.IDLE_ELSEWHERE, "elsewhere"), (partial.IDLE_HERE, "running")):
        old = time.time() - idle - 60
        for path in (folder / names[gone] / "data", folder / names[gone]):
            os.utime(path, (old, old))
        assert [item.name for item in partial._abandoned(place(server))] == [names[gone]]
        (folder / names[gone] / "data").unlink()
        (folder / names[gone]).rmdir()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the state of a process is read from /proc")
def test_the_work_of_a_zombie_is_taken_over(server: Behaviour, data: bytes, tmp_path: Path) -> None:
    """A killed process whose parent does not ask for its end, as in containers without an init."""
    server.block, server.pause = 1 << 12, 0.05
    path = cache.place(server.url + NAME, tmp_path / "shared")
    process = start(server, tmp_path / "shared")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        work = list(path.parent.glob(f".*-{process.pid}-*.part/data"))
        if work and work[0].stat().st_size > 0:
            break
        time.sleep(0.005)
    assert partial._is_running(process.pid)
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and stays a zombie
    assert not partial._is_running(process.pid)
    server.pause = 0.0
    assert download.fetch(server.url + NAME, tmp_path / "shared").path.read_bytes() == data
    assert any(server.asked("Range")), "the next call did not go on where the killed one was"
    process.communicate(timeout=60)


# ------------------------------------------------------------------------------------------------ addresses


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("file:///models/x.zip", "Give its path, without 'file://'"),
        ("ftp://host/x.zip", "https://"),
        ("s3://bucket/x.zip", "https://"),
        ("https://user:secret@host/x.zip", "user name or password"),
        ("https://host/", "names no file"),
        ("https:///x.zip", "names no file"),
        ("https://host:port/x.zip", "no address"),
        ("https://host/x.zip#sha256=12", "64 hexadecimal digits"),
    ],
)
def test_addresses_that_cannot_be(address: str, message: str) -> None:
    assert cache.is_address(address)
    with pytest.raises(ParameterError, match=message) as caught:
        cache.split_address(address)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["albert/albert-base-v2", "/a/b.zip", "./x", "C:\\x", "albert_base_uncased", "a b://c"]
)
def test_what_is_no_address(name: str) -> None:
    assert not cache.is_address(name)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://host/a/b.zip", "host/a/b.zip"),
        ("https://host:8443/b.zip", "host%3A8443/b.zip"),
        ("https://host/../../etc/x.zip", "host/%2E./%2E./etc/x.zip"),
        ("https://host/%2e%2e%2fx/y.zip", "host/%2E.%2Fx/y.zip"),
        ("https://host/.hidden.zip", "host/%2Ehidden.zip"),
        ("https://host/ä ö.zip", "host/%C3%A4 %C3%B6.zip"),
        ("https://host/a?b c", "host/query-7bc716f97404cc10/a"),
        ("https://[::1]:80/x.zip", "%5B%3A%3A1%5D%3A80/x.zip"),
    ],
)
def test_places(address: str, expected: str, tmp_path: Path) -> None:
    split, _ = cache.split_address(address)
    assert cache.place(split, tmp_path) == tmp_path / expected


def test_a_query_is_part_of_the_place_but_of_no_message(server: Behaviour, data: bytes) -> None:
    first = download.fetch(f"{server.url}{NAME}?key=secret word ä")
    assert server.requests[0][0].endswith("?key=secret%20word%20%C3%A4")
    assert first.path != download.fetch(f"{server.url}{NAME}?key=other").path
    assert "secret" not in first.path.with_name(first.path.name + ".json").read_text("utf-8")
    with pytest.raises(ModelNotFoundError, match=r"\?\.\.\. could not be fetched") as caught:
        download.fetch(f"{server.url}/no.zip?key=secret")
    assert "secret" not in str(caught.value)


def test_long_names_fit(tmp_path: Path) -> None:
    path = cache.place(f"https://host/{'x' * 5000}.zip", tmp_path)
    assert len(path.name) < 100
    assert path != cache.place(f"https://host/{'x' * 5001}.zip", tmp_path)


def test_the_bar_counts_bytes(server: Behaviour, data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    server.cuts = [1000]
    download.fetch(server.url + NAME, show_progress=True)
    assert "100%" in capfd.readouterr().err
    download.fetch(server.url + NAME, show_progress=True)
    assert capfd.readouterr().err == "", "what is there needs no bar"
    assert json.loads(place(server).with_name(place(server).name + ".json").read_bytes())["bytes"] == len(data)
