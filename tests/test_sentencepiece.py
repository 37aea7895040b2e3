"""The SentencePiece engine against the `sentencepiece` package: ids, pieces and byte spans must be the same."""

from __future__ import annotations

import ast
import io
import json
import os
import random
import struct
import sysconfig
import threading
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from albert_fast import _core
from albert_fast.errors import CorruptModelError, InputError

SCRIPTS = {
    "latin": "abcdefghijklmnopqrstuvwxyz",
    "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "accents": "àáâãäåæçèéêëìíîïñòóôõöøùúûüýþÿßœšž",
    "greek": "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώ",
    "cyrillic": "абвгдежзийклмнопрстуфхцчшщъыьэюяёі",
    "hebrew": "אבגדהוזחטיכלמנסעפצקרשת",
    "arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهويءةى",
    "devanagari": "अआइईउऊएऐओऔकखगघचछजझटठडढतथदधनपफबभमयरलवशषसह\u093f\u0940\u0941\u094d",
    "bengali": "অআইঈউঊএঐকখগঘচছজটঠডঢতথদধনপফবভমযরলশষসহ",
    "tamil": "அஆஇஈஉஊஎஏஐஒகஙசஞடணதநபமயரலவழளறன",
    "thai": "กขคงจฉชซญดตถทธนบปผฝพฟภมยรลวศษสหอฮะ\u0e33\u0e34\u0e49",
    "hangul": "가각간나다라마바사아자차카타파하한국어말글",
    "jamo": "\u1100\u1161\u11a8\u1102\u1162\u11ab\u1103\u1163",
    "kana": "あいうえおかきくけこさしすせそアイウエオカキクケコｱｲｳｶﾞｷ",
    "han": "漢字日本語中文学校大小人山川水火木金土天空海",
    "georgian": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
    "armenian": "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ",
    "ethiopic": "ሀሁሂሃሄህሆለሉሊላሌልሎመሙሚማሜምሞ",
    "full_width": "ＡＢＣａｂｃ０１２！？　",
    "symbols": "½²³①②ⅷ℃㍿ﬁﬂ™…«»“”‘’–—¨\ufdfa",
}
DIGITS = "0123456789"
PUNCTUATION = ".,;:!?-'\"()[]{}<>/\\@#$%&*+=_~`|^"
BLANKS = [" ", " ", " ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2009", "\u2028", "\u200b", "\ufeff"]
EMOJI = ["😀", "👨\u200d👩\u200d👧", "👍🏽", "❤\ufe0f", "🇳🇴", "5\ufe0f\u20e3", "\U000e0041", "🜁"]
ODD = ["\u0301", "\u0308", "e\u0301", "\u2581", "\u2581\u2581", "\x00", "\x01", "\x7f", "\u0085", "\ufffd", "\u202e"]
FRAGMENTS = ["1,000", "9,", "x2,", "aaaa", "----", "====", "!!!", "...", "<sep>", "<sep>x", "co-op", "don't", "the"]


def make_line(rng: random.Random) -> str:
    """One line of mixed scripts, digits, punctuation, blanks and noise."""
    alphabets = rng.sample(list(SCRIPTS.values()), 2) + [SCRIPTS["latin"]] * 2
    parts: list[str] = []
    for _ in range(rng.randrange(9)):
        kind = rng.random()
        if kind < 0.62:
            parts.append("".join(rng.choices(rng.choice(alphabets), k=rng.randrange(1, 8))))
        elif kind < 0.70:
            parts.append("".join(rng.choices(DIGITS + ",.", k=rng.randrange(1, 6))))
        elif kind < 0.78:
            parts.append("".join(rng.choices(PUNCTUATION, k=rng.randrange(1, 4))))
        elif kind < 0.86:
            parts.append(rng.choice(FRAGMENTS))
        elif kind < 0.93:
            parts.append(rng.choice(EMOJI))
        else:
            parts.append(rng.choice(ODD))
        if rng.random() < 0.75:
            parts.append(rng.choice(BLANKS))
    return "".join(parts)


