"""Spark NLP's pragmatic sentence rules and default word rules, read literally with regular expressions.

The slow twin of `csrc/text`: each rule rewrites the whole text, as the real system does. Written to be compared with,
not to be used. Offsets are code points, half-open.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

BREAK, OPEN, CLOSE = "\uf050", "\uf056", "\uf057"
DOT, SEMICOLON, QUESTION, EXCLAMATION = "\uf051", "\uf053", "\uf054", "\uf055"
ABBREVIATION, NUMBER, PERIODS = "\u255e", "\u255f", "\u2554"
QUOTED_QUESTION, QUOTED_EXCLAMATION, ELLIPSIS = "\u2564", "\u2565", "\u2566"
RECOVERED = {
    DOT: ".", SEMICOLON: ";", QUESTION: "?", EXCLAMATION: "!", ABBREVIATION: ".", NUMBER: ".", PERIODS: ".",
    QUOTED_QUESTION: "?", QUOTED_EXCLAMATION: "!", ELLIPSIS: "...", BREAK: "", OPEN: "", CLOSE: "",
}  # fmt: skip
# A text that holds such a character itself: for the rules it is a character like any other, so it may be a stand-in.
HIDE = str.maketrans(dict.fromkeys([*RECOVERED, "\uf052"], "\uf8ff"))

ANY = "[^\n\r\x85\u2028\u2029]"  # Java's dot
PRE = "dr mr ms prof mt st".split()
NUMA = "no p px".split()
ABB = (
    "adj bros btw co col corp cpl dec aug del dept dist dr e.g etc exp feb fy hr i.e id inc jan jr jul jun lt ltd mar "
    "may min mr mrs ms no nov oct ok p px plz prof rep sec sep sept sr st u.s ver vs"
).split()

Rewrite = Callable[[str], str]


def replace(pattern: str, by: Callable[[str], str]) -> Rewrite:
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: compiled.sub(lambda match: by(match[0]), text)


def symbol(sign: str) -> Callable[[str], str]:
    return lambda _: sign


def protect(found: str) -> str:
    return OPEN + found + CLOSE


def break_and_protect(found: str) -> str:
    return BREAK + OPEN + found + CLOSE


def after(words: list[str], ahead: str, ahead_at_start: str | None = None) -> str:
    r"""`(?<=\s(?i)WORDS)\.(?=AHEAD)|(?<=^(?i)WORDS)\.(?=AHEAD)`; Python wants lookbehinds of one width each."""
    in_text = "|".join(rf"(?<=\s(?i:{word.replace('.', ANY)}))" for word in words)
    at_start = "|".join(rf"(?<=^(?i:{word.replace('.', ANY)}))" for word in words)
    return rf"(?:{in_text})\.(?={ahead})|(?:{at_start})\.(?={ahead_at_start or ahead})"


def is_word_character(text: str, at: int) -> bool:
    r"""Java 17's test behind `\b`, quirk included: a mark counts on a letter or digit inside the BMP only."""

    def is_letter_or_digit(c: str) -> bool:
        return unicodedata.category(c) in ("Lu", "Ll", "Lt", "Lm", "Lo", "Nd")

    c = text[at]
    if c == "_" or is_letter_or_digit(c):
        return True
    while at >= 0 and unicodedata.category(text[at]) == "Mn" and text[at] <= "\uffff":
        at -= 1
        if at >= 0 and is_letter_or_digit(text[at]) and text[at] <= "\uffff":
            return True
    return False


DOTTED_LETTERS = re.compile(r"[a-zA-Z](?:\.[a-zA-Z])+(?:\.(?!\s[A-Z]))*", re.ASCII)


def protect_dotted_letters(text: str) -> str:
    r"""P: `\b[a-zA-Z](?:\.[a-zA-Z])+(?:\.(?!\s[A-Z]))*`."""
    out, done, at = [], 0, 0
    while match := DOTTED_LETTERS.search(text, at):
        if match.start() > 0 and is_word_character(text, match.start() - 1):
            at = match.start() + 1
            continue
        out += [text[done : match.start()], protect(match[0])]
        done = at = match.end()
    return "".join(out) + text[done:]


