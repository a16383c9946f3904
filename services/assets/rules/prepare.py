"""From what was typed to what can be judged: text is tidied, defaults are filled in, values are read.

The prepared frame holds, for each core term, its tidied text under the term and the value read from it under
``value(term)`` (null where it can't be read), and beside them what the rules ask for: ``known:``, ``active:``, ``needs:``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import polars as pl

from services.assets.rules import schemas
from services.assets.rules.mpan import mpan_core_expr, mpan_dno_expr, mpan_valid_expr
from services.assets.rules.schemas import CORE, CORE_ATTRIBUTES
from services.assets.rules.spelling import codes_by_text, properties_of, spell_out, squash_words
from services.core.attributes import Code, CodeLists, text_of
from services.grid.distributors import LICENCE_AREAS

KILOWATTS = pl.Decimal(18, 2)
# Of text that is spelled out: at most two decimals; zeros after them say nothing more. A minus has something to count.
POWER_PATTERN = r"^-?[0-9]{1,12}(\.[0-9]{1,2}0*)?$"
NUMBER_PATTERN = r"^-?[0-9]{1,9}(\.[0-9]{1,15})?$"
DATE_PATTERN = r"^((?:18|19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2})$"
MINUS_NOTHING = r"^-[0.]*$"
UUID_PATTERN = r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
POSTCODE_PATTERN = r"^([A-Z]{1,2}[0-9][A-Z0-9]?)([0-9][A-Z]{2})$"
BLANKS = r"[\s\p{Cc}]+"
"""White space and control characters: in a line of text, a run of them is one blank."""
YES, NO = ["true", "yes", "y", "1"], ["false", "no", "n", "0"]
CODE_TERMS = {a.term: a.code_list for a in CORE_ATTRIBUTES if a.code_list}
ALWAYS_FILLABLE = {"GenCapacity", "DemandCapacity", "InstalledCapacity", "ConsumerOwned", "Latitude", "Longitude"}
FOLLOWS_RATED = {"GenCapacity": ("gen", "storage"), "DemandCapacity": ("demand", "storage")}
"""Capacities that are the rated one where they aren't given, in categories of these kinds."""
TEXT_SCHEMA = pl.Schema(dict.fromkeys(CORE, pl.String))


def value(term: str) -> pl.Expr:
    """The value read from a term's text; null where it is empty or can't be read."""
    return pl.col(f"value:{term}")