def make_lines(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [make_line(rng) for _ in range(count)]


def make_prose(limit: int) -> list[str]:
    """Paragraphs of the documentation of Python's standard library."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    found: list[str] = []
    for path in sorted(folder.glob("*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                found += (ast.get_docstring(node) or "").split("\n\n")
        if len(found) >= limit:
            break
    return found[:limit]


def train(**options: Any) -> bytes:
    """A small vocabulary; the same options give the same bytes."""
    rng = random.Random(7)
    words = ["".join(rng.choices(SCRIPTS["latin"][:12], k=rng.randrange(1, 6))) for _ in range(400)]
    for name in ("upper", "accents", "greek", "cyrillic", "devanagari", "hangul", "kana", "han", "arabic", "thai"):
        words += ["".join(rng.choices(SCRIPTS[name], k=rng.randrange(1, 5))) for _ in range(60)]
    words += FRAGMENTS + list(DIGITS) + [f"{rng.randrange(3000)}," for _ in range(40)] + ["😀", "👍🏽"]
    corpus = [" ".join(rng.choices(words, k=8)) for _ in range(700)]
    model = io.BytesIO()
    settings_ = {"vocab_size": 700, "character_coverage": 0.995, "hard_vocab_limit": False, "num_threads": 1}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus),
        model_writer=model,
        model_type="unigram",
        minloglevel=2,
        **{**settings_, **options},
    )
    return model.getvalue()


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def field(number: int, payload: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def piece_field(text: str, score: float, kind: int = 1) -> bytes:
    inner = field(1, text.encode()) + b"\x15" + struct.pack("<f", score) + b"\x18" + varint(kind)
    return field(1, inner)


def normalizer_field(number: int, value: int) -> bytes:
    """Set one number of the normalizer of a model by appending it: protobuf merges messages."""
    return field(3, varint(number << 3) + varint(value))


def trainer_field(number: int, value: int) -> bytes:
    return field(2, varint(number << 3) + varint(value))


RULES = "\n".join(
    [
        "41\t61",  # A -> a
        "42\t",  # B -> nothing
        "43\t20",  # C -> space
        "44\t20 20 64 20",  # D -> "  d "
        "45\t2581",  # E -> the mark itself
        "66 20 66\t66 66",  # "f f" -> ff: a rule over a space
        "67 67\t67",  # gg -> g
        "9\t20",
    ]
)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Vocabularies that between them use every feature of the file format."""
    rules = tmp_path_factory.mktemp("rules") / "rules.tsv"
    rules.write_text(RULES + "\n")
    spaceless = tmp_path_factory.mktemp("rules") / "spaceless.tsv"
    spaceless.write_text("\n".join(rule for rule in RULES.split("\n") if not rule.startswith("66")) + "\n")
    default = train()
    symbols = ["<sep>", "<sep>x", "aa", "▁ab", "😀", "9,", "é"]
    # "aaa" as aa+a or a+aa: the same sum but for rounding, which depends on all that stands before.
    tied_pieces = {"▁": -2.9, "a": -3.1, "aa": -3.3, "b": -3.7, "ab": -4.1, "ba": -4.3}
    tied_pieces |= {"!": -3.1, "!!": -3.3, "!!!": -6.9}
    tied = b"".join(piece_field(text, score) for text, score in tied_pieces.items())
    reserved = piece_field("<unk>", 0.0, 2) + piece_field("<s>", 0.0, 3)
    rising = b"".join(piece_field(text, 2.5 - i / 7) for i, text in enumerate(("▁", "a", "b", "ab", "▁b", "bab")))
    return {
        "nmt_nfkc": default,
        "nfkc": train(normalization_rule_name="nfkc"),
        "identity": train(normalization_rule_name="identity"),
        "nmt_nfkc_cf": train(normalization_rule_name="nmt_nfkc_cf"),
        "nfkc_cf": train(normalization_rule_name="nfkc_cf"),
        "no_dummy_prefix": train(add_dummy_prefix=False),
        "keeps_spaces": train(remove_extra_whitespaces=False),
        "keeps_spaces_no_prefix": train(remove_extra_whitespaces=False, add_dummy_prefix=False),
        "suffix": train(treat_whitespace_as_suffix=True),
        "symbols": train(user_defined_symbols=symbols, control_symbols=["<cls>", "<mask>"]),
        "symbols_with_spaces": train(user_defined_symbols=["a b", "\t", "cc", "▁▁"]),
        "bytes": train(byte_fallback=True),
        "across_words": train(split_by_whitespace=False, max_sentencepiece_length=24),
        "space_pieces": train(allow_whitespace_only_pieces=True, remove_extra_whitespaces=False),
        "digits": train(split_digits=True, split_by_number=False, split_by_unicode_script=False),
        "rules": train(normalization_rule_tsv=str(rules)),
        "spaceless_rules": train(normalization_rule_tsv=str(spaceless)),
        "plain_spaces": default + normalizer_field(5, 0),
        "unused": default + piece_field("zqx", -1.0, 5) + piece_field("Ω", -1.0, 5),
        "no_mark": reserved + b"".join(piece_field(text, -1.0 - i) for i, text in enumerate(("a", "ab", "b", "▁b"))),
        "tied_scores": reserved + tied,
        "positive_scores": reserved + rising,
    }


@pytest.fixture(scope="session")
def prose() -> list[str]:
    return make_prose(4000)


def processor(model: bytes) -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_proto=model, num_threads=1)