LISTS = [
    replace(r"(\()[a-z]+\)|^[a-z]+\)", break_and_protect),
    replace(
        r"\s\d{1,2}\.\s|^\d{1,2}\.\s|\s\d{1,2}\.\)|^\d{1,2}\.\)|\s\-\d{1,2}\.\s|^\-\d{1,2}\.\s|s\-\d{1,2}\.\)"
        rf"|^\-\d{{1,2}}({ANY}\))",
        break_and_protect,
    ),
]
NUMBERS = [
    replace(r"(?<=\d)\.(?=\d)", symbol(NUMBER)),
    replace(r"\.(?=\d)", symbol(NUMBER)),
    replace(r"(?<=\d)\.(?=\S)", symbol(NUMBER)),
    replace(r"(?<=^\d)\.(?=(\s\S)|\))", symbol(NUMBER)),
    replace(r"(?<=^\d\d)\.(?=(\s\S)|\))", symbol(NUMBER)),
]
ABBREVIATIONS = [
    protect_dotted_letters,
    replace(r"(?i:p\.m\.*)", protect),
    replace(r"(?i:a\.m\.*)", protect),
    replace(r"\.(?='s\s)|\.(?='s\$)|\.(?='s\Z)", symbol(ABBREVIATION)),
    replace(r"(?<=Co)\.(?=\sKG)", symbol(ABBREVIATION)),
    replace(r"(?<=^[A-Z])\.(?=\s)", symbol(ABBREVIATION)),
    replace(r"(?<=\s[A-Z])\.(?=\s)", symbol(ABBREVIATION)),
]
SENTENCE_GOES_ON = r"\s(?:[a-z]|I\s|I'm|I'll|\d)"
KNOWN_ABBREVIATIONS = [
    replace(after(PRE, r"\s"), symbol(ABBREVIATION)),
    replace(after(PRE, r":\d+"), symbol(ABBREVIATION)),
    replace(after(NUMA, r"\s\d"), symbol(ABBREVIATION)),
    replace(after(NUMA, r"\s+\("), symbol(ABBREVIATION)),
    replace(after(ABB, rf"\.|:|-|\?|{SENTENCE_GOES_ON}", rf"\.|:|\?|{SENTENCE_GOES_ON}"), symbol(ABBREVIATION)),
    replace(after(ABB, ","), symbol(ABBREVIATION)),
]
THE_REST = [
    replace(r"(?<=\S)[!\?]+(?=\s|\Z|\$)", lambda found: found + BREAK),
    replace(r"(?<=\w)\.(?=\w)", symbol(PERIODS)),
    replace(r"(?<=[a-zA-z]°)\.(?=\s*\d+)", symbol(PERIODS)),
    replace(r"\.\.\.(?=\s+[A-Z])", symbol(ELLIPSIS + BREAK)),
    replace(r"(?<=\S)\.{3}(?=\.\s[A-Z])", symbol(ELLIPSIS + BREAK)),
    replace(r"(?:(?<=\s)|^)'[\w\s?!\.,|'\w]+'(?:\W)", protect),
    replace(r'"[\w\s?!\.,]+"', protect),
    replace(r"\[[\w\s?!\.,]+\]", protect),
    replace(r"\([\w\s?!\.,]+\)", protect),
    replace(r"\?(?=('|\"))", symbol(QUOTED_QUESTION)),
    replace(r"\!(?=('|\"))", symbol(QUOTED_EXCLAMATION)),
    replace(r"\!(?=\,\s[a-z])", symbol(QUOTED_EXCLAMATION)),
    replace(r"\!(?=\s[a-z])", symbol(QUOTED_EXCLAMATION)),
    replace(r"\.", symbol(DOT + BREAK)),
    replace(";", symbol(SEMICOLON + BREAK)),
]
COUNTING_BREAK = re.compile(f"{BREAK}(?![^{OPEN}]*{CLOSE})")
TRIMMED = "".join(map(chr, range(0x21)))


