"""The command albert-fast: arguments, formats, exit codes, files that are complete or not there.

A stand-in takes the place of the model, so that every number in the output can be foretold; the last tests run the
real one where the core is built.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import itertools
import json
import lzma
import os
import re
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

import albert_fast
import make_model
from albert_fast import cli
from albert_fast.cli.line_reader import LineReader
from albert_fast.errors import InputError, ModelNotFoundError


class Result:
    """What the model returns: words at blanks, vectors [text number in the chunk, row, 1/3]."""

    def __init__(self, texts: list[str], level: str) -> None:
        self.texts = texts
        rows: list[tuple[int, str, int, int]] = []
        splits = [0]
        for number, text in enumerate(texts):
            if level == "document":
                rows.append((number, text, 0, len(text) - 1))
            else:
                pattern = r"[^.]+\.?" if level == "sentence" else r"\S+"
                rows += [(number, m.group(), m.start(), m.end() - 1) for m in re.finditer(pattern, text)]
            splits.append(len(rows))
        self.words = [row[1] for row in rows]
        self.begin = np.array([row[2] for row in rows], np.int32)
        self.end = np.array([row[3] for row in rows], np.int32)
        self.row_splits = np.array(splits, np.int64)
        self.vectors = np.array([[row[0], i, 1 / 3] for i, row in enumerate(rows)], np.float32).reshape(-1, 3)


class StandIn:
    calls: list[tuple[str, Any]]
    chunk_sizes: list[int]

    def __init__(self) -> None:
        self.calls = []
        self.chunk_sizes = []
        self.fail_at: int | None = None
        self.error: BaseException = InputError("text 3 is bad. Mend it.")

    def pretrained(self, name: str, lang: str | None = None, **options: Any) -> StandIn:
        self.calls.append(("pretrained", (name, lang, options)))
        return self

    def load(self, path: str, **options: Any) -> StandIn:
        self.calls.append(("load", (path, options)))
        return self

    def embed(self, texts: list[str], level: str) -> Result:
        return Result(texts, level)

    def stream_chunks(self, chunks: Iterable[Sequence[str]], level: str, **options: Any) -> Iterator[Result]:
        self.calls.append(("stream_chunks", options))
        count = 0
        for chunk in chunks:
            self.chunk_sizes.append(len(chunk))
            for first in range(0, len(chunk), 2):
                if self.fail_at is not None and count >= self.fail_at:
                    raise self.error
                count += 1
                yield Result(list(chunk[first : first + 2]), level)


@pytest.fixture(name="model")
def _model(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn()
    monkeypatch.setattr(albert_fast, "AlbertEmbeddings", stand_in, raising=False)
    return stand_in


class Input:
    """A standard input with given bytes."""

    def __init__(self, data: bytes, is_terminal: bool = False) -> None:
        self._descriptor = os.memfd_create("input")
        os.write(self._descriptor, data)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._is_terminal = is_terminal

    def __del__(self) -> None:
        os.close(self._descriptor)

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return self._is_terminal


def lines(capfd: pytest.CaptureFixture[str]) -> list[Any]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


TEXTS = ["a bb", "", "ccc", "Zürich 🙂 x", "last"]


# -------------------------------------------------------------------------------------------------- output


def test_words_as_json_lines(model: StandIn, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["embed", *TEXTS]) == 0
    found = lines(capfd)
    assert [line["text"] for line in found] == TEXTS
    assert found[0]["words"] == [
        {"word": "a", "begin": 0, "end": 0, "vector": [0.0, 0.0, found[0]["words"][0]["vector"][2]]},
        {"word": "bb", "begin": 2, "end": 3, "vector": [0.0, 1.0, found[0]["words"][1]["vector"][2]]},
    ]
    assert np.float32(found[0]["words"][0]["vector"][2]) == np.float32(1 / 3), "every digit of a float32 must survive"
    assert found[1]["words"] == []
    assert [word["word"] for word in found[3]["words"]] == ["Zürich", "🙂", "x"]


def test_other_levels(model: StandIn, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["embed", "One. Two.", "--level", "sentence"]) == 0
    assert [s["sentence"] for s in lines(capfd)[0]["sentences"]] == ["One.", " Two."]
    assert cli.main(["embed", "One. Two.", "x", "--level", "document"]) == 0
    assert [line["vector"][0] for line in lines(capfd)] == [0, 1]
    assert cli.main(["embed", "ab c", "--level", "piece"]) == 0
    assert [p["piece"] for p in lines(capfd)[0]["pieces"]] == ["ab", "c"]
    assert cli.main(["embed", "ab c", "--level", "token"]) == 0
    assert [w["word"] for w in lines(capfd)[0]["words"]] == ["ab", "c"]


@pytest.mark.parametrize("level", ["word", "document"])
def test_npy(model: StandIn, tmp_path: Path, level: str) -> None:
    path = tmp_path / "out.npy"
    assert cli.main(["embed", *TEXTS, "--output", str(path), "--level", level]) == 0
    vectors = np.load(path)
    expected = [Result(TEXTS[i : i + 2], level).vectors for i in range(0, len(TEXTS), 2)]
    np.testing.assert_array_equal(vectors, np.concatenate(expected))
    assert vectors.dtype == np.float32
    assert [p.name for p in tmp_path.iterdir()] == ["out.npy"]


def test_npz(model: StandIn, tmp_path: Path) -> None:
    path = tmp_path / "out.npz"
    assert cli.main(["embed", *TEXTS, "--output", str(path)]) == 0
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    assert set(arrays) == {"vectors", "words", "begin", "end", "row_splits"}
    assert arrays["row_splits"].tolist() == [0, 2, 2, 3, 6, 7]
    assert arrays["words"].tolist() == ["a", "bb", "ccc", "Zürich", "🙂", "x", "last"]
    for number, text in enumerate(TEXTS):
        for row in range(*arrays["row_splits"][number : number + 2]):
            assert text[arrays["begin"][row] : arrays["end"][row] + 1] == arrays["words"][row]
    assert arrays["vectors"].shape == (7, 3)
    assert [p.name for p in tmp_path.iterdir()] == ["out.npz"]


def test_npz_of_documents(model: StandIn, tmp_path: Path) -> None:
    path = tmp_path / "out.npz"
    assert cli.main(["embed", *TEXTS, "--output", str(path), "--level", "document"]) == 0
    with np.load(path) as archive:
        assert sorted(archive.files) == ["row_splits", "vectors"]
        assert archive["row_splits"].tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", ["out.jsonl", "out.npy", "out.npz"])
def test_no_texts_give_an_empty_file(model: StandIn, tmp_path: Path, name: str) -> None:
    (tmp_path / "in.txt").write_bytes(b"")
    assert cli.main(["embed", "--input", str(tmp_path / "in.txt"), "--output", str(tmp_path / name)]) == 0
    if name == "out.jsonl":
        assert (tmp_path / name).read_bytes() == b""
    elif name == "out.npy":
        assert np.load(tmp_path / name).shape == (0, 3)
    else:
        with np.load(tmp_path / name) as archive:
            assert archive["vectors"].shape == (0, 3)
            assert archive["row_splits"].tolist() == [0]
            assert archive["words"].shape == archive["begin"].shape == (0,)


def test_many_rows_keep_the_header_readable(model: StandIn, tmp_path: Path) -> None:
    path = tmp_path / "out.npy"
    (tmp_path / "in.txt").write_text("w\n" * 12_345, "utf-8")
    assert cli.main(["embed", "--input", str(tmp_path / "in.txt"), "--output", str(path)]) == 0
    assert np.load(path, mmap_mode="r").shape == (12_345, 3)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_output_files_have_the_usual_mode(model: StandIn, tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("")
    assert cli.main(["embed", "x", "--output", str(tmp_path / "o.npy")]) == 0
    assert (tmp_path / "o.npy").stat().st_mode == (tmp_path / "usual").stat().st_mode


# -------------------------------------------------------------------- output that is no file of its own


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_is_followed(model: StandIn, tmp_path: Path, exists: bool) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "target", tmp_path / "link.npy"
    if exists:
        target.write_text("the old one")
    link.symlink_to("there/target")
    assert cli.main(["embed", *TEXTS, "--output", str(link)]) == 0
    assert link.is_symlink()
    assert np.load(target).shape == (7, 3)
    assert [p.name for p in target.parent.iterdir()] == ["target"]


@pytest.mark.parametrize("name", ["pipe.jsonl", "pipe"])
def test_a_pipe_stays_a_pipe(model: StandIn, tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with subprocess.Popen(["cat", str(tmp_path / name)], stdout=subprocess.PIPE) as reader:
        assert cli.main(["embed", *TEXTS, "--output", str(tmp_path / name)]) == 0
        out, _ = reader.communicate(timeout=60)
    assert [json.loads(line)["text"] for line in out.splitlines()] == TEXTS
    assert (tmp_path / name).is_fifo()


@pytest.mark.parametrize("name", ["pipe.npy", "pipe.npz"])
def test_formats_that_need_a_file(model: StandIn, tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    os.mkfifo(tmp_path / name)
    assert cli.main(["embed", *TEXTS, "--output", str(tmp_path / name)]) == 2
    assert re.search(rf"{name}: this is a pipe .* \.jsonl\.$", capfd.readouterr().err)
    assert model.calls == []


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_names_of_the_standard_output(model: StandIn, capfd: pytest.CaptureFixture[str], name: str) -> None:
    assert cli.main(["embed", *TEXTS, "--output", name]) == 0
    assert [line["text"] for line in lines(capfd)] == TEXTS


def test_a_descriptor_is_written_to_where_it_stands(model: StandIn, tmp_path: Path) -> None:
    path = tmp_path / "all"
    with path.open("wb") as file:
        file.write(b"before\n")
        file.flush()
        assert cli.main(["embed", "x", "--output", f"/dev/fd/{file.fileno()}"]) == 0
        file.write(b"after\n")
    first, second, third = path.read_bytes().splitlines()
    assert (first, json.loads(second)["text"], third) == (b"before", "x", b"after")


# --------------------------------------------------------------------------------------------------- input


@pytest.mark.parametrize("arguments", [["-"], [], ["--input", "-"]])
def test_standard_input(
    model: StandIn, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    data = "one two\n\nthree\r\nvertical\x0btab, next\x85line, \u2028 and \u2029".encode()
    monkeypatch.setattr(sys, "stdin", Input(data))
    assert cli.main(["embed", *arguments]) == 0
    assert [line["text"] for line in lines(capfd)] == data.decode().replace("\r\n", "\n").split("\n")
    assert model.calls[-1] == ("stream_chunks", {"total": None}), "nobody knows how many there will be"


def test_an_input_file_with_a_byte_order_mark(
    model: StandIn, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.txt").write_bytes(b"\xef\xbb\xbfone\n" + "zwölf\n".encode())
    assert cli.main(["embed", "--input", str(tmp_path / "in.txt")]) == 0
    assert [line["text"] for line in lines(capfd)] == ["one", "zwölf"]


def test_input_that_is_not_utf_8(model: StandIn, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.txt").write_bytes(b"good\n" + "zwölf\n".encode("latin-1"))
    out = tmp_path / "out.npy"
    assert cli.main(["embed", "--input", str(tmp_path / "in.txt"), "--output", str(out)]) == 1
    assert "Line 2 of" in capfd.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.txt"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("one\ntwo\n".encode("utf-16"), "is UTF-16, .*first bytes are FF FE.*iconv -f utf-16 "),
        (b"\xfe\xff" + "one\n".encode("utf-16-be"), "is UTF-16, .*first bytes are FE FF.*iconv -f utf-16 "),
        ("one\n".encode("utf-32"), "is UTF-32, .*first bytes are FF FE 00 00.*iconv -f utf-32 "),
    ],
)
def test_the_encodings_of_other_systems_are_named(
    model: StandIn, tmp_path: Path, capfd: pytest.CaptureFixture[str], data: bytes, said: str
) -> None:
    (tmp_path / "in.txt").write_bytes(data)
    assert cli.main(["embed", "--input", str(tmp_path / "in.txt")]) == 1
    assert re.search(f"in.txt {said}", complaint(capfd))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (gzip.compress(b"one\ntwo\n"), r"in\.txt is compressed with gzip.*: zcat FILE \| albert-fast embed\.$"),
        (bz2.compress(b"one\ntwo\n"), r"in\.txt is compressed with bzip2.*bzcat"),
        (lzma.compress(b"one\ntwo\n"), r"in\.txt is compressed with xz.*xzcat"),
        (b"\x28\xb5\x2f\xfd\x04\x00", r"in\.txt is compressed with zstd.*zstdcat"),
        (b"PK\x03\x04\x14\x00", r"in\.txt is a zip archive.*unzip -p"),
        (b"PAR1\x15\x04\x15", r"in\.txt is a Parquet file.*in Python, AlbertEmbeddings\.stream"),
    ],
)
def test_files_that_are_no_text_are_named(
    model: StandIn, tmp_path: Path, capfd: pytest.CaptureFixture[str], data: bytes, said: str
) -> None:
    (tmp_path / "in.txt").write_bytes(data)
    assert cli.main(["embed", "--input", str(tmp_path / "in.txt")]) == 1
    assert re.search(said, complaint(capfd))


def test_texts_that_begin_as_such_files_do(model: StandIn, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    texts = ["PAR1 is four letters", "PK", "BZh"]
    for text in texts:
        (tmp_path / "in.txt").write_text(text, "utf-8")
        assert cli.main(["embed", "--input", str(tmp_path / "in.txt")]) == 0
    assert [line["text"] for line in lines(capfd)] == texts


@pytest.mark.parametrize("ending", ["csv", "TSV", "jsonl"])
def test_tables_are_read_as_lines_and_it_is_said(
    model: StandIn, tmp_path: Path, capfd: pytest.CaptureFixture[str], ending: str
) -> None:
    (tmp_path / f"in.{ending}").write_text('text,label\n"a, b",1\n', "utf-8")
    assert cli.main(["embed", "--input", str(tmp_path / f"in.{ending}")]) == 0
    captured = capfd.readouterr()
    assert [json.loads(line)["text"] for line in captured.out.splitlines()] == ["text,label", '"a, b",1']
    assert re.search(rf"in\.{ending} is read as text, one text a line: .* parts of the texts\n$", captured.err)


def test_an_argument_that_is_not_utf_8(model: StandIn, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["embed", "good", os.fsdecode("zwölf".encode("latin-1"))]) == 1
    assert re.match(r"TEXT 2 is not UTF-8 \(character 3\)\. .*--input\.$", complaint(capfd))
    assert model.calls == []


def test_an_input_that_is_a_folder(model: StandIn, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["embed", "--input", str(tmp_path)]) == 1
    assert complaint(capfd) == f"{tmp_path} cannot be read (Is a directory). Give the name of a text file."


@pytest.mark.parametrize("texts", [["-", "hi"], ["hi", "-"], ["-", "-"]])
def test_a_dash_stands_alone(model: StandIn, capfd: pytest.CaptureFixture[str], texts: list[str]) -> None:
    assert cli.main(["embed", *texts]) == 2
    assert "'-' stands for the standard input" in complaint(capfd)
    assert model.calls == []


def test_chunks_of_a_given_size(model: StandIn, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.txt").write_text("\n".join(TEXTS), "utf-8")
    assert cli.main(["embed", "--chunk-texts", "2", *TEXTS]) == 0
    assert cli.main(["embed", "--chunk-texts", "3", "--input", str(tmp_path / "in.txt")]) == 0
    assert model.chunk_sizes == [2, 2, 1, 3, 2]
    assert [line["text"] for line in lines(capfd)] == 2 * TEXTS


def test_results_come_when_the_input_pauses() -> None:
    with start(["embed"], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for text in (b"first", b"second", b"third"):
            process.stdin.write(text + b"\n")
            process.stdin.flush()
            assert select.select([process.stdout], [], [], 60)[0], "no result while the input is open"
            assert json.loads(process.stdout.readline())["text"] == text.decode()
        process.stdin.close()
        assert process.wait(60) == 0


def test_lines_that_are_there_come_together(tmp_path: Path) -> None:
    expected = [b"%d" % number for number in range(25_000)]
    (tmp_path / "in").write_bytes(b"\n".join(expected))
    with (
        subprocess.Popen(["cat", str(tmp_path / "in")], stdout=subprocess.PIPE) as cat,
        (tmp_path / "in").open() as file,
    ):
        assert cat.stdout is not None
        for descriptor in (file.fileno(), cat.stdout.fileno()):
            chunks = list(LineReader(descriptor).chunks(1000))
            assert list(itertools.chain(*chunks)) == expected
            if descriptor == file.fileno():
                assert [len(chunk) for chunk in chunks] == 25 * [1000]


def test_a_line_longer_than_what_is_read_at_a_time(tmp_path: Path) -> None:
    long = b"x" * 300_000
    (tmp_path / "in").write_bytes(long + b"\n\nshort\n" + long)
    with (tmp_path / "in").open() as file:
        assert list(LineReader(file.fileno()).chunks(10)) == [[long, b"", b"short", long]]


def test_lines_that_come_in_drops_wait_for_a_bounded_time() -> None:
    code = "import time\nfor i in range(1500): print(i, flush=True); time.sleep(0.001)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as drops:
        assert drops.stdout is not None
        sizes = [len(chunk) for chunk in LineReader(drops.stdout.fileno()).chunks(10_000)]
    assert sum(sizes) == 1500
    assert max(sizes) < 1000, "there are never five milliseconds of silence, and they do not all wait for the end"


def test_waiting_takes_no_processor_time() -> None:
    with subprocess.Popen(["sh", "-c", "echo one; sleep 1; echo two"], stdout=subprocess.PIPE) as slow:
        assert slow.stdout is not None
        before = time.process_time()
        assert list(LineReader(slow.stdout.fileno()).chunks(10)) == [[b"one"], [b"two"]]
        assert time.process_time() - before < 0.5


def test_an_endless_input_is_taken_as_it_is_needed(
    model: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.fail_at, model.error = 2000, KeyboardInterrupt()
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as endless:
        monkeypatch.setattr(sys, "stdin", endless.stdout)
        assert cli.main(["embed", "-", "--output", str(tmp_path / "o.npy")]) == 130
        endless.terminate()


# ------------------------------------------------------------------------------------------------- options


def test_only_given_options_are_passed_on(model: StandIn) -> None:
    assert cli.main(["embed", "x"]) == 0
    assert model.calls == [("pretrained", ("albert_tiny_en", None, {})), ("stream_chunks", {"total": 1})]


def test_every_option_reaches_the_model(model: StandIn) -> None:
    options = (
        "--model albert_base_uncased --lang en --revision v1 --cache-dir /c --offline --pooling mean "
        "--tokenization text --normalize --layers 1,-1 --max-sentence-length 64 --case-sensitive --no-sentences "
        "--threads 3 --device cpu --precision fp32 --no-progress"
    )
    assert cli.main(["embed", "x", *options.split()]) == 0
    assert model.calls[0] == (
        "pretrained",
        (
            "albert_base_uncased",
            "en",
            {
                "revision": "v1",
                "cache_dir": "/c",
                "local_files_only": True,
                "tokenization": "text",
                "layers": [1, -1],
                "max_sentence_length": 64,
                "case_sensitive": True,
                "detect_sentences": False,
                "threads": 3,
                "device": "cpu",
                "precision": "fp32",
            },
        ),
    )
    assert model.calls[1] == (
        "stream_chunks",
        {"total": 1, "pooling": "mean", "normalize": True, "show_progress": False},
    )


def test_a_folder_is_loaded(model: StandIn, tmp_path: Path) -> None:
    folder = make_model.write_folder(tmp_path / "m")
    assert cli.main(["embed", "x", "--model", str(folder), "--layers", "2"]) == 0
    assert model.calls[0] == ("load", (str(folder), {"layers": 2}))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["embed", "x", "--level", "letter"],
        ["embed", "x", "--pooling", "sum"],
        ["embed", "x", "--layers", "a,b"],
        ["embed", "x", "--threads", "many"],
        ["embed", "x", "--chunk-texts", "0"],
        ["embed", "x", "--output", "vectors.csv"],
        ["embed", "x", "--output", "vectors"],
        ["embed", "x", "--input", "file"],
        ["info"],
    ],
)
def test_wrong_usage(model: StandIn, capfd: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert cli.main(arguments) == 2
    assert "error" in capfd.readouterr().err
    assert model.calls == []


def test_no_text_on_a_terminal_is_wrong_usage(model: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Input(b"", is_terminal=True))
    assert cli.main(["embed"]) == 2


def test_help(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    text = capfd.readouterr().out
    assert all(name in text for name in ("embed", "models", "info", "doctor"))


def test_version(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capfd.readouterr().out == f"albert-fast {albert_fast.__version__}\n"


def test_the_package_can_be_run() -> None:
    run = [sys.executable, "-m", "albert_fast"]
    done = subprocess.run([*run, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"albert-fast {albert_fast.__version__}\n"
    assert subprocess.run([*run, "nonsense"], capture_output=True, check=False).returncode == 2


# ------------------------------------------------------------------------------------------------ failures


@pytest.mark.parametrize("name", ["out.jsonl", "out.npy", "out.npz"])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("text 3 is bad. Mend it."), 1),
        (KeyboardInterrupt(), 130),
        (OSError(28, "No space left on device"), 1),
    ],
)
def test_a_half_written_output_never_has_the_name(
    model: StandIn, tmp_path: Path, capfd: pytest.CaptureFixture[str], *, name: str, error: BaseException, code: int
) -> None:
    (tmp_path / name).write_text("the old one")
    model.fail_at, model.error = 1, error
    assert cli.main(["embed", *TEXTS, "--output", str(tmp_path / name)]) == code
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "the old one"
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert captured.err == ("" if code == 130 else f"albert-fast: error: {error}\n")


def test_a_folder_that_is_not_there(model: StandIn, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["embed", "x", "--output", str(tmp_path / "no" / "out.npy")]) == 1
    assert "out.npy" in capfd.readouterr().err
    assert cli.main(["embed", "--input", str(tmp_path / "no.txt")]) == 1
    assert "no.txt cannot be read" in capfd.readouterr().err


def complaint(capfd: pytest.CaptureFixture[str]) -> str:
    """Return the one line of an error."""
    match = re.fullmatch(r"albert-fast: error: (.*)\n", capfd.readouterr().err)
    assert match is not None
    return match[1]


def test_a_full_device_is_named(model: StandIn, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out.jsonl").symlink_to("/dev/full")
    assert cli.main(["embed", "x", "--output", str(tmp_path / "out.jsonl")]) == 1
    assert complaint(capfd) == (
        f"{tmp_path}/out.jsonl cannot be written: No space left on device. Free space there, or write to another place."
    )


@pytest.mark.parametrize("arguments", [["embed", "x"], ["models"]])
def test_a_full_standard_output(arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        process = start(arguments, stdout=full)
    _, error = process.communicate(timeout=60)
    assert re.fullmatch(rb"albert-fast: error: The standard output cannot be written: No space .* place\.\n", error)
    assert process.returncode == 1


@pytest.mark.parametrize("name", ["out.jsonl", "out.npy", "out.npz"])
def test_a_file_that_cannot_grow_is_named(tmp_path: Path, name: str) -> None:
    process = start(["embed", "-", "--output", str(tmp_path / name)], stdin=subprocess.PIPE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (100_000, 100_000))
    _, error = process.communicate(b"a b c d e f g\n" * 10_000, timeout=60)
    assert error.decode() == (
        f"albert-fast: error: {tmp_path / name} cannot be written: File too large. Write to another place.\n"
    )
    assert process.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_folder(
    model: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system", str(tmp_path / ".out.npy.xyz.partial"))

    monkeypatch.setattr("tempfile.mkstemp", denied)
    assert cli.main(["embed", "x", "--output", str(tmp_path / "out.npy")]) == 1
    assert complaint(capfd) == (
        f"{tmp_path}/out.npy cannot be written: no new file can be made in the folder {tmp_path} (Read-only file "
        "system). Write to another folder."
    )


@pytest.mark.parametrize("name", ["m.onnx", "m"])
def test_convert_into_a_read_only_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    folder = make_model.write_folder(tmp_path / "model")

    def denied(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system", str(tmp_path / ".m.xyz.partial"))

    for function in ("pathlib.Path.unlink", "tempfile.mkdtemp", "albert_fast.models.onnx_writer.write"):
        monkeypatch.setattr(function, denied)
    assert cli.main(["convert", str(folder), str(tmp_path / name), "--format", "onnx"]) == 1
    said = complaint(capfd)
    assert re.search(rf"{tmp_path}.* (could not|cannot) be written: Read-only file system\. ", said)
    assert "partial" not in said


def test_an_output_that_is_a_folder(model: StandIn, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["embed", "x", "--output", str(tmp_path)]) == 1
    assert complaint(capfd).startswith(f"{tmp_path} is a folder. ")


def test_an_unknown_model(model: StandIn, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise ModelNotFoundError("No model is called 'x'. Did you mean y?")

    monkeypatch.setattr(model, "pretrained", unknown)
    assert cli.main(["embed", "text", "--model", "x"]) == 1
    assert capfd.readouterr().err == "albert-fast: error: No model is called 'x'. Did you mean y?\n"


# ------------------------------------------------------------------------------------ models, info, doctor


def test_models(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models"]) == 0
    text = capfd.readouterr().out
    assert re.search(r"^albert_tiny_en +en +tiny .*this package$", text, re.MULTILINE)
    assert re.search(r"^albert_base_uncased +en +base +768 +albert/albert-base-v2, then Spark", text, re.MULTILINE)
    assert re.search(r"^albert_cda +en +large +1024 +fairnlp/albert-cda$", text, re.MULTILINE)
    assert cli.main(["models", "--json"]) == 0
    assert len(json.loads(capfd.readouterr().out)) == len(text.splitlines()) - 4


def test_info(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = make_model.write_folder(tmp_path / "m", dtype="F16")
    assert cli.main(["info", str(folder)]) == 0
    text = capfd.readouterr().out
    assert re.search(r"^geometry\.hidden_size +32$", text, re.MULTILINE)
    assert cli.main(["info", str(folder), "--json"]) == 0
    content = json.loads(capfd.readouterr().out)
    shapes = make_model.weight_shapes(make_model.TINY).values()
    assert content["weights"]["numbers"] == sum(int(np.prod(shape)) for shape in shapes)
    assert content["weights"]["stored as"] == ["F16"]
    assert cli.main(["info", str(tmp_path / "nothing")]) == 1
    assert "There is no folder" in capfd.readouterr().err


def test_doctor(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor"]) in (0, 1)
    text = capfd.readouterr().out
    assert "ONNX Runtime\n" in text
    assert "GPU\n" in text
    assert cli.main(["doctor", "--json"]) in (0, 1)
    assert "threads" in json.loads(capfd.readouterr().out)["Processor"]


# -------------------------------------------------------------------------------------- as a real process


STUB = """
import sys
sys.path.insert(0, {tests!r})
import albert_fast, test_cli
albert_fast.AlbertEmbeddings = test_cli.StandIn()
from albert_fast import cli
from albert_fast.cli.line_reader import LineReader
sys.exit(cli.main({arguments!a}))
"""


def start(arguments: list[str], **options: Any) -> subprocess.Popen[bytes]:
    code = STUB.format(tests=str(Path(__file__).parent), arguments=arguments)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", code], **{**pipes, **options})


def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("a b c d e f g\n" * 20_000, "utf-8")
    process = start(["embed", "--input", str(tmp_path / "in.txt")])
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b'{"text"')
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


@contextlib.contextmanager
def inherited(number: signal.Signals, action: Any) -> Iterator[None]:
    """Start children under this action: they inherit what is ignored, under nohup say."""
    before = signal.signal(number, action)
    try:
        yield
    finally:
        signal.signal(number, before)


def start_reading(
    out: Path, number: signal.Signals, action: Any = signal.SIG_DFL
) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    """Start a command that waits for more texts and has begun its output; return it and its standard input."""
    with inherited(number, action):
        process = start(["embed", "-", "--output", str(out)], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b"one\ntwo\nthree\n" * 10_000)
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while not list(out.parent.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process, process.stdin


def test_ctrl_c(tmp_path: Path) -> None:
    # A shell's background jobs are born without it.
    process, _ = start_reading(tmp_path / "out.jsonl", signal.SIGINT, signal.default_int_handler)
    process.send_signal(signal.SIGINT)
    with process:
        assert process.wait(60) == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("name", ["out.jsonl", "out.npz"])
def test_a_signal_that_ends_the_command_leaves_no_half_written_file(
    tmp_path: Path, name: str, number: signal.Signals
) -> None:
    process, _ = start_reading(tmp_path / name, number)
    process.send_signal(number)
    process.send_signal(number)  # as when a terminal closes: once by the shell, once by the kernel
    with process:
        assert process.wait(60) == -number, "the parent sees which signal it was"
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert list(tmp_path.iterdir()) == []


def test_nohup_is_respected(tmp_path: Path) -> None:
    process, texts = start_reading(tmp_path / "out.jsonl", signal.SIGHUP, signal.SIG_IGN)
    process.send_signal(signal.SIGHUP)
    texts.close()
    assert process.wait(60) == 0
    with process:
        assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "closed", "code", "said"),
    [
        (["embed", "hi"], "1>&-", 1, "The standard output is closed. "),
        (["embed", "hi", "--output", "/dev/stdout"], "1>&-", 1, "The standard output is closed. "),
        (["models"], "1>&-", 1, "The standard output is closed. "),
        (["embed"], "0<&-", 2, "the standard input is closed; give a TEXT"),
        (["embed", "-"], "0<&-", 2, "the standard input is closed; give a TEXT"),
        (["embed", "hi"], "0<&-", 0, ""),
        (["embed", "hi"], "2>&-", 0, ""),
        (["embed"], "0<&- 2>&-", 2, ""),
        (["embed", "hi", "--output", "out.jsonl"], "0<&- 1>&- 2>&-", 0, ""),
    ],
)
def test_closed_descriptors(tmp_path: Path, arguments: list[str], closed: str, code: int, said: str) -> None:
    arguments = [str(tmp_path / "out.jsonl") if argument == "out.jsonl" else argument for argument in arguments]
    command = [sys.executable, "-c", STUB.format(tests=str(Path(__file__).parent), arguments=arguments)]
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert done.stderr == "" if not said else done.stderr.startswith(f"albert-fast: error: {said}")
    assert "Traceback" not in done.stderr
    if str(tmp_path / "out.jsonl") in arguments:
        assert json.loads((tmp_path / "out.jsonl").read_text("utf-8"))["text"] == "hi"


def test_the_output_is_utf_8_in_every_locale() -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    process = start(["embed", "Zürich 🙂"], env=environment)
    out, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (0, b"")
    assert json.loads(out.decode("utf-8"))["words"][1]["word"] == "🙂"


@pytest.mark.skipif(not hasattr(albert_fast, "AlbertEmbeddings"), reason="the core is not built here")
@pytest.mark.parametrize("level", cli.arguments.LEVELS)
def test_the_real_model_through_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str], level: str) -> None:
    folder = make_model.write_folder(tmp_path / "m")
    texts = ["The quick fox. It ran.", "", "x"]
    expected = albert_fast.AlbertEmbeddings.load(folder).embed(texts, level=level)
    assert cli.main(["embed", *texts, "--model", str(folder), "--level", level]) == 0
    found = lines(capfd)
    names = {"word": "words", "piece": "pieces", "sentence": "sentences"}
    rows = [row for line in found for row in ([line] if level == "document" else line[names[level]])]
    np.testing.assert_array_equal(np.array([row["vector"] for row in rows], np.float32), expected.vectors)
    if level != "document":
        assert [row[level] for row in rows] == expected.words
        assert [row["begin"] for row in rows] == expected.begin.tolist()
    assert (
        cli.main(["embed", *texts, "--model", str(folder), "--level", level, "--output", str(tmp_path / "o.npz")]) == 0
    )
    with np.load(tmp_path / "o.npz") as archive:
        np.testing.assert_array_equal(archive["vectors"], expected.vectors)
        np.testing.assert_array_equal(archive["row_splits"], expected.row_splits)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_reader_that_does_not_read_does_not_hold_up_the_end(tmp_path: Path, number: signal.Signals) -> None:
    """What waits to be written is dropped: writing it would wait for the reader."""
    (tmp_path / "in.txt").write_text("w\n" * 50_000)
    command = [sys.executable, "-m", "albert_fast", "embed", "--input", str(tmp_path / "in.txt"), "--no-progress"]
    with inherited(number, signal.SIG_DFL):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with process:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"{"  # it writes, and nobody reads on
        time.sleep(1)
        process.send_signal(number)
        assert process.wait(20) == -number