@dataclass(frozen=True, eq=False)
class AssetReference:
    """Reference data of the asset rules: code lists and category schemas. Make one per version of them and keep it."""

    code_lists: CodeLists = field(default_factory=schemas.shipped_code_lists)
    schemas: Mapping[str, Mapping[str, Any]] = field(default_factory=schemas.shipped_schemas)

    @cached_property
    def attribute_terms(self) -> frozenset[str]:
        """The terms that any category adds."""
        return frozenset(name for schema in self.schemas.values() for name in schema.get("properties", {}))

    @cached_property
    def properties(self) -> Mapping[str, Mapping[str, Any]]:
        """The attributes that any category adds, by name."""
        return properties_of(self.schemas)

    def codes_of(self, term: str) -> Mapping[str, Code]:
        """The codes of a core term, in use or not."""
        return self.code_lists.get(CODE_TERMS[term], {})

    @cached_property
    def _texts(self) -> Mapping[str, tuple[dict[str, str], frozenset[str]]]:
        return {
            term: codes_by_text({code: entry.label for code, entry in self.codes_of(term).items()})
            for term in CODE_TERMS
        }

    @cached_property
    def codes_by_text(self) -> Mapping[str, Mapping[str, str]]:
        """By core term: the code of each code and label, squashed to letters and digits.

        A distribution network is known by the name of its licence area, too, with its operator's or alone.
        """
        codes = {term: codes for term, (codes, _shared) in self._texts.items()}
        networks = codes["DNOConnection"]
        areas = {
            squash_words(text): area.code
            for area in LICENCE_AREAS
            for text in (area.name, f"{area.operator} {area.name}")
            if area.code and squash_words(area.code) in networks
        }
        return {**codes, "DNOConnection": {**areas, **networks}}

    @cached_property
    def shared_labels(self) -> Mapping[str, frozenset[str]]:
        """By core term: the labels, squashed, that several codes share."""
        return {term: shared for term, (_codes, shared) in self._texts.items()}

    @cached_property
    def defaults(self) -> list[pl.Expr]:
        """Text of the terms that some category fills in when they are left empty."""
        filled: dict[str, dict[str, str]] = {}
        for category, schema in self.schemas.items():
            for term, text in schema.get("x-defaults", {}).items():
                filled.setdefault(term, {})[category] = str(text)
        return [
            pl.col(term).fill_null(pl.col("AssetCategory").replace_strict(texts, default=None, return_dtype=pl.String))
            for term, texts in filled.items()
            if term in CORE
        ]

    @cached_property
    def fillable(self) -> list[str]:
        """The terms that the register may fill in when they are left empty."""
        filled = {term for schema in self.schemas.values() for term in schema.get("x-defaults", {})}
        return [term for term in CORE if term in filled | ALWAYS_FILLABLE]

    @cached_property
    def empties(self) -> list[pl.Expr]:
        """``empty:`` of the fillable terms: nothing was handed in."""
        return [pl.col(term).is_null().alias(f"empty:{term}") for term in self.fillable]

    @cached_property
    def derived(self) -> pl.Expr:
        """The terms that the register filled in, as a list, from the typed output and the ``empty:`` columns."""
        filled = [
            pl.when(pl.col(f"empty:{term}") & pl.col(term).is_not_null()).then(pl.lit(term)) for term in self.fillable
        ]
        group = pl.when(pl.col("GspGroup").is_not_null()).then(pl.lit("GspGroup"))
        return pl.concat_list(*filled, group).list.drop_nulls().alias("derived")

    @cached_property
    def capacities(self) -> list[pl.Expr]:
        """Generation and demand capacity: the rated one, where the category is of that kind and none is given."""
        expressions = []
        for term, kinds in FOLLOWS_RATED.items():
            categories = [name for name, schema in self.schemas.items() if schema.get("x-kind") in kinds]
            needed = [name for name in categories if term in self.schemas[name].get("x-mandatory", ())]
            applies = pl.col("AssetCategory").is_in([name for name in categories if name not in needed])
            expressions.append(_rated_unless_given(term, applies.fill_null(False)))
        return [*expressions, INSTALLED]

    @cached_property
    def needed(self) -> list[str]:
        """The core terms that some category makes mandatory; the rules on the others have nothing to judge."""
        schemas = self.schemas.values()
        named = {
            term for schema in schemas for term in (*schema.get("x-mandatory", ()), *schema.get("x-mandatory-when", {}))
        }
        return [term for term in CORE if term in named]

    @cached_property
    def helpers(self) -> list[pl.Expr]:
        """The columns that rules ask for: is the code known, is it active, does the category need the term."""
        expressions: list[pl.Expr] = []
        for term, name in CODE_TERMS.items():
            codes = self.code_lists.get(name, {})
            expressions.append(pl.col(term).is_in(list(codes)).alias(f"known:{term}"))
            retired = [code for code, entry in codes.items() if not entry.active]
            expressions.append(pl.col(term).is_in(retired).not_().alias(f"active:{term}"))
            shared = self.shared_labels[term]
            label = pl.col(term).str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]", "")
            expressions.append((label.is_in(list(shared)) if shared else pl.lit(False)).alias(f"shared:{term}"))
        expressions += [self._needs(term).alias(f"needs:{term}") for term in self.needed]
        usual = {name: schema["x-usual-kw"] for name, schema in self.schemas.items() if "x-usual-kw" in schema}
        for place, name in enumerate(("usual_from", "usual_to")):
            bounds = {category: float(bounds[place]) for category, bounds in usual.items()}
            category = pl.col("AssetCategory")
            bound = category.replace_strict(bounds, default=None, return_dtype=pl.Float64) if bounds else pl.lit(None)
            expressions.append(bound.cast(pl.Float64).alias(name))
        return [*expressions, *self._needs_any()]

    def _needs(self, term: str) -> pl.Expr:
        plain = [category for category, schema in self.schemas.items() if term in schema.get("x-mandatory", ())]
        needed = pl.col("AssetCategory").is_in(plain) if plain else pl.lit(False)
        for category, schema in self.schemas.items():
            trigger = schema.get("x-mandatory-when", {}).get(term)
            if trigger in CORE:
                needed = needed | ((pl.col("AssetCategory") == category) & (value(trigger) > 0))
        return needed.fill_null(False)

    def _needs_any(self) -> list[pl.Expr]:
        """``needs_mpan``: one of the two MPANs is needed; ``lacks_any``: the other groups of which nothing was given."""
        mpan: list[str] = []
        lacking: pl.Expr = pl.lit(None, dtype=pl.String)
        for category, schema in self.schemas.items():
            for group in schema.get("x-mandatory-any", ()):
                if set(group) == {"ImportMPAN", "ExportMPAN"}:
                    mpan.append(category)
                    continue
                empty = pl.all_horizontal(pl.col(term).is_null() for term in group if term in CORE)
                lacks = (pl.col("AssetCategory") == category) & empty
                lacking = pl.when(lacks).then(pl.lit(", ".join(group))).otherwise(lacking)
        return [pl.col("AssetCategory").is_in(mpan).alias("needs_mpan"), lacking.alias("lacks_any")]