def compare(model: bytes, texts: list[str] | list[bytes], *, cache_bytes: int = 1 << 20, warm: int = 2) -> int:
    """Number of pieces compared; fails at the first text with a different id or span.

    `warm` reads before the one that counts: a word is remembered from its second time on, and used from its third.
    """
    oracle = processor(model)
    ours = _core.Tokenizer(model, cache_bytes=cache_bytes)
    for _ in range(warm):
        ours.encode_texts(texts)
    raw = [text.encode() if isinstance(text, str) else text for text in texts]
    compared = 0
    for text, want in zip(raw, oracle.encode(raw, out_type="offset_mapping", return_bytes=True), strict=True):
        ids, begin, end = ours.encode_text(text)
        got = (ids.tolist(), list(zip(begin.tolist(), end.tolist(), strict=True)))
        assert got == (want["ids"], want["offsets"]), text
        compared += len(ids)
    return compared


MODEL_NAMES = [
    "nmt_nfkc", "nfkc", "identity", "nmt_nfkc_cf", "nfkc_cf", "no_dummy_prefix", "keeps_spaces",
    "keeps_spaces_no_prefix", "suffix", "symbols", "symbols_with_spaces", "bytes", "across_words", "space_pieces",
    "digits", "rules", "spaceless_rules", "plain_spaces", "unused", "no_mark", "tied_scores", "positive_scores",
]  # fmt: skip


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_vocabulary(models: dict[str, bytes], name: str) -> None:
    oracle, ours = processor(models[name]), _core.Tokenizer(models[name])
    assert len(ours) == oracle.get_piece_size()
    pieces = [oracle.id_to_piece(i) for i in range(len(ours))]
    assert [ours.piece(i) for i in range(len(ours))] == pieces
    names = [*pieces, "", "▁", "no such piece", "\x00", pieces[-1] + "x"]
    assert [ours.piece_to_id(p) for p in names] == [oracle.piece_to_id(p) for p in names]
    for index in (-1, len(ours)):
        with pytest.raises(IndexError):
            ours.piece(index)


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_generated_lines(models: dict[str, bytes], name: str) -> None:
    """9,500 lines for each of 22 models: 209,000 lines in all, most with a warm word cache, some with a cold one."""
    seed = MODEL_NAMES.index(name)
    assert compare(models[name], make_lines(8000, seed)) > 10_000
    assert compare(models[name], make_lines(1500, seed + 1000), warm=0) > 2_000


