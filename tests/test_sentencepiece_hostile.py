"""Damaged and hostile `.model` files: each either loads and works or raises CorruptModelError; nothing else."""

from __future__ import annotations

import io
import random
import resource
import struct
import time

import pytest
import sentencepiece

from albert_fast import _core
from albert_fast.errors import CorruptModelError

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
TEXT = "ab ba  A ﬁ 12, <unk> 日本 \u2581x ½ \x00 e\u0301"


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def field(number: int, payload: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def piece(text: str | bytes, score: float = -1.0, kind: int = NORMAL) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return field(1, field(1, raw) + b"\x15" + struct.pack("<f", score) + b"\x18" + varint(kind))


def number(container: int, number_: int, value: int) -> bytes:
    return field(container, varint(number_ << 3) + varint(value))


UNK = piece("<unk>", 0.0, UNKNOWN)
BASE = UNK + b"".join(piece(text, -2.0 - i) for i, text in enumerate(("▁", "a", "b", "ab", "▁a", "1", "2", ",")))
BYTES = b"".join(piece(f"<0x{i:02X}>", 0.0, BYTE) for i in range(256))


def charsmap(units: list[int], texts: bytes, *, trie_bytes: int | None = None) -> bytes:
    trie = struct.pack(f"<{len(units)}I", *units)
    blob = struct.pack("<I", len(trie) if trie_bytes is None else trie_bytes) + trie + texts
    return field(3, field(2, blob))


LEAF = 1 << 31


def unit(label: int, offset: int, *, leaf: bool = False) -> int:
    return offset << 10 | int(leaf) << 8 | label


def rules(**changes: int) -> list[int]:
    """A double array with the one rule "A" -> texts[0]; `u65=...` replaces unit 65."""
    # Free units belong to a base that no node has: 0 and, in the second block, 257.
    units = [unit((i ^ i >> 8) & 0xFF, i) for i in range(512)]
    units[0] = unit(0, 256)
    units[256 ^ 65] = unit(65, 128, leaf=True)  # its base is 256 ^ 65 ^ 128
    units[256 ^ 65 ^ 128] = LEAF | 0
    for name, value in changes.items():
        units[int(name[1:])] = value
    return units


def load(model: bytes) -> _core.Tokenizer:
    return _core.Tokenizer(model, cache_bytes=4096)


def use(model: bytes) -> None:
    """Load a model and, if it loads, do everything with it."""
    try:
        ours = load(model)
    except CorruptModelError:
        return
    ours.encode_text(TEXT)
    ours.encode_albert(TEXT)
    ours.encode_words(TEXT.split(" "))
    ours.encode_text(b"a\xff\xc3(" + TEXT.encode())
    assert ours.piece(0)
    assert ours.piece_to_id("no such piece") < len(ours)


def test_the_smallest_model_works() -> None:
    model = BASE + charsmap(rules(), b"ab\0")
    oracle = sentencepiece.SentencePieceProcessor(model_proto=model)
    assert load(model).encode_text("A b")[0].tolist() == oracle.encode("A b")
    assert "".join(oracle.encode("A", out_type=str)) == "▁ab"  # the rule is at work


REFUSED = {
    "empty file": (b"", "empty"),
    "no pieces": (number(2, 3, 1), "`pieces` is missing"),
    "garbage": (b"\xde\xad\xbe\xef" * 10, "SentencePiece model"),
    "html": (b"<!DOCTYPE html><html></html>", "SentencePiece model"),
    "length past the end": (b"\x0a\xff\x01abc", "cut off"),
    "length of 2^63": (b"\x0a" + varint(1 << 63) + b"abc", "cut off"),
    "cut varint": (BASE + b"\x0a\x80", "middle of a number"),
    "endless varint": (BASE + b"\x10" + b"\xff" * 11, "more than 64 bits"),
    "varint of 70 bits": (BASE + b"\x10" + b"\xff" * 9 + b"\x7f", "more than 64 bits"),
    "group": (BASE + b"\x4b\x4c", "groups"),
    "wire type 7": (BASE + b"\x4f", "wire type"),
    "field number 0": (BASE + b"\x02\x00", "field number"),
    "field number of 40 bits": (BASE + varint(1 << 40 | 2) + b"\x00", "field number"),
    "piece as number": (BASE + b"\x08\x01", "pieces` has the wrong wire type"),
    "score as number": (BASE + field(1, field(1, b"x") + b"\x10\x01"), "score` has the wrong wire type"),
    "empty piece": (BASE + piece(""), r"pieces\[9\].piece` is empty"),
    "piece without a name": (BASE + field(1, b"\x18\x01"), r"pieces\[9\].piece` is empty"),
    "long piece": (BASE + piece("x" * 513), "longer than 512"),
    "500 kB piece": (BASE + piece("x" * 500_000), "longer than 512"),
    "NUL in a piece": (BASE + piece("x\0y"), "NUL"),
    "invalid UTF-8": (BASE + piece(b"x\xff"), "UTF-8"),
    "surrogate": (BASE + piece(b"\xed\xa0\x80"), "UTF-8"),
    "repeated piece": (BASE + piece("ab"), r"pieces\[9\].piece` repeats"),
    "repeated as control": (BASE + piece("ab", 0.0, CONTROL), r"pieces\[9\].piece` repeats"),
    "NaN": (BASE + piece("x", float("nan")), "finite"),
    "infinity": (BASE + piece("x", float("-inf")), "finite"),
    "absurd score": (BASE + piece("x", -3e38), "log probability"),
    "unknown kind": (BASE + piece("x", 0.0, 7), "kind of piece"),
    "kind 0": (BASE + piece("x", 0.0, 0), "kind of piece"),
    "no unknown piece": (piece("a"), "no unknown piece"),
    "two unknown pieces": (BASE + piece("<unk2>", 0.0, UNKNOWN), "second unknown"),
    "nothing but unknown": (UNK + piece("x", 0.0, USER_DEFINED), "no normal piece"),
    "some byte pieces": (BASE + piece("<0x41>", 0.0, BYTE) + number(2, 35, 1), "not all 256"),
    "lower-case byte piece": (BASE + BYTES + piece("<0xab>", 0.0, BYTE) + number(2, 35, 1), "byte piece"),
    "negative byte piece": (BASE + piece("<0x-1>", 0.0, BYTE) + number(2, 35, 1), "byte piece"),
    "byte pieces, not announced": (BASE + BYTES, "byte_fallback"),
    "byte pieces announced, missing": (BASE + number(2, 35, 1), "byte_fallback"),
    "BPE": (BASE + number(2, 3, 2), "UNIGRAM"),
    "model type 9": (BASE + number(2, 3, 9), "UNIGRAM"),
    "charsmap of 1 byte": (BASE + field(3, field(2, b"x")), "shorter than 8"),
    "charsmap of 7 bytes": (BASE + field(3, field(2, b"x" * 7)), "shorter than 8"),
    "trie size 0": (BASE + charsmap([], b"\0\0\0\0"), "multiple of 4"),
    "trie size 6": (BASE + charsmap(rules(), b"ab\0", trie_bytes=6), "multiple of 4"),
    "trie size too large": (BASE + charsmap(rules(), b"ab\0", trie_bytes=1 << 20), "does not fit"),
    "trie size 2^32 - 4": (BASE + charsmap(rules(), b"ab\0", trie_bytes=0xFFFFFFFC), "does not fit"),
    "no replacement texts": (BASE + charsmap(rules(), b""), "does not fit"),
    "texts without NUL": (BASE + charsmap(rules(), b"ab"), "NUL"),
    "root unit 0x7fffffff": (BASE + charsmap(rules(u0=0x7FFFFFFF), b"ab\0"), "root unit"),
    "root without offset": (BASE + charsmap(rules(u0=unit(0, 0)), b"ab\0"), "root unit"),
    "root with a leaf": (BASE + charsmap(rules(u0=unit(0, 256, leaf=True)), b"ab\0"), "root unit"),
    "root offset outside": (BASE + charsmap(rules(u0=unit(0, 512)), b"ab\0"), "offset outside"),
    "offset outside": (BASE + charsmap(rules(u321=unit(65, 1024)), b"ab\0"), "offset outside"),
    "large offset": (BASE + charsmap(rules(u321=unit(65, 2) | 1 << 9), b"ab\0"), "offset outside"),
    "key without value": (BASE + charsmap(rules(u449=unit(0xFF, 1)), b"ab\0"), "without a value"),
    "value outside": (BASE + charsmap(rules(u449=LEAF | 3), b"ab\0"), "outside its replacement"),
    "loop": (BASE + charsmap(rules(u321=unit(65, 65)), b"ab\0"), "never ends"),
    "replacement not UTF-8": (BASE + charsmap(rules(), b"\xff\0"), "UTF-8"),
    "long replacement": (BASE + charsmap(rules(), b"x" * 5000 + b"\0"), "4096"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    model, message = REFUSED[name]
    with pytest.raises(CorruptModelError, match=message) as error:
        load(model)
    assert "`" in str(error.value)
    assert "Fetch it again" in str(error.value)


def test_size_limits() -> None:
    with pytest.raises(CorruptModelError, match="64 MiB"):
        load(BASE + field(15, bytes(64 << 20)))
    with pytest.raises(CorruptModelError, match="1048576"):
        load(BASE + field(1, b"\x0a\x01z") * (1 << 20))
    deep = b"".join(piece(f"{i:06d}" + "x" * 506) for i in range(40_000))
    with pytest.raises(CorruptModelError, match="prefix tree"):
        load(BASE + deep)


def test_unknown_fields_are_skipped() -> None:
    extra = varint(200 << 3) + varint(5) + varint(201 << 3 | 1) + bytes(8) + varint(202 << 3 | 5) + bytes(4)
    model = extra + BASE + field(203, b"anything") + field(5, b"\xff\xff") + field(1, field(1, b"q") + extra)
    ours = load(model)
    assert ours.piece(len(ours) - 1) == "q"


def test_accepted_limits() -> None:
    longest = "y" * 512
    ours = load(BASE + piece(longest) + piece("<0x41>", 0.0, USER_DEFINED))
    assert ours.encode_words([longest, "<0x41>"]) == [[9], [10]]
    ours = load(BASE + BYTES + number(2, 35, 1))
    assert len(ours.encode_words(["é"])[0]) == 2


@pytest.fixture(scope="module")
def small() -> bytes:
    """A trained vocabulary of some kilobytes with a charsmap of its own rules, user-defined and control symbols."""
    model = io.BytesIO()
    corpus = ["ab ba abba 12, 1,000 日本 x y z the other words of it"] * 30
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus), model_writer=model, model_type="unigram", vocab_size=60,
        hard_vocab_limit=False, minloglevel=2, num_threads=1, normalization_rule_name="identity",
        user_defined_symbols=["<x>"], control_symbols=["<c>"],
    )  # fmt: skip
    return model.getvalue() + charsmap(rules(), b"ab\0")


def test_every_prefix(small: bytes) -> None:
    for size in range(len(small)):
        use(small[:size])


def test_bit_flips(small: bytes) -> None:
    """25,000 files with one to four flipped bits."""
    rng = random.Random(3)
    loaded = slowest = 0.0
    for _ in range(25_000):
        damaged = bytearray(small)
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            at = rng.randrange(len(damaged) * 8)
            damaged[at // 8] ^= 1 << at % 8
        start = time.perf_counter()
        try:
            use(bytes(damaged))
        except CorruptModelError:
            continue
        loaded += 1
        slowest = max(slowest, time.perf_counter() - start)
    assert loaded > 1000
    assert slowest < 1.0


def test_bit_flips_in_the_rules() -> None:
    """The same in a full set of rules, whose double array must be safe whatever it says."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["ab ba abba 12, x y z"] * 30), model_writer=model, model_type="unigram",
        vocab_size=20, hard_vocab_limit=False, minloglevel=2, num_threads=1,
    )  # fmt: skip
    whole = model.getvalue()
    rng = random.Random(4)
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(3):
            at = rng.randrange(len(damaged) * 8)
            damaged[at // 8] ^= 1 << at % 8
        use(bytes(damaged))


def test_memory_of_damaged_files(small: bytes) -> None:
    """A length that lies must not make us reserve what it says."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for size in range(0, len(small), 7):
        for lie in (1 << 20, 1 << 31, (1 << 32) - 1, (1 << 62)):
            use(small[:size] + b"\x0a" + varint(lie) + small[size:])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 << 10  # kilobytes