@dataclass(frozen=True, eq=False)
class AssetRuleContext:
    """Context of a row's rules, besides the row itself.

    `today` is the date in Europe/London. `is_new` is true at registration; an update that moves EffectiveDate sets
    `effective_date_changed`. `justify_above_kw` is the setting over which a rated capacity needs a justification.
    """

    today: date
    reference: AssetReference
    is_new: bool = True
    effective_date_changed: bool = False
    justify_above_kw: Decimal = Decimal("1000000.00")

    @cached_property
    def columns(self) -> list[pl.Expr]:
        """The context as columns, so that the rules stay the same expressions for every context."""
        return [
            pl.lit(self.today).alias("today"),
            pl.lit(self.is_new).alias("is_new"),
            pl.lit(self.is_new or self.effective_date_changed).alias("dates_forward"),
            pl.lit(self.justify_above_kw, dtype=KILOWATTS).alias("justify_above"),
        ]


def text_frame(raw: pl.DataFrame) -> pl.DataFrame:
    """The core terms of `raw` as text, in the order of the catalogue; missing ones are null."""
    raw = raw.rechunk() if raw.n_chunks() > 1 else raw
    kinds = raw.schema
    if all(kinds.get(term) == pl.String for term in CORE):
        return raw.select(list(CORE))
    # Beside the columns that there are: of constants alone, a frame would have one row, however many there were.
    return raw.with_columns(
        _as_text(raw, term, kinds[term]) if term in kinds else pl.lit(None, dtype=pl.String).alias(term)
        for term in CORE
    ).select(list(CORE))


def _as_text(raw: pl.DataFrame, term: str, kind: pl.DataType) -> pl.Expr | pl.Series:
    if kind == pl.String:
        return pl.col(term)
    if kind.is_nested() or kind.is_float() or kind == pl.Object:
        return pl.Series(term, [text_of(cell) for cell in raw[term].to_list()], dtype=pl.String)
    return pl.col(term).cast(pl.String)


def _tidied(term: str) -> pl.Expr:
    """Text without the spaces that copying brings along, empty as null; codes and postcodes in capitals."""
    kind = CORE[term].kind
    if kind in ("code", "postcode"):
        text = pl.col(term).str.to_uppercase()
    elif kind == "boolean":
        text = pl.col(term).str.to_lowercase()
    else:
        text = pl.col(term)
    if kind in ("text", "long_text"):
        text = text.str.replace_all(BLANKS, " ")
    # From the first to the last character that can be seen; null where there is none.
    return text.str.extract(r"(?s)\S(?:.*\S)?", 0).alias(term)


def _read(term: str) -> pl.Expr:
    """The value of a tidied text, by the kind of the attribute."""
    text, kind = pl.col(term), CORE[term].kind
    if kind == "power":
        is_power = text.str.contains(POWER_PATTERN) & text.str.contains(MINUS_NOTHING).not_()
        read = pl.when(is_power).then(text).cast(KILOWATTS, strict=False)
    elif kind in ("degrees", "metres"):
        read = pl.when(text.str.contains(NUMBER_PATTERN)).then(text).cast(pl.Float64, strict=False)
        # Nought is added so that there is no minus nought.
        read = (read.round(6) if kind == "degrees" else read) + 0.0
    elif kind == "date":
        read = text.str.extract(DATE_PATTERN, 1).str.to_date("%Y-%m-%d", strict=False)
    elif kind == "boolean":
        read = pl.when(text.is_in(YES)).then(True).when(text.is_in(NO)).then(False)
    elif kind == "mpan":
        read = mpan_core_expr(text)
    elif kind == "postcode":
        compact = text.str.replace_all(r"\s+", "")
        read = pl.when(compact.str.contains(POSTCODE_PATTERN)).then(compact.str.replace(POSTCODE_PATTERN, "$1 $2"))
    elif kind == "uuid":
        read = pl.when(text.str.contains(UUID_PATTERN)).then(text.str.to_lowercase())
    else:
        read = text
    return read.alias(f"value:{term}")


TIDY = [_tidied(term) for term in CORE]
READ = [_read(term) for term in CORE if CORE[term].kind not in ("text", "long_text", "code", "aliases")]
MPAN_TERMS = ("ImportMPAN", "ExportMPAN")
MPAN_FACTS = [
    *(mpan_valid_expr(value(term)).alias(f"sound:{term}") for term in MPAN_TERMS),
    *(mpan_dno_expr(value(term)).alias(f"dno:{term}") for term in MPAN_TERMS),
]


def _rated_unless_given(term: str, applies: pl.Expr) -> pl.Expr:
    stands_in = pl.col(term).is_null() & applies
    return pl.when(stands_in).then(value("RatedCapacity")).otherwise(value(term)).alias(f"value:{term}")


# Never below generation or demand, which can't be over the rated capacity.
INSTALLED = _rated_unless_given("InstalledCapacity", pl.lit(True))


def prepare(text: pl.DataFrame, context: AssetRuleContext) -> pl.DataFrame:
    """The frame that the rules judge, from the text as handed in."""
    reference = context.reference
    with_defaults = spell_out(text, reference).select(TIDY).with_columns(*reference.defaults, *reference.empties)
    read = with_defaults.with_columns(*READ, *context.columns)
    return read.with_columns(*reference.helpers, *MPAN_FACTS, *reference.capacities)