def detect_sentences(
    text: str, *, use_abbreviations: bool = True, detect_lists: bool = True, min_length: int = 0, max_length: int = -1
) -> list[tuple[int, int]]:
    """Sentences as slices of the text. Lengths count UTF-16 units; a negative `max_length` is no limit."""
    rewritten = text.translate(HIDE)
    known = KNOWN_ABBREVIATIONS if use_abbreviations else []
    for rule in [*(LISTS if detect_lists else []), *NUMBERS, *ABBREVIATIONS, *known, *THE_REST]:
        rewritten = rule(rewritten)
    spans, at = [], 0
    for piece in COUNTING_BREAK.split(rewritten):
        recovered = "".join(RECOVERED.get(c, c) for c in piece)
        begin = at + len(recovered) - len(recovered.lstrip(TRIMMED))
        end = begin + len(recovered.strip(TRIMMED))
        at += len(recovered)
        units = len(text[begin:end].encode("utf-16-le")) // 2
        if end > begin and units >= min_length and (max_length < 0 or units <= max_length):
            spans.append((begin, end))
    return spans


def custom_sentences(
    text: str, bounds: list[str], strategy: str, only: bool, split_length: int = 0
) -> tuple[list[str], bool]:
    """Sentences with custom bounds as texts, and whether a rule undid a bound (whose match is then missing here)."""
    marks = {"none": lambda _: BREAK, "prepend": lambda found: BREAK + found, "append": lambda found: found + BREAK}
    rewritten = text.translate(HIDE)
    rules = [replace(bound, marks[strategy]) for bound in bounds]
    if not only:
        rules += [*LISTS, *ABBREVIATIONS, *KNOWN_ABBREVIATIONS, *NUMBERS, *THE_REST]
    for rule in rules:
        rewritten = rule(rewritten)
    pieces = COUNTING_BREAK.split(rewritten)
    texts = ["".join(RECOVERED.get(c, c) for c in piece).strip(TRIMMED) for piece in pieces]
    if split_length:
        texts = [part for sentence in texts for part in split_sentence(sentence, split_length)]
    return [sentence for sentence in texts if sentence], any(BREAK in piece for piece in pieces)


def split_sentence(sentence: str, limit: int) -> list[str]:
    """splitLength: words between single blanks, packed greedily."""
    parts: list[list[str]] = [[]]
    length = 0
    for word in sentence.split(" "):
        units = len(word.encode("utf-16-le")) // 2
        if length + units > limit:
            parts.append([])
            length = 0
        parts[-1].append(word)
        length += units + 1
    return [" ".join(part) for part in parts]


BLANK = r"[ \t\n\x0b\f\r]"
CLEANUP = {
    "disabled": (False, None, ""),
    "inplace": (False, BLANK, " "),
    "inplace_full": (False, BLANK + r"|(?:\\r)?(?:\\n)|(?:\\t)", " "),
    "shrink": (True, BLANK + "+", " "),
    "shrink_full": (True, BLANK + r"+|(?:\\r)*(?:\\n)+|(?:\\t)+", " "),
    "each": (False, BLANK + r"[\n\t]", " "),
    "each_full": (False, BLANK + r"(?:\n|\t|(?:\\r)?(?:\\n)|(?:\\t))", " "),
    "delete_full": (True, r"(?:\\r)?(?:\\n)|(?:\\t)", ""),
}


def clean(text: str, mode: str) -> str:
    """DocumentAssembler's cleanup modes."""
    trims, pattern, by = CLEANUP[mode]
    text = text.strip(TRIMMED) if trims else text
    return text if pattern is None else re.sub(pattern, by, text)


CANDIDATE = re.compile("[^ \t\n\x0b\f\r\u2187]+")
CONTEXT = ".,;:!?*-()\"'"


def split_words(text: str, context: str = CONTEXT) -> list[tuple[int, int]]:
    """Words of a sentence as slices of it, by the Tokenizer's rules with these context characters."""
    c = re.escape(context)
    word_rule = re.compile(f"\\A([{c}]*)([^{c}](?:{ANY}*[^{c}])*)([{c}]*)\\Z")
    spans = []
    for candidate in CANDIDATE.finditer(text):
        at = candidate.start()
        match = word_rule.search(candidate[0])
        for group in match.groups() if match else [candidate[0]]:
            if group and len(group.encode("utf-16-le")) // 2 <= 99_999:
                spans.append((at, at + len(group)))
            at += len(group)
    return spans
