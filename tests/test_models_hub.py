"""Models from the hub, against a local server that answers the few routes that huggingface_hub uses."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

import containers
import make_model
from albert_fast.errors import CorruptModelError, MissingDependencyError, ModelNotFoundError
from albert_fast.models import registry, resolve
from albert_fast.models.fetch import hub
from file_server import network_variables

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "albert/albert-base-v2"


def git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@dataclass
class FakeHub:
    """One repository; large files are announced by SHA-256, others by git's hash, as the real hub does."""

    files: dict[str, bytes]
    commit: str = COMMIT
    revisions: tuple[str, ...] = ("main",)
    damage: dict[str, bytes] = field(default_factory=dict)
    status: int | None = None
    requests: list[str] = field(default_factory=list)
    url: str = ""

    def etag(self, name: str) -> str:
        data = self.files[name]
        return hashlib.sha256(data).hexdigest() if name.endswith((".safetensors", ".model", ".bin")) else git_hash(data)

    def sibling(self, name: str) -> dict[str, Any]:
        data = self.files[name]
        item: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": git_hash(data)}
        if len(self.etag(name)) == 64:
            item["lfs"] = {"sha256": self.etag(name), "size": len(data), "pointerSize": 134}
        return item


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def answer(self, with_body: bool) -> None:
        fake = self.server.fake
        path = unquote(urlsplit(self.path).path)
        fake.requests.append(f"{self.command} {path}")
        if fake.status is not None:
            self.reply(fake.status, b"{}", {}, with_body)
        elif path.startswith(f"/api/models/{REPO}"):
            self.answer_info(path, with_body)
        elif path.startswith(f"/{REPO}/resolve/"):
            self.answer_file(path.removeprefix(f"/{REPO}/resolve/"), with_body)
        else:
            self.reply(401, b"{}", {"X-Error-Code": "RepoNotFound", "X-Error-Message": "no such repo"}, with_body)

    def answer_info(self, path: str, with_body: bool) -> None:
        fake = self.server.fake
        _, _, revision = path.partition("/revision/")
        if revision and revision not in (*fake.revisions, fake.commit):
            self.reply(404, b"{}", {"X-Error-Code": "RevisionNotFound"}, with_body)
            return
        content = {"id": REPO, "sha": fake.commit, "siblings": [fake.sibling(name) for name in fake.files]}
        self.reply(200, json.dumps(content).encode(), {"Content-Type": "application/json"}, with_body)

    def answer_file(self, rest: str, with_body: bool) -> None:
        fake = self.server.fake
        revision = next((r for r in (*fake.revisions, fake.commit) if rest.startswith(r + "/")), None)
        name = rest.removeprefix(f"{revision}/")
        if revision is None or name not in fake.files:
            self.reply(404, b"{}", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": fake.commit}, with_body)
            return
        data = fake.damage.get(name, fake.files[name])
        size = str(len(fake.files[name]))
        headers = {"ETag": f'"{fake.etag(name)}"', "X-Repo-Commit": fake.commit, "X-Linked-Size": size}
        asked = self.headers.get("Range", "")
        if with_body and asked.startswith("bytes=") and asked.endswith("-"):  # older clients go on where they stopped
            begin = int(asked[6:-1])
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
            self.reply(206, data[begin:], headers, with_body)
            return
        self.reply(200, data, headers, with_body)

    def reply(self, status: int, body: bytes, headers: dict[str, str], with_body: bool) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    fake: FakeHub


@pytest.fixture(name="content", scope="module")
def _content(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = make_model.write_folder(tmp_path_factory.mktemp("hub") / "m", prefix="albert.", heads=True)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return {**files, "tokenizer_config.json": b'{"model_max_length": 512}', "pytorch_model.bin": b"x" * 1000}


@pytest.fixture(name="fake")
def _fake(content: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    for name in network_variables():
        monkeypatch.delenv(name, raising=False)
    server = Server(("127.0.0.1", 0), Handler)
    server.fake = FakeHub(dict(content))
    server.fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("HF_ENDPOINT", server.fake.url)
    monkeypatch.setattr(registry, "UPLOADS", server.fake.url + "/no-zips/")
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.fake
    server.shutdown()
    thread.join()
    server.server_close()


def snapshot(cache: Path) -> Path:
    return cache / f"models--{REPO.replace('/', '--')}" / "snapshots" / COMMIT


# ------------------------------------------------------------------------------------------------- it works


@pytest.mark.parametrize("name", [REPO, "albert_base_uncased", "en.embed.albert", "embed.albert", "albert-base-v2"])
def test_fetches_only_what_is_needed_and_records_what_was_announced(fake: FakeHub, tmp_path: Path, name: str) -> None:
    files = resolve(name, cache_dir=tmp_path)
    assert files.name == (REPO if name == REPO else "albert_base_uncased")
    assert (files.origin, files.revision, files.pieces) == (REPO, COMMIT, 400)
    assert not any("pytorch_model.bin" in request for request in fake.requests)
    expected = {key: hashlib.sha256(fake.files[key]).hexdigest() for key in ("model.safetensors", "spiece.model")}
    assert files.sha256 == expected
    assert files.git_sha1["config.json"] == git_hash(fake.files["config.json"])
    written = json.loads((snapshot(tmp_path) / "albert_fast.json").read_text("utf-8"))
    assert (written["sha256"], written["revision"], written["source"]) == (expected, COMMIT, REPO)


def test_a_cached_model_asks_nothing(fake: FakeHub, tmp_path: Path) -> None:
    first = resolve("albert_base_uncased", "en", cache_dir=tmp_path)
    fake.requests.clear()
    again = resolve("albert_base_uncased", "en", cache_dir=tmp_path)
    assert fake.requests == []
    assert again == first


def test_a_cached_model_needs_no_package(fake: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = resolve("albert_base_uncased", cache_dir=tmp_path)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert resolve("albert_base_uncased", cache_dir=tmp_path) == first
    assert resolve(REPO, cache_dir=tmp_path, revision=COMMIT).weights == first.weights
    for revision in ("v9", "../../x", COMMIT.replace("0", "1")):
        with pytest.raises(MissingDependencyError):
            resolve(REPO, cache_dir=tmp_path, revision=revision)


@pytest.mark.parametrize("variable", ["ALBERT_FAST_OFFLINE", "HF_HUB_OFFLINE", None])
def test_offline_uses_the_cache_and_says_what_is_missing(
    fake: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    resolve(REPO, cache_dir=tmp_path / "full")
    fake.requests.clear()
    if variable:
        monkeypatch.setenv(variable, "1")
    only = None if variable else True
    assert resolve(REPO, cache_dir=tmp_path / "full", local_files_only=only).pieces == 400
    with pytest.raises(ModelNotFoundError, match=variable or r"local_files_only=True .--offline. ") as caught:
        resolve("albert_base_uncased", cache_dir=tmp_path / "empty", local_files_only=only)
    message = str(caught.value)
    for part in (REPO, str(tmp_path / "empty"), "config.json", "spiece.model", "AlbertEmbeddings.load"):
        assert part in message
    assert fake.requests == []


def test_a_cache_filled_by_another_program_is_checked_by_its_blob_names(fake: FakeHub, tmp_path: Path) -> None:
    resolve(REPO, cache_dir=tmp_path)
    (snapshot(tmp_path) / "albert_fast.json").unlink()
    files = resolve(REPO, cache_dir=tmp_path)
    assert files.revision == COMMIT
    assert files.sha256["model.safetensors"] == hashlib.sha256(fake.files["model.safetensors"]).hexdigest()
    assert files.git_sha1["config.json"] == git_hash(fake.files["config.json"])
    flip_last_byte((snapshot(tmp_path) / "model.safetensors").resolve())
    with pytest.raises(CorruptModelError, match=r"model\.safetensors was changed or damaged"):
        resolve(REPO, cache_dir=tmp_path)


def test_a_read_only_cache_loads(fake: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(REPO, cache_dir=tmp_path)
    (snapshot(tmp_path) / "albert_fast.json").unlink()
    folder = snapshot(tmp_path)
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert resolve(REPO, cache_dir=tmp_path).pieces == 400
    finally:
        folder.chmod(stat.S_IRWXU)


def test_a_revision_is_asked_for_and_kept_apart(fake: FakeHub, tmp_path: Path) -> None:
    fake.revisions = ("main", "refs/pr/1")
    assert resolve(REPO, cache_dir=tmp_path, revision="refs/pr/1").revision == COMMIT
    fake.requests.clear()
    assert resolve(REPO, cache_dir=tmp_path, revision="refs/pr/1").revision == COMMIT
    assert resolve(REPO, cache_dir=tmp_path, revision=COMMIT).revision == COMMIT
    assert fake.requests == []


def test_a_tokenizer_json_is_fetched_where_there_is_no_spiece_model(fake: FakeHub, tmp_path: Path) -> None:
    make_model.write_tokenizer_json(tmp_path / "tokenizer.json", fake.files.pop("spiece.model"))
    fake.files["tokenizer.json"] = (tmp_path / "tokenizer.json").read_bytes()
    assert resolve(REPO, cache_dir=tmp_path / "cache").pieces == 400
    fake.requests.clear()
    assert resolve(REPO, cache_dir=tmp_path / "cache").pieces == 400
    assert fake.requests == []


def test_cached_models_are_listed(fake: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert hub.cached_models() == []
    resolve(REPO)
    assert hub.cached_models() == [REPO]


# ------------------------------------------------------------------------------------------------- it fails


def flip_last_byte(path: Path) -> None:
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize("name", ["config.json", "spiece.model", "model.safetensors", "tokenizer_config.json"])
def test_a_damaged_file_is_refused_and_removed(fake: FakeHub, tmp_path: Path, name: str) -> None:
    fake.damage[name] = flipped(fake.files[name])
    with pytest.raises(CorruptModelError, match=rf"{name}.*announced") as caught:
        resolve(REPO, cache_dir=tmp_path)
    assert fake.etag(name) in str(caught.value)
    assert "Try again" in str(caught.value)
    assert not (snapshot(tmp_path) / name).exists()
    fake.damage.clear()
    assert resolve(REPO, cache_dir=tmp_path).pieces == 400


def test_a_page_in_place_of_a_file_is_refused(fake: FakeHub, tmp_path: Path) -> None:
    size = len(fake.files["model.safetensors"])
    fake.damage["model.safetensors"] = b"<html>please log in</html>".ljust(size)
    with pytest.raises(CorruptModelError, match="announced"):
        resolve(REPO, cache_dir=tmp_path)


def test_a_file_of_the_wrong_size_is_refused(fake: FakeHub, tmp_path: Path) -> None:
    fake.damage["model.safetensors"] = fake.files["model.safetensors"][:-10]
    with pytest.raises(CorruptModelError):
        resolve(REPO, cache_dir=tmp_path)
    fake.damage.clear()
    assert resolve(REPO, cache_dir=tmp_path).pieces == 400


def test_a_file_changed_later_is_refused_with_the_way_out(fake: FakeHub, tmp_path: Path) -> None:
    resolve(REPO, cache_dir=tmp_path)
    flip_last_byte((snapshot(tmp_path) / "spiece.model").resolve())
    with pytest.raises(CorruptModelError, match=r"spiece\.model was changed or damaged.*Delete it"):
        resolve(REPO, cache_dir=tmp_path)


def test_unknown_repository_and_revision(fake: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="has no model nobody/nothing"):
        resolve("nobody/nothing", cache_dir=tmp_path)
    with pytest.raises(ModelNotFoundError, match="no revision 'v9'"):
        resolve(REPO, cache_dir=tmp_path, revision="v9")


def test_pytorch_weights_are_fetched_where_there_are_no_others(fake: FakeHub, tmp_path: Path) -> None:
    weights = make_model.make_weights(make_model.TINY)
    del fake.files["model.safetensors"]
    fake.files["pytorch_model.bin"] = containers.torch_zip(weights)
    files = resolve(REPO, cache_dir=tmp_path)
    assert files.sha256["pytorch_model.bin"] == hashlib.sha256(fake.files["pytorch_model.bin"]).hexdigest()
    assert {entry.name for entry in files.tensors} == set(weights)
    fake.requests.clear()
    assert resolve(REPO, cache_dir=tmp_path) == files
    assert fake.requests == []
    flip_last_byte((snapshot(tmp_path) / "pytorch_model.bin").resolve())
    with pytest.raises(CorruptModelError, match=r"pytorch_model\.bin was changed or damaged"):
        resolve(REPO, cache_dir=tmp_path)


def test_a_repository_without_safetensors_says_so(fake: FakeHub, tmp_path: Path) -> None:
    del fake.files["model.safetensors"], fake.files["pytorch_model.bin"]
    fake.files["tf_model.h5"] = b"x"
    with pytest.raises(ModelNotFoundError, match=r"has no model\.safetensors.*it has: .*tf_model\.h5.*refs/pr/1"):
        resolve("albert_base_uncased", cache_dir=tmp_path)


@pytest.mark.parametrize("status", [403, 404])
def test_refusals_of_the_server(fake: FakeHub, tmp_path: Path, status: int) -> None:
    fake.status = status
    with pytest.raises(ModelNotFoundError, match=fake.url):
        resolve(REPO, cache_dir=tmp_path)


def test_no_server(fake: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelNotFoundError, match=r"could not be fetched from http://127\.0\.0\.1:9.*load that folder"):
        resolve(REPO, cache_dir=tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_cache_that_cannot_be_written(fake: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir(mode=0o500)
    with pytest.raises(ModelNotFoundError, match="cannot be written"):
        resolve(REPO, cache_dir=tmp_path / "cache")


def test_a_full_disk(fake: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", full)
    with pytest.raises(ModelNotFoundError, match=r"cannot be written.*HF_HUB_CACHE"):
        resolve(REPO, cache_dir=tmp_path)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "albert_fast\[hub\]"'):
        resolve(REPO, cache_dir=tmp_path)


# ------------------------------------------------------------------------------------------------- registry


def test_every_name_and_reference_is_known_once() -> None:
    entries = registry.models()
    names = [name for entry in entries for name in (entry.name, *entry.aliases)]
    assert len(names) == len(set(names))
    for entry in entries:
        assert registry.lookup(entry.name) is entry
        assert entry.hub is None or registry.is_hub_id(entry.hub)
        for alias in entry.aliases:
            assert registry.lookup(alias) is entry
            assert registry.lookup(alias.removeprefix("en.")) is entry


@pytest.mark.parametrize(
    ("name", "close"),
    [("albert_base_uncase", "albert_base_uncased"), ("Albert-Large-Uncased", "albert_large_uncased"),
     ("en.embed.albert.xlarge", "en.embed.albert.xlarge_uncased")],
)  # fmt: skip
def test_unknown_names_get_close_ones(name: str, close: str, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=f"Did you mean .*{close}"):
        resolve(name, cache_dir=tmp_path)


def test_the_language_is_checked(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="language 'en', not 'fr'"):
        resolve("albert_base_uncased", "fr", cache_dir=tmp_path)


def test_a_model_without_a_known_place(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = registry.Entry("albert_lost", "en", "base", 768, None)
    monkeypatch.setattr(registry, "_ENTRIES", (*registry.models(), lost))
    with pytest.raises(ModelNotFoundError, match=r"not known where.*AlbertEmbeddings\.load"):
        resolve("albert_lost")


@pytest.mark.parametrize("name", ["a/b/c", "../x/y", "a--b/c", "a/..", "-a/b", "a/ b"])
def test_what_is_no_hub_id(name: str) -> None:
    assert not registry.is_hub_id(name)