@pytest.mark.parametrize("name", ["nmt_nfkc", "keeps_spaces", "bytes", "tied_scores"])
def test_prose(models: dict[str, bytes], prose: list[str], name: str) -> None:
    assert compare(models[name], prose) > 100_000


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_small_alphabet(models: dict[str, bytes], name: str) -> None:
    """Few letters, many blanks: every order of spaces, marks, rules and user-defined symbols."""
    rng = random.Random(name)
    letters = [*"ab  fgABCDEF\t!9,", "\u2581", "\u00a0", "\u200b", "é", "<sep>", "😀", "\u0301"]
    texts = ["".join(rng.choices(letters, k=rng.randrange(1, 9))) for _ in range(4000)]
    compare(models[name], texts)


@pytest.mark.parametrize("name", ["nmt_nfkc", "identity", "keeps_spaces", "symbols", "bytes"])
def test_invalid_utf8(models: dict[str, bytes], name: str) -> None:
    rng = random.Random(5)
    texts = []
    for line in make_lines(1500, 99):
        raw = bytearray(line.encode())
        for _ in range(rng.randrange(1, 4)):
            raw.insert(rng.randrange(len(raw) + 1), rng.randrange(256))
        texts.append(bytes(raw))
    texts += [b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x96", b"\xf0\x9f\x98", b"a\xff b\xfe", b"\x80"]
    compare(models[name], texts)


def words_by_oracle(oracle: sentencepiece.SentencePieceProcessor, words: list[str]) -> list[list[int]]:
    mark = oracle.piece_to_id("▁")
    return [[i for i in ids if i != mark] for ids in oracle.encode(words, out_type=int)]


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_words(models: dict[str, bytes], name: str) -> None:
    words = [word for line in make_lines(1500, 17) for word in line.split(" ")]
    words += ["", " ", "\u200b", "▁", ".", "(", "don't", "a b", "x" * 47, "x" * 48, "x" * 49, "ab" * 300, "😀" * 13]
    want = words_by_oracle(processor(models[name]), words)
    for cache_bytes in (0, 4096, 1 << 22):
        ours = _core.Tokenizer(models[name], cache_bytes=cache_bytes)
        for _ in range(3):  # new, searched to be remembered, from memory
            assert ours.encode_words(words) == want
    flat, splits = ours.encode_words_flat(words)
    assert (flat.dtype, splits.dtype) == (np.int32, np.int64)
    assert [flat[splits[i] : splits[i + 1]].tolist() for i in range(len(words))] == want


def test_many_texts(models: dict[str, bytes]) -> None:
    texts = make_lines(500, 3)
    ids, splits = _core.Tokenizer(models["nmt_nfkc"]).encode_texts(texts)
    want = processor(models["nmt_nfkc"]).encode(texts, out_type=int)
    assert [ids[splits[i] : splits[i + 1]].tolist() for i in range(len(texts))] == want
    ids, splits = _core.Tokenizer(models["nmt_nfkc"]).encode_texts([])
    assert ids.tolist() == []
    assert splits.tolist() == [0]


@pytest.mark.parametrize("name", ["nmt_nfkc", "bytes", "symbols", "identity"])
def test_character_offsets(models: dict[str, bytes], name: str) -> None:
    texts = make_lines(1500, 23)
    ours = _core.Tokenizer(models[name])
    for text, want in zip(texts, processor(models[name]).encode(texts, out_type="offset_mapping"), strict=True):
        _, begin, end = ours.encode_text(text, offsets="chars")
        assert list(zip(begin.tolist(), end.tolist(), strict=True)) == want["offsets"], text


@pytest.mark.parametrize("name", ["nmt_nfkc", "tied_scores", "positive_scores", "keeps_spaces", "across_words"])
def test_near_ties_in_long_texts(models: dict[str, bytes], name: str) -> None:
    """A long text sums up so large a score that rounding decides between pieces, and the sum starts again."""
    rng = random.Random(11)
    words = ["aaa", "abab", "!!!", "!!!!!", "a", "babab", "aab!", "bb", "ab" * 30, "xyz", "aaaaaaa", "---", ",,,"]
    for count in (300, 3000, 60_000):
        text = " ".join(rng.choices(words, k=count))
        compare(models[name], [text, text.replace(" ", "")], warm=1)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60), name=st.sampled_from(MODEL_NAMES))
