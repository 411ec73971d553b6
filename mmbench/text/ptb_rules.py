"""Rules of the PTB tokenizer: what a token can be, as patterns that compete for the longest match.

A pattern matches at a position of the *shadow* of a text, in which each character beyond ASCII stands for its class.
Where it has a group, the group is the token and the rest is context that counts in the competition. Of equally long
matches the first rule wins. No pattern takes more than linear time; where one may read far and fail, ``run`` says how
far the failure reaches, so that no stretch of text is read again from each of its characters.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mmbench.text import ptb_tables as tables

# One character of the shadow for each class; the others stand for themselves or, when unknown, for UNKNOWN.
LETTER, MARK, DIGIT, SYMBOL, SUPERSCRIPT, UNKNOWN = "é", "\u0300", "٠", "©", "²", "\x01"

_A: Final = f"A-Za-z{LETTER}"
_D: Final = f"0-9{DIGIT}"
SPACE: Final = " \t\xa0\u2000-\u200a\u3000"
# Within words a soft hyphen and some entities count as letters.
_ENTITY: Final = "&[aeiouAEIOU](?i:acute|grave|uml);"
_L: Final = rf"(?:[{_A}{MARK}\xad]|{_ENTITY})"
_LD: Final = rf"(?:[{_A}{MARK}\xad{_D}]|{_ENTITY})"
_WORD: Final = rf"{_L}{_LD}*+(?:[.!?]{_L}{_LD}*+)*+"
_APOSTROPHE: Final = "(?:['\x92’]|&apos;)"
_APOSTROPHE_LIKE: Final = "(?:['\x92’`\x91‘‛]|&apos;)"
_CLITIC: Final = rf"{_APOSTROPHE}(?:[msdMSD]|(?i:re|ve|ll))"
_NOT: Final = rf"[nN]{_APOSTROPHE_LIKE}[tT]"
_ALNUM: Final = rf"(?:[dDoOlL]{_APOSTROPHE_LIKE}[{_A}{_D}])?[{_A}{_D}]++"
_THING: Final = rf"{_ALNUM}(?:[-_֊\u2010\u2011]{_ALNUM})*+"
_ACRONYM: Final = r"[A-Za-z](?:\.[A-Za-z])+"
_INITIALS: Final = r"[A-Z]+(?:(?:[+&]|&amp;)[A-Z]+)+"
_LISTED: Final = r"[A-Za-z0-9][A-Za-z0-9.,\xad]*+"
_HYPHENATED: Final = rf"{_LISTED}(?:-(?:{_ACRONYM}\.|[A-Za-z0-9\xad]+))++"
_SLASHED: Final = "[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}"
_PAUSE: Final = "[,;:、]"

_NOT_URL: Final = r" \t\n\f\r\"<>|()"
_URL_END: Final = rf"[^{_NOT_URL}.!?{{}},\-]"
_PATH: Final = rf"(?:/[^{_NOT_URL}]+{_URL_END})?"
_WWW_PART: Final = rf"[^{_NOT_URL}.!?{{}},]"
# From the comma to the underscore: digits, capitals and most punctuation.
_HOST_PART: Final = rf"[^{_NOT_URL}`'!?{{}}$,-_]"
_MAIL_PART: Final = rf"[^{_NOT_URL}{{}}\xa0.]"
_MAIL_USER: Final = rf"[^{_NOT_URL}{{}}\xa0]"

_NAME: Final = r"[A-Za-z][A-Za-z0-9:._\-]*+"
_ATTRIBUTE: Final = rf""" ++{_NAME}(?: *+= *+(?:'[^'\n]*+'|"[^"\n]*+"))?+"""
_TAG: Final = rf"</{_NAME} *+>|<{_NAME}(?:{_ATTRIBUTE})*+ *+/? *+>"
_DECLARATION: Final = r"<[!?][A-Za-z\-][^>\n]*+"
_PHONE: Final = (
    r"(?:\([0-9]{2,3}\)[ \xa0]?|(?:\+\+?)?(?:[0-9]{2,4}[- \xa0])?[0-9]{2,4}[- \xa0])[0-9]{3,4}[- \xa0]?[0-9]{3,5}"
    r"|(?:(?:\+\+?)?[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5}"
)
_EYE: Final = r"[\-\^x=~<>']"
_FACE: Final = rf"{_EYE}_{_EYE}|\({_EYE}[_.]?{_EYE}\)|\([\^x=~<>']-[\^x=~<>'`]\)"
_CURLY: Final = "`‘’‚‛“”„‟\x91\x92\x93\x94‹›«»"


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A pattern with ``first``, the characters a match can begin with, and ``form``, which spells the token."""

    first: re.Pattern[str]
    pattern: re.Pattern[str]
    form: Callable[[str], str]
    run: re.Pattern[str] | None


def either(table: str) -> str:
    """A pattern of the words of a table, longest first."""
    words = sorted(table.split(), key=len, reverse=True)
    return "|".join("".join(map(_letter, re.findall("_?.", word))) for word in words)


def _letter(letter: str) -> str:
    """A letter in both cases, or as written after an underscore."""
    return letter[1] if letter[0] == "_" else f"[{letter}{letter.upper()}]"


def _plain(token: str) -> str:
    """Lower case, as most tokens; soft hyphens are invisible, unless there is nothing else."""
    return (token.replace("\xad", "") or "-").lower()


def _clitic(token: str) -> str:
    for quotes, plain in (("[\x92’]|&apos;", "'"), ("[\x91‘‛]", "`")):
        token = re.sub(quotes, plain, token)
    return _plain(token)


def _bracketed(token: str) -> str:
    """Round brackets by name and spaces unbreakable, so that the token stays one."""
    return token.replace(" ", "\xa0").replace("(", "-lrb-").replace(")", "-rrb-").lower()


def _tag(token: str) -> str:
    return token.replace(" ", "\xa0").lower()


def _initials(token: str) -> str:
    return token.replace("&amp;", "&").lower()


def _dashes(token: str) -> str:
    return "--" if len(token) in (3, 4) else token


def _quotes(token: str) -> str:
    return "".join(tables.QUOTES.get(c, c) for c in token)


def _entity(token: str) -> str:
    return tables.ENTITIES[token.lower()]


def _constant(form: str) -> Callable[[str], str]:
    return lambda _: form


def _rule(first: str, pattern: str, form: Callable[[str], str] = _plain, run: str | None = None) -> Rule:
    return Rule(re.compile(f"[{first}]"), re.compile(pattern), form, None if run is None else re.compile(run))


_WORD_FIRST: Final = rf"{_A}{MARK}\xad&"
_THING_FIRST: Final = f"{_A}{_D}"


def _markup() -> list[Rule]:
    return [
        _rule("<", f"{_DECLARATION}>", _tag, run=_DECLARATION),
        _rule("<", _TAG, _tag),
        _rule("&\x96\x97\u2013-\u2015", "(?i:&(?:md|mdash|ndash);)|[\x96\x97\u2013-\u2015]", _constant("--")),
        _rule("&", "(?i:&amp;)", _entity),
        _rule("&", "(?i:&(?:ht|tl|ur|lr|qc|ql|qr|odq|cdq|#[0-9]+);)"),
    ]


def _words_and_clitics() -> list[Rule]:
    special = "cont'd\\.?|nor'easter|c'mon|e'er|s'mores|ev'ry|li'l|nat'l"
    short = rf"{_APOSTROPHE}(?:em|till?|cause)|(?:dunkin|somethin|ol){_APOSTROPHE}"
    return [
        # can not, gon na, 't was: what remains is a word again.
        _rule("cC", "(?i:(can)not)"),
        _rule("gGlLwW", "(?i:(gon)na|(got)ta|(lem)me|(gim)me|(wan)na)"),
        _rule("'", "('[tT])(?i:is|was)"),
        # it 's, do n't: the clitic is part of the match, so that the word wins over longer things without it.
        _rule(_WORD_FIRST, rf"({_WORD}){_CLITIC}"),
        _rule(r"A-Za-z\xad", rf"([A-Za-z\xad]*?[A-MO-Za-mo-z]\xad*){_NOT}"),
        _rule(_WORD_FIRST, _WORD),
        _rule("'\x92’&lLdDjJ", rf"{_APOSTROPHE}[nN]{_APOSTROPHE}?|[lLdDjJ]{_APOSTROPHE}|{_APOSTROPHE}[2-9]0[sS]"),
        _rule("'\x92’&dDsSoOcCnNeElL", f"(?i:{short}|{special})"),
        # o'o, O'Neil, qu'il, y' all
        _rule("oO", f"[oO]{_APOSTROPHE_LIKE}[oO]"),
        _rule("A-HJ-XZn", f"[A-HJ-XZn]{_APOSTROPHE_LIKE}[{_A}]{{2,}}+"),
        _rule(_A, f"[{_A}]{{2,}}+(?<=[aeiouyAEIOUY]){_APOSTROPHE_LIKE}[aeiouA-Z][{_A}]*+"),
        _rule("yY", f"([yY]{_APOSTROPHE})[{_A}]"),
    ]


def _addresses() -> list[Rule]:
    user = rf"(?:&lt;|<)?[a-zA-Z0-9]{_MAIL_USER}*"
    mail = rf"{user}@{_MAIL_PART}++(?:\.{_MAIL_PART}++)*+(?:&gt;|>)?"
    www = rf"(?i:www)\.(?:{_WWW_PART}++\.)+[a-zA-Z]{{2,4}}{_PATH}"
    host = rf"(?:{_HOST_PART}++\.)+(?i:com|net|org|edu){_PATH}"
    verbatim = str.lower
    return [
        _rule("hH", rf"(?i:https?)://[^{_NOT_URL}{{}}]+{_URL_END}", verbatim),
        _rule("wW", www, verbatim, run=rf"{_WWW_PART}++(?:\.{_WWW_PART}++)*+"),
        _rule(rf"^{_NOT_URL}.`'!?{{}}$,-_", host, verbatim, run=rf"{_HOST_PART}++(?:\.{_HOST_PART}++)*+"),
        _rule("a-zA-Z0-9<&", mail, verbatim, run=user),
        _rule("@#", rf"@[a-zA-Z_][a-zA-Z_0-9]*+|\#{_L}++", verbatim),
    ]


def _numbers() -> list[Rule]:
    number = rf"[\-+]?(?:[{_D}]*+(?:[.:,\xad٫٬][{_D}]++)++|[{_D}]++)"
    fraction = rf"(?:[{_D}]{{1,4}}[- \xa0])?[{_D}]{{1,4}}(?:\\?/|⁄)[{_D}]{{1,4}}"
    return [
        # Here the clitics themselves; before a letter the apostrophe is a quote, see the end of the list.
        _rule("'\x92’&", f"({_CLITIC})[^A-Za-z]", _clitic),
        _rule("nN", _NOT, _clitic),
        _rule(_D, rf"[{_D}]{{1,2}}[\-/][{_D}]{{1,2}}[\-/][{_D}]{{2,4}}"),
        _rule(rf"{_D}\-+.:,\xad٫٬", number),
        _rule(SUPERSCRIPT, f"{SUPERSCRIPT}+"),
        _rule(_D, fraction, _bracketed),
        _rule("".join(tables.SIGNS), ".", tables.SIGNS.__getitem__),
        # US$ 5
        _rule("A-Z$#", r"[A-Z]*+\$|\#"),
    ]


def _marks() -> list[Rule]:
    return [_rule(",;:、", _PAUSE), _rule("?!", "[?!]+"), _rule(".=/", "[.=/]")]


def _abbreviations() -> list[Rule]:
    initial = rf"([A-Za-z])\.[{SPACE}\n]++"
    return [
        _rule("A-Za-z", rf"{initial}(?:{either(tables.STARTERS)}|{_TAG})[{SPACE}\n]"),
        _rule("A-Za-z", rf"{initial}{_DECLARATION}>[{SPACE}\n]", run=rf"{initial}{_DECLARATION}(?!>)"),
        # The two characters count in the competition: ala.x is two tokens, ala.xyz is one.
        _rule("A-Za-z", rf"((?:{either(tables.SHORTENED)})\.)[\s\S]{{2}}"),
        _rule("A-Za-z", rf"(?:{either(tables.TITLES)})\."),
        _rule("A-Za-z", rf"((?:{either(tables.NUMBERED)})\.)[{SPACE}\n]?[{_D}]"),
        _rule("A-Za-z", rf"{_ACRONYM}\.|[A-Za-z]\."),
        _rule("cCeEjJkKnNsS", rf"((?i:(?:canada|eu|japan|korean|non|sino)-u\.s))[{SPACE}\n]"),
        _rule("pP", r"[pP][hH]\.[dD]\.?"),
    ]


def _things() -> list[Rule]:
    run = r"[A-Za-z0-9.,\xad]*+"
    file = rf"((?:{_LD}++\.)+(?:{either(tables.EXTENSIONS)}))[{SPACE}\n.?!,]"
    slashed = rf"{_SLASHED}(?:\\?/{_SLASHED}){{1,2}}"
    return [
        # Any word keeps its period before a comma or the like.
        _rule(_THING_FIRST, rf"({_THING}\.){_PAUSE}"),
        _rule(_WORD_FIRST, rf"({_WORD}\.){_PAUSE}"),
        _rule("A-Z", rf"({_INITIALS}\.){_PAUSE}", _initials),
        _rule("A-Za-z0-9", rf"({_HYPHENATED}\.){_PAUSE}", run=run),
        _rule(_THING_FIRST, _THING),
        _rule("A-Za-z0-9", _HYPHENATED, run=run),
        _rule("A-Z", _INITIALS, _initials),
        _rule("A-Za-z0-9", slashed, _initials),
        _rule(rf"{_WORD_FIRST}{_D}", file, str.lower, run=rf"{_LD}++(?:\.{_LD}++)*+"),
        _rule("(+0-9", _PHONE, _bracketed),
    ]


def _punctuation() -> list[Rule]:
    brackets = _rule(r"()\[\]{}", r"[()\[\]{}]", tables.BRACKETS.__getitem__)
    return [
        _rule('"', '"', _quotes),
        brackets,
        _rule(r"\-", "-+", _dashes),
        _rule(r"\-", "(?i:-[lr][rsc]b-)"),
        _rule("aApP", "(?i:anti|pro)-"),
        _rule("'\x92’&", rf"({_APOSTROPHE}[0-9]{{2}})[{SPACE}\n]"),
        _rule(r".\x85…", r"\.{3,5}|(?:\.[ \xa0]){2,4}\.|[\x85…]", _constant("...")),
        _rule(r"*\\_#@<>", r"\*+|(?:\\\*){1,3}|_+|\#+|@+|<<|>>"),
        _rule("cCfF", r"[cCfF]\#|[cC]\+\+"),
        # Smileys and faces: :-) and (^_^)
        _rule("<>:;=", r"([<>]?[:;=][\-o*']?[()DPdpO\\{@|\[\]])[^A-Za-z0-9]", _bracketed),
        _rule(r"\-\^x=~<>'(", _FACE, _bracketed),
        _rule("`'", "``|''"),
        _rule(_CURLY, f"[{_CURLY}]{{1,2}}", _quotes),
        # An opening quote.
        _rule("'", r"(')[A-Za-z][^ \t\n\xa0]", _quotes),
        _rule("'\x92’&", _CLITIC, _clitic),
        _rule("&", "(?i:&(?:quot|apos|lt|gt|nbsp);)", _entity),
        _rule(rf"!$%&'*+<>\-@\^_`|~\\\#\xad{SYMBOL}", "."),
    ]


@functools.cache
def _all() -> tuple[Rule, ...]:
    """In the order in which they win a tie; compiled when first needed."""
    groups = (_markup, _words_and_clitics, _addresses, _numbers, _marks, _abbreviations, _things, _punctuation)
    return tuple(rule for group in groups for rule in group())


@functools.cache
def rules_of(character: str) -> tuple[Rule, ...]:
    """The rules that can match at this character of the shadow, first ones first; none for a space."""
    return tuple(rule for rule in _all() if rule.first.match(character))
