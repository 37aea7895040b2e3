"""Patterns in Java's dialect written by hand, and texts that show what they mean."""

# ruff: noqa: E501

from __future__ import annotations

TEXTS = [
    "",
    "abc ABC aab_9 x-1 b.b",
    "a\r\nb\nc\rd\u0085e\u2028f\u2029",
    "\r\n",
    "one, two;three  four.\n",
    "äÄß ẞ éE\u0301e ıIİi ſsK k Kelvin\u212a \u0663\u0967 9",
    "a\u0301b \u0301c _\u0301d 9\u0301 \u00a0\u2003|\u200c|",
    "U.S. Mr. Poe paid $5.00 (e.g. cash) -- don't!",
    "oneTwoThree HTTPServer42x",
    "😀a😀😀 b𝐀",
    "\t \x0b\f\x1c\x07\x1b\x7f\\[]{}^&-#",
    "aaaaab ababab abcabc",
]

_BLOCKS = r"""
\d \D \s \S \w \W \h \H \v \V \d+ \w+ \s* [\d.] [^\w\s] [\h\v] [^\H] \b \B \b\w+\b \bb \Bb \w\b a\b
. .+ .* (?s). (?s).+ (?d). (?d).+ (?d)$ (?dm)$ (?dm)^ ^ $ (?m)^ (?m)$ \A \Z \z (?m)^. (?m).$ \R \R+ \R{2} \R? \R\n (?:\R)?\n
(?:\R){2} (?:a\R)+ ^$ (?m)^$ $\n? \Z\n \z\n a$ \n$ \r$ [\r\n]+ \n\n|\r
\t \n \r \f \a \e \cA \cG \c[ \0101 \060 \07 \0377 \0400 \x41 \x{41} \x{1F600} \u0041 \uD83D\uDE00 \\ \- \. \_ \é \# \/ \" \' \@
\Qa.b\E \Q.\E+ \QU.S.\E [\Q^-]\E] \Q1\E \060\Q1\E \Qab\E* \Q\E a\Q \Q\\E [\Qa-z\E]
\p{L} \pL \PL \P{L} \p{Lu} \p{Ll} \p{Lt} \p{Lm} \p{Lo} \p{M} \p{N} \p{Nd} \p{P} \p{S} \p{Sc} \p{Z} \p{Zs} \p{C} \p{Cc} \p{LC} \p{LD} \p{L1}
\p{all} \p{ASCII} \p{Alpha} \p{Alnum} \p{Digit} \p{Lower} \p{Upper} \p{Punct} \p{Graph} \p{Print} \p{Blank} \p{Cntrl} \p{XDigit} \p{Space}
\P{Alpha} [^\p{Alpha}] \p{javaLowerCase} \p{javaUpperCase} \p{javaWhitespace} \p{javaSpaceChar} \p{javaLetterOrDigit} \p{javaISOControl}
\p{javaTitleCase} \p{javaDigit} \p{javaDefined} \p{javaAlphabetic} \p{IsAlphabetic} \p{IsLetter} \p{IsLowercase} \p{IsUppercase}
\p{IsTitlecase} \p{IsWhite_Space} \p{IsWhiteSpace} \p{IsPunctuation} \p{IsDigit} \p{IsHex_Digit} \p{IsControl} \p{IsAssigned}
\p{IsJoin_Control} \p{IsAlpha} \p{IsLower} \p{IsUpper} \p{IsPunct} \p{IsSpace} \p{IsGraph} \p{IsPrint} \p{IsCntrl} \p{IsBlank} \p{IsWord}
\p{IsAlnum} \p{IsXDigit} \p{Isalphabetic} \p{IsLatin} \p{IsL} \p{IsLu} \p{isLatin} \p{InGreek} \p{InBasicLatin} \p{InBASIC_LATIN}
\p{sc=Latin} \p{script=Latn} \p{SC=Latin} \p{blk=BasicLatin} \p{block=Greek} \p{gc=Lu} \p{general_category=Nd} \p{Foo} \p{IsFoo} \p{InFoo}
\p{lu} \p{} \p{L \p \pLu \p{x=y} \p{^L} \P{IsLatin} [\p{Lu}\p{Nd}] [^\p{L}\s]
(?i)a (?i)É (?iu)É (?i)[a-c] (?i)[é] (?iu)[é] (?i)k (?iu)k (?i)s+ (?iu)s+ (?iu)i (?iu)ı (?iu)[i] (?iu)[k-s] (?i)ab (?i)\p{Lu} (?i)\p{Lower}
(?i)\p{IsLowercase} (?i)\u0041 (?u)é (?i)[^a] (?i)[\x41-\x43] (?iu)ß (?iu)[ß] (?i:a)b a(?i)b a(?i)b|c (a(?i)b)c a(?i:b)c (?i)a(?-i)b (?i-i)a
(?-i)A (?i)(?-i:a) (?) (?:) (?-) (?i-) (?is:.) (?x)a\ b (?x)[a\ b] (?z) (?i (?i-s (?U)\w (?c)a
[abc] [a-c] [^a-c] []a] [^]a] [] [^] [a [a-] [-a] [a^] [^^] [\^a] [a-c-e] [a-c[x-z]] [[ab]c] [^[ab]c] [a[^b]] [[^a]] [[a]&&[b]]
[a-z&&[^b]] [a-z&&b] [a-z&&b-d] [^a-z&&[^b]] [a-z&&[bc]&&[c]] [a-z&&b-d&&c] [a-z&&[^bc][xy]] [a-z&&[^b]c] [&&a] [a&&] [a&&&&b] [a&b] [&] [a&&^b]
[\w&&[^\d]] [\w&&\D] [\p{L}&&\p{ASCII}] [$.|(){}*+?#] [a-\d] [\d-z] [b-a] [\b] [\z] [\1] [\x41-C] [\x{1F600}-\x{1F64F}] [😀b] [^😀] [[]
[a-c&&[b]x] [+--] [!-/] [\]] [\[] [a\]b] [\t-\r] [^\n] [\v-x] [{}] [[:alpha:]]
a* a+ a? a{2} a{2,} a{2,3} a{0} a{0,0} a*? a+? a?? a{2}? a{2,3}? a*+ a++ a?+ a{2}+ a{1,3}+b a*+a (?:ab)++ (?:a|ab)++b (?:a|ab){2}+ (?>a+)a (?>a|ab)c
a{,2} a{ a{1 a{1, a{x} a{1,x} a{2,1} {2} {2}a ({2}a) a{2}{3} a{99999999999} x{1,99999999999} ** a** a+* +a ?a *a a|*b (*a) }a a} ]a ^* $+ \b? \b{0,1} \b{g}
(?=a)* (?:a{0})* ()* (a*)* (a|b*)*c (a*)+ (a*)? (?:a*)*b (?:)* (a?){3} (?:a?){3} (?:a|){2}b
(a)(b)? (a)|(b) ((a)(b)) (?:(a)|b)* (a|ab)(c|bcd)? (?<x>a)\k<x> (?<x>a)(?<x>b) (?<1a>b) (?<a_b>c) (?<a \k<x> \kx (?P<x>a) (?'x'a) (?#c)a
(a)\1 (a+)\1 (ab)\1+ (a)\2 (a)\10 (a)(b)\11 \1 \1(a) (a\1) (?:\1(a))+ (a|b)\1 (?i)(a)\1 (\w)(?:\1)* (?=(a))b|a (?=(a+))\1b (?!(a))b (?!(.)\1). (?>(a))b|a
(?=a) (?!a) (?=a)a (?<=a)b (?<!a)b (?<=^)a (?<=\s|^)\w (?<=[a-z])(?=[A-Z]) (?<=a{1,3})b (?<=(?:ab){2})a (?<=(?:a|b))c (?<=(?:a|b){2})c (?<=a|bc)b
(?<=(a))b (?<=a++)b (?<=(?>a))b (?<=a*)b (?<=(?:ab)*)c (?<!\d)\. (?<=\.)\s (?<=\b)a (?<=(?=a)a)b (?<=\n) (?<=😀)a (?<=.)b
a| |a a||b (a|) (|a) (?:|a)b | a|b|ab ab|a (?:a|b)+ a(?:b|c)? ( ) (a (a)) a) (?:a (?=a (?<=a (?
\y \q \i \j \l \m \o \g \E \F \I \J \K \L \M \O \T \Y \X \G \N{DIGIT} \8 \9 \0 \08 \x4 \xg \x{} \x{110000} \x{g \u12 \uD800 \c \
"[^"]*" \$\d+(?:\.\d\d)? [!?]+ -- \s-\s \|  , ; and \\n+ (?<=\d)\s SPEAKER\s[A-Z]: \(?\w+\)? https?://\S+ \S+@\S+ \d{1,2}\. ^\d\. [.,;:!?*()"'-]
"""
_WITH_BLANKS = [
    "(?x) a b # comment\n c",
    "(?x)[a b]",
    "(?x)[a #]\nb]",
    "(?x)a #",
    "(?x)a + b",
    "(?x)( ?:a)b",
    "(?x)\\x4 1",
    "(?x)a{1 , 2}",
    "(?x)[ ^a]",
    "(?x)[^ a]",
    "(?x:a b) c",
    "(?x)(?-x: )",
    "(?xd)a#\rb\nc",
    "(?x)\\Q a\\E",
    "\\. ",
    "[A-Z][a-z]* ",
    "New York",
    "a  b",
    "(?i)new york|(?i)poe",
    "\\A([.,$(]*)([^.,]+)([.,)]*)\\z",
    "\\A([\\Q.,;:!?*-()\"'\\E]*)([^\\Q.,;:!?*-()\"'\\E](?:.*[^\\Q.,;:!?*-()\"'\\E])*)([\\Q.,;:!?*-()\"'\\E]*)\\z",
    "[^(?:\\S+)\u2188]",
    "[^(?:a-z0-9')\u2188]",
    "[^(?:[a-z]+)\u2188]",
    "\\N{DIGIT ONE}",
    "a\x00b",
    "\ud800",
]
PATTERNS = [*dict.fromkeys(_BLOCKS.split() + _WITH_BLANKS)]