def test_any_text(models: dict[str, bytes], text: str, name: str) -> None:
    compare(models[name], [text])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=60), name=st.sampled_from(MODEL_NAMES))
def test_any_bytes(models: dict[str, bytes], data: bytes, name: str) -> None:
    compare(models[name], [data])


def test_facts_of_the_oracle(models: dict[str, bytes]) -> None:
    ours = _core.Tokenizer(models["nmt_nfkc"])
    assert len(ours.encode_text("")[0]) == len(ours.encode_text(" \t\u00a0 ")[0]) == 0
    _, begin, end = ours.encode_text("ﬁ")  # a ligature: its second half has no bytes of its own
    assert end[-1] == 3
    assert (begin >= 0).all()
    assert (begin[1:] == end[:-1]).all()
    unknown = ours.piece_to_id("<unk>")
    ids, begin, end = ours.encode_text("a 🜁🜂🜃 b")
    assert ids.tolist().count(unknown) == 1  # neighbours merge
    at = ids.tolist().index(unknown)
    assert (begin[at], end[at]) == (2, 14)


def albert_by_reference(oracle: sentencepiece.SentencePieceProcessor, text: str) -> list[int]:
    """What Hugging Face's slow AlbertTokenizer does with a preprocessed text."""
    out: list[str] = []
    for piece in oracle.encode(text, out_type=str):
        if len(piece) > 1 and piece[-1] == "," and piece[-2].isdigit():
            parts = oracle.encode(piece[:-1].replace("▁", ""), out_type=str)
            if piece[0] != "▁" and parts[0][0] == "▁":
                parts = parts[1:] if len(parts[0]) == 1 else [parts[0][1:], *parts[1:]]
            out += [*parts, ","]
        else:
            out.append(piece)
    return [oracle.piece_to_id(piece) for piece in out]


@pytest.mark.parametrize("name", ["nmt_nfkc", "symbols", "bytes", "keeps_spaces", "unused"])
def test_numbers_with_commas(models: dict[str, bytes], name: str) -> None:
    rng = random.Random(2)
    texts = make_lines(800, 31)
    for _ in range(1500):
        texts.append("".join(rng.choices(["1", "2", "9,", "1,", ",", " ", "a", "x2,", "٣,", "²,", "▁", "Ω"], k=7)))
    oracle, ours = processor(models[name]), _core.Tokenizer(models[name])
    resplit = 0
    for text in texts:
        ids, begin, end = ours.encode_albert(text)
        assert ids.tolist() == albert_by_reference(oracle, text), text
        assert (begin[1:] == end[:-1]).all()
        assert (begin <= end).all()
        if len(ids):
            plain = ours.encode_text(text)
            resplit += len(ids) != len(plain[0])
            assert (begin[0], end[-1]) == (plain[1][0], plain[2][-1])
    assert resplit > 50


def test_bad_input(models: dict[str, bytes]) -> None:
    ours = _core.Tokenizer(models["nmt_nfkc"])
    with pytest.raises(InputError, match="lone surrogate at position 2"):
        ours.encode_text("ab\ud800")
    with pytest.raises(InputError, match=r"text 1 .*lone surrogate at position 0"):
        ours.encode_texts(["a", "\udfff"])
    with pytest.raises(InputError, match="must be str or bytes, not int"):
        ours.encode_words(["a", 3])
    with pytest.raises(InputError, match="offsets"):
        ours.encode_text("a", offsets="utf16")


@pytest.mark.parametrize("model_type", ["bpe", "char", "word"])
def test_only_unigram(model_type: str) -> None:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a b c ab abc"] * 50), model_writer=model, model_type=model_type, vocab_size=10,
        hard_vocab_limit=False, minloglevel=2, num_threads=1,
    )  # fmt: skip
    with pytest.raises(CorruptModelError, match="UNIGRAM"):
        _core.Tokenizer(model.getvalue())


