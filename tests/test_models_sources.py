"""Names and addresses -> files: the registry's tables, the order of the sources, zips and hostile zips."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import make_model
from albert_fast import AlbertEmbeddings, cli
from albert_fast.errors import CorruptModelError, MissingDependencyError, ModelNotFoundError
from albert_fast.models import built_in_folder, registry, resolve
from albert_fast.models.fetch import cache, download, sources
from file_server import Behaviour, network_variables, packed, serve

# Spark NLP's AlbertEmbeddings models and nlu's references to them, as their documentation lists them.
MODELS: dict[str, tuple[str, int | None, str]] = {
    "albert_base_uncased": (
        "en", 768,
        "albert en.albert en.embed.albert en.embed.albert.base_uncased en.embed_sentence.albert "
        "embed.albert_base_uncased",
    ),
    "albert_large_uncased": ("en", 1024, "en.embed.albert.large_uncased embed.albert_large_uncased"),
    "albert_xlarge_uncased": ("en", 2048, "en.embed.albert.xlarge_uncased embed.albert_xlarge_uncased"),
    "albert_xxlarge_uncased": ("en", 4096, "en.embed.albert.xxlarge_uncased embed.albert_xxlarge_uncased"),
    "albert_embeddings_albert_base_v1": ("en", 768, "en.embed.albert_base_v1"),
    "albert_embeddings_albert_xlarge_v1": ("en", 2048, "en.embed.albert_xlarge_v1"),
    "albert_embeddings_albert_xxlarge_v1": ("en", 4096, "en.embed.albert_xxlarge_v1"),
    "albert_large_uncased_opt": ("en", 1024, ""),
    "albert_cda": ("en", None, ""),
    "albert_indic": ("xx", 768, "xx.embed.albert.indic"),
    "albert_embeddings_albert_base_arabic": ("ar", 768, "ar.embed.albert"),
    "albert_embeddings_albert_large_arabic": ("ar", 1024, "ar.embed.albert_large_arabic"),
    "albert_embeddings_albert_xlarge_arabic": ("ar", 2048, "ar.embed.albert_xlarge_arabic"),
    "albert_embeddings_albert_german_ner": ("de", None, "de.embed.albert_german_ner"),
    "albert_embeddings_albert_fa_base_v2": ("fa", 768, "fa.embed.albert"),
    "albert_embeddings_albert_fa_zwnj_base_v2": ("fa", 768, "fa.embed.albert_fa_zwnj_base_v2"),
    "albert_persian_farsi_zwnj_base_v2": ("fa", 768, ""),
    "albert_embeddings_fralbert_base": ("fr", 768, "fr.embed.albert"),
    "albert_embeddings_albert_base_japanese_v1": ("ja", 768, "ja.embed.albert_base_japanese_v1"),
    "albert_embeddings_marathi_albert": ("mr", None, "mr.embed.albert"),
    "albert_embeddings_marathi_albert_v2": ("mr", None, "mr.embed.albert_v2"),
    "albert_embeddings_albert_large_bahasa_cased": ("ms", 1024, "ms.embed.albert"),
    "albert_embeddings_albert_base_bahasa_cased": ("ms", 768, "ms.embed.albert_base_bahasa_cased"),
    "albert_embeddings_albert_tiny_bahasa_cased": ("ms", None, "ms.embed.albert_tiny_bahasa_cased"),
    "albert_embeddings_ALR_BERT": ("ro", None, "ro.embed.ALR_BERT"),
}  # fmt: skip
UPLOADS = {
    "albert_base_uncased": ["en_3.1.1_2.4_1624450373237", "en_2.5.0_2.4_1588073363475"],
    "albert_large_uncased": ["en_2.5.0_2.4_1588073397355"],
    "albert_xlarge_uncased": ["en_2.5.0_2.4_1588073443653"],
    "albert_xxlarge_uncased": ["en_2.5.0_2.4_1588073588232"],
    "albert_indic": ["xx_3.4.0_3.0_1643211494926"],
    "albert_large_uncased_opt": ["en_5.0.2_3.0_1690935934328"],
}
BUCKET = "https://s3.amazonaws.com/auxdata.johnsnowlabs.com/public/models/"


# ------------------------------------------------------------------------------------------------ the registry


@pytest.mark.parametrize("name", MODELS)
def test_every_model_of_spark_nlp_has_its_language_sizes_and_references(name: str) -> None:
    lang, dimension, references = MODELS[name]
    entry = registry.lookup(name)
    assert entry is not None
    assert entry.lang == lang
    assert dimension in (None, entry.dimension)
    if entry.geometry is not None:
        assert entry.geometry.hidden_size == entry.dimension
    for reference in references.split():
        assert registry.lookup(reference) is entry
        assert registry.lookup(reference.removeprefix("en.")) is entry
    assert entry.sources[0].kind == "hub"
    assert [source.place for source in entry.sources[1:]] == [
        f"{BUCKET}{name}_{upload}.zip" for upload in UPLOADS.get(name, [])
    ]


def test_the_registry_holds_nothing_else() -> None:
    assert {entry.name for entry in registry.models()} == {*MODELS, registry.BUILT_IN}


def test_the_built_in_model_has_the_sizes_of_its_files() -> None:
    geometry = registry.models()[0].geometry
    config = json.loads((built_in_folder() / "config.json").read_bytes())
    assert geometry is not None
    for name in geometry.__slots__:
        assert getattr(geometry, name) == config[name]
    assert registry.models()[0].dimension == config["hidden_size"]


def test_the_pages_that_list_the_names(golden: Path) -> None:
    pages = golden.parent / "spec"
    if not pages.is_dir():
        pytest.skip("skipped: no pages beside the golden folder")
    nlu = (pages / "nlu.md").read_text("utf-8").partition("### 1.1")[2].partition("\n## ")[0]
    references = re.findall(r"`((?:[a-z]{2}\.)?embed(?:_sentence)?\.[\w.]+)`", nlu)
    assert len(references) > 20
    assert [name for name in references if registry.lookup(name) is None] == []
    spark = (pages / "spark_nlp.md").read_text("utf-8")
    named = re.findall(r"\balbert_(?:embeddings_)?\w+", spark.partition("### 2.2")[2].partition("Many have")[0])
    listed = {name.rstrip("_") for name in named if "tiny" not in name}
    assert len(listed) > 12
    assert [name for name in sorted(listed) if registry.lookup(name) is None] == []
    files = re.findall(r"albert_\w+?_(?:en|xx)_\d+\.\d+\.\d+_\d\.\d_\d{13}", spark)
    known = {upload for entry in registry.models() for upload in entry.uploads}
    assert {f"{name}.zip" for name in files} <= known


def test_the_list_on_the_command_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capfd.readouterr().out)}
    assert rows.keys() == {*MODELS, registry.BUILT_IN}
    base = rows["albert_base_uncased"]
    assert base["geometry"] == {
        "hidden_size": 768, "num_hidden_layers": 12, "intermediate_size": 3072, "embedding_size": 128
    }  # fmt: skip
    assert [source["kind"] for source in base["sources"]] == ["hub", "zip", "zip"]
    assert base["sources"][1]["place"] == BUCKET + "albert_base_uncased_en_3.1.1_2.4_1624450373237.zip"


# ---------------------------------------------------------------------------------------- one after the other


@pytest.fixture(name="data", scope="module")
def _data(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return packed(make_model.write_folder(tmp_path_factory.mktemp("zip") / "m"))


@pytest.fixture(name="server")
def _server(data: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Behaviour]:
    """Serve as the hub, which has nothing, and as the storage of zips at once."""
    for name in network_variables():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "zips"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(download, "PAUSES", (0.0, 0.0, 0.0))
    with serve({}) as behaviour:
        monkeypatch.setenv("HF_ENDPOINT", behaviour.url)
        monkeypatch.setattr(registry, "UPLOADS", behaviour.url + "/zips/")
        yield behaviour


def zip_path(number: int = 0) -> str:
    return f"/zips/albert_base_uncased_{UPLOADS['albert_base_uncased'][number]}.zip"


@pytest.mark.parametrize("number", [0, 1])
def test_the_next_source_is_tried(server: Behaviour, data: bytes, number: int) -> None:
    server.files[zip_path(number)] = data
    files = resolve("albert_base_uncased", "en")
    assert (files.name, files.origin) == ("albert_base_uncased", server.url + zip_path(number))
    assert any("albert-base-v2" in path for path, _ in server.requests), "the hub comes first"
    server.requests.clear()
    assert resolve("en.embed.albert") == files
    assert server.requests == [], "what is in the cache asks nobody"


def test_without_the_hubs_package(server: Behaviour, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    server.files[zip_path()] = data
    assert resolve("albert_base_uncased").origin == server.url + zip_path()
    with pytest.raises(MissingDependencyError, match="huggingface_hub"):
        resolve("albert_embeddings_fralbert_base")


def test_every_place_is_named_with_its_reason(server: Behaviour, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    server.files[zip_path(0)] = b"<html>portal</html>"
    with pytest.raises(ModelNotFoundError) as caught:
        resolve("albert_base_uncased", "en")
    lines = str(caught.value).splitlines()
    assert lines[0] == "albert_base_uncased (en) was not found in any of its places:"
    expected = [
        (f"{server.url}/albert/albert-base-v2", 'pip install "albert_fast[hub]"'),
        (server.url + zip_path(0), "a web page came"),
        (server.url + zip_path(1), "answered 404"),
    ]
    assert len(lines) == 1 + len(expected)
    for number, (line, (address, reason)) in enumerate(zip(lines[1:], expected, strict=True), 1):
        assert line.startswith(f"  {number}. {address}")
        assert line.count(address) == 1
        assert reason in line
    for number in (0, 1):
        place = cache.place(server.url + zip_path(number))
        assert f"put it at {place}" in lines[2 + number]
        assert not place.exists()
    # ... and what it says works.
    place.write_bytes(data)
    assert resolve("albert_base_uncased", "en").pieces == 400


def test_a_damaged_file_ends_the_search(server: Behaviour, data: bytes) -> None:
    server.files[zip_path(0)] = server.files[zip_path(1)] = data
    resolve("albert_base_uncased")
    place = cache.place(server.url + zip_path(0))
    place.write_bytes(data + b"x")
    with pytest.raises(CorruptModelError, match="was changed or damaged"):
        resolve("albert_base_uncased")


@pytest.mark.parametrize("variable", ["ALBERT_FAST_OFFLINE", "HF_HUB_OFFLINE", None])
def test_offline(server: Behaviour, data: bytes, monkeypatch: pytest.MonkeyPatch, variable: str | None) -> None:
    server.files |= {zip_path(): data, "/x.zip": data}
    only = None if variable else True
    if variable:
        monkeypatch.setenv(variable, "1")
    for name in ("albert_base_uncased", f"{server.url}/x.zip"):
        with pytest.raises(
            ModelNotFoundError, match=f"{variable or r'local_files_only=True .--offline. '}.*by hand"
        ) as caught:
            resolve(name, local_files_only=only)
        assert str(Path(os.environ[cache.VARIABLE])) in str(caught.value)
    assert server.requests == []
    if variable:
        monkeypatch.delenv(variable)
    for name in ("albert_base_uncased", f"{server.url}/x.zip"):
        found = resolve(name)
        if variable:
            monkeypatch.setenv(variable, "1")
        assert resolve(name, local_files_only=only) == found
        if variable:
            monkeypatch.delenv(variable)


def test_a_revision_is_the_hubs(server: Behaviour, data: bytes) -> None:
    server.files[zip_path()] = data
    with pytest.raises(ModelNotFoundError, match="refs/pr/1"):
        resolve("albert_base_uncased", revision="refs/pr/1")
    assert not any("/zips/" in path for path, _ in server.requests)


# -------------------------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize("inside", ["", "model/"])
def test_an_address_works_as_a_name(
    server: Behaviour, tiny_folder: Path, tmp_path: Path, inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["/my.zip"] = packed(tiny_folder, inside)
    model = AlbertEmbeddings.pretrained(f"{server.url}/my.zip", cache_dir=tmp_path / "own")
    expected = AlbertEmbeddings.load(tiny_folder).embed(["I love NLP"]).vectors
    assert (model.embed(["I love NLP"]).vectors == expected).all()
    assert model._model_files().name == "my"
    assert cache.place(f"{server.url}/my.zip", tmp_path / "own").is_file()
    assert not (tmp_path / "zips").exists()
    assert cli.main(["info", f"{server.url}/my.zip", "--cache-dir", str(tmp_path / "own")]) == 0


def test_another_zip_of_the_same_address(server: Behaviour, tmp_path: Path) -> None:
    address = f"{server.url}/download"
    for seed in (1, 2):
        folder = make_model.write_folder(tmp_path / f"m{seed}", seed=seed)
        server.files["/download"] = packed(folder)
        found = AlbertEmbeddings.pretrained(address).embed("some words").vectors
        assert (found == AlbertEmbeddings.load(folder).embed("some words").vectors).all()
        cache.place(address).unlink()


def test_other_addresses(server: Behaviour, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=rf"There is no folder or file {tmp_path}/x\.zip"):
        resolve(f"file://{tmp_path}/x.zip")
    with pytest.raises(ModelNotFoundError, match="answered 404"):
        resolve(f"{server.url}/nothing.zip")


# ----------------------------------------------------------------------------------------------- hostile zips


def zipped(entries: list[tuple[Any, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, content in entries:
            file.writestr(name, content)
    return out.getvalue()


def link(name: str, kind: int = stat.S_IFLNK) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o777) << 16
    return info


def renamed(data: bytes, old: bytes, new: bytes) -> bytes:
    assert len(old) == len(new)
    return data.replace(old, new)


def flagged(data: bytes) -> bytes:
    """Set the bit that says "encrypted" in the one entry's two headers."""
    changed = bytearray(data)
    changed[6] |= 1
    changed[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


HOSTILE = {
    "up": zipped([("../evil", b"x")]),
    "up inside": zipped([("a/../../evil", b"x")]),
    "absolute": zipped([("/tmp/evil", b"x")]),
    "backslash": renamed(zipped([("..?evil", b"x")]), b"..?evil", b"..\\evil"),
    "drive": zipped([("C:evil", b"x")]),
    "NUL": renamed(zipped([("a?../evil", b"x")]), b"a?../evil", b"a\0../evil"),
    "link": zipped([(link("config.json"), b"/etc/passwd")]),
    "device": zipped([(link("config.json", stat.S_IFCHR), b"")]),
    "bomb": zipped([("config.json", bytes(200 << 20))]),
    "twice": renamed(zipped([("a", b"1"), ("b", b"2")]), b"b", b"a"),
    "encrypted": flagged(zipped([("config.json", b"{}")])),
    "method": zipped([("config.json", b"{}" * 100)], zipfile.ZIP_LZMA),
    "many": zipped([(str(number), b"") for number in range(10_001)]),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_zips_are_refused_before_anything_is_written(server: Behaviour, tmp_path: Path, what: str) -> None:
    server.files["/x.zip"] = HOSTILE[what]
    # A strange name that leads nowhere is no danger to a reader that writes nothing: then it is no model either.
    kinds = (CorruptModelError, ModelNotFoundError) if what in ("drive", "NUL") else CorruptModelError
    with pytest.raises(kinds):
        resolve(f"{server.url}/x.zip")
    place = cache.place(f"{server.url}/x.zip")
    assert sorted(path.name for path in place.parent.iterdir()) == ["x.zip", "x.zip.json"]
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("keep", [0.3, 0.7])
def test_a_cut_or_changed_zip_in_the_cache(server: Behaviour, data: bytes, keep: float) -> None:
    address = f"{server.url}/x.zip"
    place = cache.place(address)
    place.parent.mkdir(parents=True)
    place.write_bytes(data[: int(len(data) * keep)])  # put there by hand, so without a hash
    with pytest.raises(CorruptModelError):
        AlbertEmbeddings.pretrained(address)
    changed = bytearray(data)
    changed[int(len(data) * keep)] ^= 1
    place.write_bytes(changed)
    with pytest.raises(CorruptModelError):
        AlbertEmbeddings.pretrained(address)


def test_the_order_is_caches_first(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    marker = object()

    def cached(source: registry.Source, *_: object) -> object:
        asked.append("cache " + source.kind)
        return marker if len(asked) == 3 else None

    monkeypatch.setattr(sources, "_cached", cached)
    entry = registry.lookup("albert_base_uncased")
    assert entry is not None
    assert sources.fetch_entry(entry, sources.Options()) is marker
    assert asked == ["cache hub", "cache zip", "cache zip"]
