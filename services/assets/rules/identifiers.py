"""The rules on what identifies an asset: no placeholder does, and no letter that only looks like another."""

import polars as pl

from services.assets.rules.builders import WARNING
from services.assets.rules.schemas import CORE
from services.core.rules import Rule
from services.core.text import NO_IDENTIFIER, NO_VALUE

_LOOK_ALIKE = r"[[\p{Cyrillic}\p{Greek}\p{Armenian}\p{Cherokee}\p{Coptic}\p{Lisu}]--[\x{3a9}\x{3bc}]]"
"""Other alphabets, without the signs of ohm and micro."""
MIXED_SCRIPTS = rf"\p{{Latin}}[\p{{L}}\p{{M}}\p{{N}}]*{_LOOK_ALIKE}|{_LOOK_ALIKE}[\p{{L}}\p{{M}}\p{{N}}]*\p{{Latin}}"
"""Pattern (of Rust) of a word with Latin letters beside those of an alphabet whose letters look like them."""


def _identifies(code: str, term: str) -> Rule:
    text = pl.col(term)
    stands_for_nothing = text.str.contains(NO_VALUE.pattern) | text.str.contains(NO_IDENTIFIER.pattern)
    label = CORE[term].label
    message = f"{{given}} stands for no value and can't be the {label[:1].lower()}{label[1:]}. Leave the field empty."
    if CORE[term].mandatory:
        message = f"{{given}} stands for no value. Give the {label[:1].lower()}{label[1:]}."
    return Rule(code, term, "What identifies it, or nothing", message, stands_for_nothing.not_())


def _in_one_alphabet(code: str, term: str) -> Rule:
    message = "{given} mixes letters that look alike, of two alphabets. Type it anew, or say why it is right."
    return Rule(
        code, term, "Letters of one alphabet in a word", message, pl.col(term).str.contains(MIXED_SCRIPTS).not_(),
        severity=WARNING,
    )  # fmt: skip


IDENTIFIERS = [
    _identifies(f"IDENT-{number:02d}", term)
    for number, term in enumerate(
        (
            "AssetName", "FriendlyCode", "SerialNumber", "Manufacturer", "AssetModel", "ConsentReference", "ImportMPAN",
            "ExportMPAN",
        ),
        1,
    )
]  # fmt: skip
LOOK_ALIKES = [
    *(
        _in_one_alphabet(f"TEXT-{number:02d}", term)
        for number, term in enumerate(("AssetName", "FriendlyCode", "Manufacturer"), 1)
    ),
    _in_one_alphabet("TEXT-04", "AssetModel"),
]
