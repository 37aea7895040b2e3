"""Random patterns in Java's dialect and texts for them, from a seed."""

# ruff: noqa: E501

from __future__ import annotations

import random

LETTERS = list("aaabbcABkKsSiI019_ .,-")
ODD = list("\n\r\t\x85\u2028\x0b\xa0éÉßẞÀµμſKİıΣσςǅдДあ٣\u0301\u0308\u200c€😀𝐀𐐀𐐨")
CLASSES = r"\d \D \s \S \w \W \h \H \v \V".split()
PROPERTIES = (
    r"\p{L} \pL \PL \p{Lu} \p{Ll} \p{Lt} \p{M} \p{Mn} \p{N} \p{Nd} \p{P} \p{S} \p{Z} \p{Zs} \p{IsL} \p{gc=Lu} \p{LC} \p{LD} "
    r"\p{Lower} \p{Upper} \p{ASCII} \p{Alpha} \p{Digit} \p{Alnum} \p{Punct} \p{Graph} \p{Print} \p{Blank} \p{Cntrl} "
    r"\p{XDigit} \p{Space} \P{Alpha} \p{javaLowerCase} \p{javaUpperCase} \p{javaWhitespace} \p{javaLetterOrDigit} "
    r"\p{javaSpaceChar} \p{IsAlphabetic} \p{IsLowercase} \p{IsUppercase} \p{IsWhite_Space} \p{IsPunctuation} "
    r"\p{IsDigit} \p{IsLatin} \p{IsGreek} \p{script=Cyrillic} \p{sc=Hira} \p{InGreek} \p{InBasicLatin} "
    r"\p{block=Cyrillic} \P{IsLatin} \p{L1} \p{all} \p{IsAlpha} \p{isLatin} \p{Foo} \p{lu} \p{IsWord} \p{IsTitlecase}"
).split()
ESCAPES = (
    r"\t \n \r \f \a \e \0141 \061 \07 \x41 \x{41} \x{1F600} \u0041 \u00e9 \uD83D\uDE00 \cA \. \\ \- \[ \] \& \^ \é \_ "
    r"\Qa.b\E \Q-\E \Q1\E \# \  \/ \x{df} \u212a"
).split()
ANCHORS = r"^ $ \b \B \A \z \Z (?m:^) (?m:$) (?d:$) (?dm:^) (?dm:$)".split()
BROKEN = r"\y \q \E \1x \k<n> \x4 \u12 \0 \x{110000} \8 {,2} { a{ a{1 {2} [ ] ( ) ** ++ * + ? (? (?P<n>a) (?#c) [b-a] [a-\d] [] [^] \N{DIGIT} \X \G (?U) (?z) (?<1>a) (?i-) (?) }".split()
FLAGS = "i m s d u x is iu iu im sx i-s -i -x iux".split()


class Generator:
    """Patterns by a grammar over what Java has; now and then something broken."""

    def __init__(self, seed: int, odd: float = 0.25, letters: str = "".join(LETTERS)) -> None:
        self.random = random.Random(seed)
        self.letters = list(letters)
        self.odd = odd
        self.groups = 0
        self.names: list[str] = []
        self.behind = 0

    def text(self) -> str:
        choose = self.random
        length = choose.choice((0, 1, 2, 3, 4, 5, 6, 8, 12, 20))
        out = []
        for _ in range(length):
            pool = ODD if choose.random() < self.odd else self.letters
            out.append("\r\n" if choose.random() < 0.02 else choose.choice(pool))
        return "".join(out)

    def pattern(self) -> str:
        self.groups = 0
        self.names = []
        self.behind = 0
        prefix = f"(?{self.random.choice(FLAGS)})" if self.random.random() < 0.2 else ""
        return prefix + self.alternatives(self.random.choice((1, 2, 2, 3)))

    def alternatives(self, depth: int) -> str:
        count = self.random.choice((1, 1, 1, 2, 3))
        return "|".join(self.sequence(depth) for _ in range(count))

    def sequence(self, depth: int) -> str:
        return "".join(self.part(depth) for _ in range(self.random.choice((0, 1, 1, 2, 2, 3, 4))))

    def part(self, depth: int) -> str:
        return self.atom(depth) + (self.quantifier() if self.random.random() < 0.4 else "")

    def quantifier(self) -> str:
        choose = self.random
        sign = choose.choice(("?", "*", "+", "+", "{2}", "{0,1}", "{1,2}", "{0}", "{1,}", "{2,3}"))
        return sign + choose.choice(("", "", "", "", "?", "+"))

    def literal(self) -> str:
        character = self.random.choice(ODD if self.random.random() < self.odd / 2 else self.letters)
        return (
            character if character.isalnum() or not character.isascii() else self.random.choice(("", "\\")) + character
        )

    def atom(self, depth: int) -> str:
        choose = self.random
        roll = choose.random()
        if roll < 0.34:
            return self.literal()
        if roll < 0.40:
            return "."
        if roll < 0.48:
            return choose.choice(CLASSES)
        if roll < 0.52:
            return choose.choice(PROPERTIES)
        if roll < 0.55:
            return choose.choice(ESCAPES)
        if roll < 0.62:
            return choose.choice(ANCHORS)
        if roll < 0.63:
            return r"\R"
        if roll < 0.635:
            return choose.choice(BROKEN)
        if roll < 0.645:
            return f"(?{choose.choice(FLAGS)})"
        if roll < 0.68 and self.groups:
            return self.reference()
        if roll < 0.78 or depth == 0:
            return self.char_class(2)
        return self.group(depth - 1)

    def reference(self) -> str:
        if self.names and self.random.random() < 0.3:
            return rf"\k<{self.random.choice(self.names)}>"
        return rf"\{self.random.randint(1, self.groups)}"

    def group(self, depth: int) -> str:
        choose = self.random
        kind = choose.choice(("(", "(", "(", "(?:", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?<", "(?f:"))
        if kind == "(?f:":
            return f"(?{choose.choice(FLAGS)}:{self.alternatives(depth)})"
        if kind == "(?<":
            name = f"n{self.groups}"
            body = self.alternatives(depth)
            self.names.append(name)
            self.groups += 1
            return f"(?<{name}>{body})"
        body = self.alternatives(depth if not kind.startswith("(?<") else 0)
        self.groups += kind == "("
        return f"{kind}{body})"

    def class_member(self, depth: int) -> str:
        choose = self.random
        roll = choose.random()
        if roll < 0.4:
            return choose.choice(ODD if choose.random() < self.odd / 2 else [c for c in self.letters if c != "-"])
        if roll < 0.6:
            return choose.choice(("a-c", "A-Z", "0-9", "a-z", "k-s", "!-/", "À-ÿ", "Α-ω", "I-j", "0-\\x39", "\\t-\\r"))
        if roll < 0.7:
            return choose.choice(CLASSES)
        if roll < 0.75:
            return choose.choice(PROPERTIES)
        if roll < 0.82:
            return choose.choice(ESCAPES)
        if roll < 0.88:
            return choose.choice(("^", "&", "-", "]", "\\b", "$", "{", "(", "|", "#", " ", "--", "&&"))
        return self.char_class(depth - 1) if depth else "x"

    def char_class(self, depth: int) -> str:
        choose = self.random
        body = "".join(self.class_member(depth) for _ in range(choose.choice((1, 1, 2, 3))))
        if choose.random() < 0.2:
            right = self.char_class(0) if choose.random() < 0.6 else self.class_member(0)
            body += "&&" + right
        return f"[{choose.choice(('', '', '^'))}{body}]"
