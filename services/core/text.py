"""Text that people type or programs send: in one normal form, so that what looks the same is the same; trimmed and bounded."""

import re
import unicodedata
from collections.abc import Callable

import polars as pl

from services.core.errors import Finding, Invalid

SHORTEST_TEXT, LONGEST_TEXT = 3, 4000
QUOTED = 200
"""So much of a text is repeated in a finding about it."""
_SPACES = re.compile(r"[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_BREAKS = re.compile(r"[\x85\u2028\u2029]")
_INVISIBLE = re.compile(r"[\xad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
"""Zero width, soft hyphens, marks of order and direction."""
_JOINERS = re.compile("(?<![\u0300-\U0010ffff])[\u200c\u200d\ufe00-\ufe0f\U000e0000-\U000e007f]+")
"""What joins or varies the character before it, which emoji and some scripts need, after one that knows nothing of it."""
_DASHES = re.compile(r"[\u2010-\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d]")
_APOSTROPHES = re.compile(r"[\u2018\u2019\u02bc\u2032\uff07]")
_ODD = r"[^\x01-\x{ac}\x{ae}-\x{24f}]|[\x{80}-\x{a0}]"
"""Pattern (of Rust) of text that may not be in normal form: any but Latin letters as they are typed."""
_NOT_ASCII = r"[^\x00-\x7f]"

NO_VALUE = re.compile(
    r"(?i)^[\W_]*(?:n[\W_]*a|nan|nat|null|nil|none|nothing|unknown|not[\W_]*known|unk|undefined|undef|not[\W_]*applicable|"
    r"not[\W_]*available|not[\W_]*specified|not[\W_]*provided|not[\W_]*given|not[\W_]*set|unspecified|unassigned|"
    r"t[\W_]*b[\W_]*[acd]|to[\W_]+be[\W_]+(?:confirmed|advised|announced|determined|decided)|n[\W_]*k|blank|empty|missing|"
    r"no[\W_]+(?:data|value|serial|serial[\W_]*number|number))[\W_]*$"
    r"|^\s*#[\W_]*(?:ref|value|div[\W_]*0|name|num|spill|calc|field)[\W_]*$"
    r"|^\s*[!-/:-@\[-`{-~\u00a1\u00b7\u00bf\u2010-\u2015\u2022\u2026\u2212][\s!-/:-@\[-`{-~\u00a1\u00b7\u00bf\u2010-\u2015\u2022\u2026\u2212]*$"
)
"""Pattern (of Python and of Rust) of texts that stand for no value: ``NULL``, ``nan``, ``#N/A``, ``tbc``, ``-`` and so on."""
LONGEST_PLACEHOLDER = 100
NO_IDENTIFIER = re.compile(r"(?i)^[\s./_-]*0[0\s./_-]*$|^\s*x{2,}\s*$")
"""Pattern (of Python and of Rust) of texts that identify nothing beside those: nothing but zeros, or ``xxx``."""


def normal_text(text: str) -> str:
    """The text as the register keeps it: composed (NFC), without characters that nobody sees, every kind of space a space.

    NUL characters and halves of surrogate pairs, which no database keeps, are left out. Line breaks stay.
    """
    if text.isascii():
        return text.replace("\x00", "") if "\x00" in text else text
    text = text.replace("\x00", "").encode("utf-8", "ignore").decode()
    text = _BREAKS.sub("\n", _SPACES.sub(" ", _INVISIBLE.sub("", text)))
    return _JOINERS.sub("", unicodedata.normalize("NFC", text))


def plain_code(text: str) -> str:
    """A code, number or name in its plainest characters: full-width ones and ligatures written out, every dash a hyphen.

    What has superscripts, fractions or numbers in circles stays: as plain digits they would say another number.
    """
    if text.isascii():
        return text
    text = _APOSTROPHES.sub("'", _DASHES.sub("-", normal_text(text)))
    if any(unicodedata.category(character) == "No" for character in text):
        return text
    return _DASHES.sub("-", unicodedata.normalize("NFKC", text))


def normal_column(column: pl.Series) -> pl.Series:
    """`normal_text` for a column of text."""
    odd = column.str.contains(_ODD) | column.str.contains("\x00", literal=True)
    return map_where(column, odd, normal_text)


def plain_column(column: pl.Series) -> pl.Series:
    """`plain_code` for a column of text."""
    return map_where(column, column.str.contains(_NOT_ASCII), plain_code)


def map_where(column: pl.Series, where: pl.Series, function: Callable[[str], str]) -> pl.Series:
    """The column with a function of text applied where it is asked for: the very same column where it is nowhere."""
    where = where.fill_null(False)
    if not where.any():
        return column
    texts = column.filter(where)
    results = {text: function(text) for text in texts.unique()}
    places = where.arg_true()
    # Of a copy: scatter changes the series it is asked of.
    return column.clone().scatter(places, pl.Series([results[text] for text in texts], dtype=pl.String))


def is_placeholder(text: str) -> bool:
    """Tell whether a text stands for no value."""
    return len(text) <= LONGEST_PLACEHOLDER and NO_VALUE.search(text) is not None


def identifies_nothing(text: str) -> bool:
    """Tell whether a text can't be an identifier: it stands for no value, or is zeros alone."""
    return is_placeholder(text) or (len(text) <= LONGEST_PLACEHOLDER and NO_IDENTIFIER.search(text) is not None)


def has_mixed_scripts(text: str) -> bool:
    """Tell whether a word of the text has Latin letters beside Cyrillic, Greek or other ones that look like them."""
    if text.isascii():
        return False
    return any(len(_scripts(word)) > 1 for word in re.findall(r"[^\W_]+", text))


_SIGNS = "\u03a9\u03bc"
"""The signs of ohm and micro."""
_LOOK_ALIKE = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU", "DESERET")


def _scripts(word: str) -> set[str]:
    letters = {character for character in word if character.isalpha() and character not in _SIGNS}
    names = {unicodedata.name(character, "").partition(" ")[0] for character in letters}
    return names.intersection(_LOOK_ALIKE)


def clean_text(text: str) -> str:
    """The normal text without blanks around it; line breaks stay."""
    return normal_text(text).strip()


def label_within(label: str) -> str:
    """A label inside of a sentence: ``Asset name`` as ``asset name``; an abbreviation stays as it is."""
    return label if label[1:2].isupper() or label[1:2].isdigit() else label[:1].lower() + label[1:]


def clean_line(text: str) -> str:
    """The normal text on one line, its words apart by single blanks."""
    return " ".join(normal_text(text).split())


def require_text(
    text: str, field: str, *, code: str, message: str = "", shortest: int = SHORTEST_TEXT, longest: int = LONGEST_TEXT
) -> str:
    """The clean text. Raises Invalid with a finding under `code` when it is too short or too long."""
    cleaned = clean_text(text)
    if not shortest <= len(cleaned) <= longest:
        expected = f"{shortest} to {longest:,} characters"
        raise Invalid([Finding(code, field, cleaned[:QUOTED] or None, expected, message or f"Write {expected}.")])
    return cleaned


def require_statement(field: str, text: str) -> str:
    """The clean question, answer or comment on an asset. Raises Invalid (QUERY-01) unless 3 to 4,000 characters."""
    return require_text(text, field, code="QUERY-01")


SCRIPTS_WRITTEN_TOGETHER = frozenset({"HIRAGANA", "KATAKANA", "CJK", "HANGUL", "BOPOMOFO"})


def mixed_scripts(text: str) -> tuple[str, ...]:
    """Names of the scripts whose letters a text mixes, such as Latin and Cyrillic; none for a text of one.

    Letters of two scripts may look alike, so that one name passes for another. What is written together (Japanese) is one.
    """
    scripts = {
        unicodedata.name(character, "").partition(" ")[0].partition("-")[0] for character in text if character.isalpha()
    } - {"", "FULLWIDTH", "MODIFIER", "FEMININE", "MASCULINE", "MICRO"}
    together = scripts & SCRIPTS_WRITTEN_TOGETHER
    if len(scripts - together) + bool(together) < 2 or (text.isascii()):
        return ()
    return tuple(sorted(script.capitalize() for script in scripts))
