"""Text encodings of files: UTF-8, UTF-16 and the single-byte ones that spreadsheets still write (UC-02.01, bulk)."""

import codecs
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from services.assets.files.formats import refuse_file, wide_encoding

SINGLE_BYTE = ("cp1252", "mac_roman")
"""Tried in this order where a text is no UTF-8. ISO-8859-1 is read as Windows-1252, which has all its letters."""
NAMES = {"cp1252": "Windows-1252", "mac_roman": "Mac OS Roman", "utf-16": "UTF-16"}
_AT_ONCE = 1 << 20
"""Bytes that are looked at together."""
_WORDS_TRIED = 5_000
_MIXED_SHARE = 2
"""So many bytes that are no UTF-8 stand against each character that would be: fewer, and the text is a mixture."""
_WORD = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
_UTF_8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
"""Pairs that happen to be UTF-8 in a text that isn't: garbled before, they tell nothing of its encoding."""
_JOINING = frozenset("’‘'–—-·")
_COMMON = frozenset("’‘“”–—•…£€°§®©™±²³µ½¼¾×÷«»·\u00a0")


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A text as UTF-8 without a mark; `cut` where it ends inside a character, `encoding` as Python names it."""

    text: bytes
    cut: bool = False
    encoding: str = "utf-8"


def decode_text(data: bytes) -> DecodedText:
    """Decode the bytes of a text file. Raises Invalid (FILE-02) for what is no text, or is in two encodings at once.

    A text that is UTF-8 elsewhere isn't taken for Windows-1252 because of one bad byte: every accent in it would be
    registered as two wrong letters. A text with many such bytes and a few pairs that happen to be UTF-8 is Windows-1252.
    """
    encoding = wide_encoding(data)
    if encoding is not None:
        return _decode_wide(data, encoding)
    if b"\x00" not in data:
        fault = _fault(data)
        if fault is None:
            return DecodedText(data.removeprefix(codecs.BOM_UTF8))
        return _decode_single_byte(data, *fault)
    line = data.count(b"\n", 0, max(data.find(b"\x00"), 0)) + 1
    message = f"Line {line:,} holds bytes that are no text (NUL). Save the file as CSV UTF-8, or as XLSX."
    raise refuse_file("FILE-02", f"line {line}", message)


def _decode_wide(data: bytes, encoding: str) -> DecodedText:
    unit = 4 if encoding == "utf-32" else 2
    whole = len(data) // unit * unit
    try:
        text = data[:whole].decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        message = "The file begins as UTF-16, and goes on with bytes that are none. Save it as CSV UTF-8, or as XLSX."
        raise refuse_file("FILE-02", f"byte {error.start:,}", message) from error
    if "\x00" in text:
        line = text.count("\n", 0, text.find("\x00")) + 1
        message = f"Line {line:,} holds characters that are no text (NUL). Save the file as CSV UTF-8, or as XLSX."
        raise refuse_file("FILE-02", f"line {line}", message)
    return DecodedText(text.encode(), whole < len(data), "utf-16" if unit == 2 else encoding)


def _fault(data: bytes) -> tuple[int, str] | None:
    """At which byte, and why, this isn't UTF-8; None where it is. A large file isn't held as text as well to find out."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), _AT_ONCE):
        begun = len(decoder.getstate()[0])
        try:
            decoder.decode(data[start : start + _AT_ONCE], start + _AT_ONCE >= len(data))
        except UnicodeDecodeError as error:
            return start - begun + error.start, error.reason
    return None


def _decode_single_byte(data: bytes, place: int, reason: str) -> DecodedText:
    """Decode a text that isn't UTF-8 at this byte. Raises Invalid for a mixture, and for an encoding that isn't known."""
    text = data.decode("utf-8-sig", "replace")
    odd = text.count("\ufffd")
    accents = len(text) - len(text.encode("ascii", "ignore")) - odd
    marked = data.startswith(codecs.BOM_UTF8)
    if (accents or marked) and odd == 1 and reason == "unexpected end of data":
        return DecodedText(text.removesuffix("\ufffd").encode(), cut=True)
    if marked or odd < _MIXED_SHARE * accents:
        line = data.count(b"\n", 0, place) + 1
        message = (
            f"Line {line:,} holds bytes that are no text in the encoding of the rest. Save it as CSV UTF-8, or as XLSX."
        )
        raise refuse_file("FILE-02", f"line {line}", message)
    encoding = _single_byte_encoding(data)
    if encoding is None:
        message = "The file is text in an encoding that isn't known here. Save it as CSV UTF-8, or as XLSX."
        raise refuse_file("FILE-02", None, message)
    return DecodedText(data.decode(encoding).encode(), encoding=encoding)


def _single_byte_encoding(data: bytes) -> str | None:
    """The encoding in which the words with accents look most like words; None where none of them can be right."""
    words = set()
    for match in _WORD.finditer(data):
        words.add(_UTF_8.sub(b"", match.group()))
        if len(words) >= _WORDS_TRIED:
            break
    costs: dict[str, int] = {}
    for encoding in SINGLE_BYTE:
        with suppress(UnicodeDecodeError):
            data.decode(encoding)
            costs[encoding] = _oddness(word.decode(encoding) for word in words)
    if "cp1252" not in costs and costs.get("mac_roman"):
        # Bytes that Windows-1252 doesn't have, and no words in the other either.
        return None
    if len(costs) == len(SINGLE_BYTE) and costs["mac_roman"] * 2 >= costs["cp1252"]:
        # Not clearly better: the encoding that nearly all such files are in.
        return "cp1252"
    return min(costs, key=lambda encoding: costs[encoding], default=None)


def _oddness(words: Iterable[str]) -> int:
    """The number of signs that words have been decoded wrongly: capitals and symbols inside a word, lone letters."""
    cost = 0
    for word in words:
        for place, character in enumerate(word):
            if character.isascii():
                continue
            before = word[place - 1] if place else ""
            after = word[place + 1] if place + 1 < len(word) else ""
            if character.isalpha():
                cost += 2 * (character.isupper() and before.islower())
                cost += not (before.isascii() and before.isalpha()) and not (after.isascii() and after.isalpha())
            elif before.isalpha() and after.isalpha() and character not in _JOINING:
                cost += 2
            elif character not in _COMMON:
                cost += 1
    return cost