def test_threads_share_one_tokenizer(models: dict[str, bytes]) -> None:
    """A cache of 64 entries, so that threads overwrite each other's words all the time."""
    texts = make_lines(1200, 41)
    want = processor(models["nmt_nfkc"]).encode(texts, out_type=int)
    ours = _core.Tokenizer(models["nmt_nfkc"], cache_bytes=64 * 128)
    failures: list[str] = []

    def work(seed: int) -> None:
        order = list(range(len(texts)))
        random.Random(seed).shuffle(order)
        for _ in range(5):
            ids, splits = ours.encode_texts([texts[i] for i in order])
            for row, i in enumerate(order):
                if ids[splits[row] : splits[row + 1]].tolist() != want[i]:
                    failures.append(texts[i])

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("unit", ["some words of a b text ", "abcdabcabd", "🜁", "1,2 \u00a0"])
def test_linear_time(models: dict[str, bytes], unit: str) -> None:
    """One text of 16 MiB against 16 texts of 1 MiB: twice the time is much, quadratic would be 16 times."""
    ours = _core.Tokenizer(models["nmt_nfkc"])
    short = (unit * ((1 << 20) // len(unit.encode()) + 1)).encode()[: 1 << 20]

    def seconds(texts: list[bytes]) -> float:
        start = time.thread_time()
        assert len(ours.encode_texts(texts)[0]) > 0
        return time.thread_time() - start

    ratios: list[float] = []
    while len(ratios) < 4 and min(ratios, default=9.0) > 2.5:
        ratios.append(seconds([short * 16]) / seconds([short] * 16))
    assert min(ratios) <= 2.5, ratios


# Golden files: real outputs for the real vocabulary, which are only lent.


@pytest.fixture(scope="module")
def golden() -> Path:
    folder = os.environ.get("ALBERT_FAST_GOLDEN")
    if not folder:
        pytest.skip("skipped: no golden folder")
    return Path(folder)


@pytest.fixture(scope="module")
def albert(golden: Path) -> bytes:
    return (golden / "sparknlp/models/hf_folder/spiece.model").read_bytes()


def golden_rows(golden: Path) -> Iterator[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((golden / "texts/pieces.json").read_text(encoding="utf-8"))["rows"]
    assert len(rows) == 500
    yield from rows


def test_golden_pieces(golden: Path, albert: bytes) -> None:
    ours = _core.Tokenizer(albert)
    for row in golden_rows(golden):
        ids, begin, end = ours.encode_text(row["text"])
        got = list(zip(ids.tolist(), begin.tolist(), end.tolist(), strict=True))
        assert got == [(piece, b, e) for piece, _, b, e in row["sp_pieces"]]
        assert ours.encode_text(row["text"].lower())[0].tolist() == row["sp_lower_ids"]


SPECIAL = ["<unk>", "<pad>", "[CLS]", "[SEP]", "[MASK]"]


def preprocess(text: str) -> str:
    text = " ".join(text.strip().split()).replace("``", '"').replace("''", '"')
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()


def split_special(text: str) -> list[str]:
    """Hugging Face cuts its special tokens out of a text before anything else, here as (text, token, text ...)."""
    parts = [text]
    for token in SPECIAL:
        cut: list[str] = []
        for part in parts:
            pieces = [part] if part in SPECIAL else part.split(token)
            cut += [p for piece in pieces for p in (token, piece)][1:] if part not in SPECIAL else [part]
        parts = cut
    return parts


def test_golden_albert(golden: Path, albert: bytes) -> None:
    ours = _core.Tokenizer(albert)
    for row in golden_rows(golden):
        ids: list[int] = []
        for part in split_special(row["text"]):
            if part in SPECIAL:
                ids.append(ours.piece_to_id(part))
            else:
                ids += ours.encode_albert(preprocess(part))[0].tolist()
        assert ids == row["albert_ids"], row["text"]


def test_real_vocabulary(albert: bytes, prose: list[str]) -> None:
    compare(albert, [text.lower() for text in prose])
    assert compare(albert, make_lines(8000, 77)) > 50_000
    words = [word for text in prose for word in text.lower().split()]
    assert _core.Tokenizer(albert).encode_words(words) == words_by_oracle(processor(albert), words)
