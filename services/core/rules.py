"""Rules declared once, for one row of a form and for 100,000 rows of a file.

A rule is a Polars expression with a code and words. A whole frame is judged by all its rules in one `select`, all
errors at once; the words are written out only for the rows that fail, so a clean file costs nothing but the judging.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field

import polars as pl

from services.core.errors import Finding, Severity

GIVEN = "{given}"
PLACEHOLDERS = re.compile(r"(\{[a-z]+\})")
LONGEST_HINTED = 300
"""Characters of a value that hints are looked for in: a longer one is no slip of the pen, and searching it takes long."""
ROW_SCHEMA = pl.Schema({"row": pl.UInt32})
WORDS_SCHEMA = pl.Schema(
    {
        "code": pl.String,
        "field": pl.String,
        "given": pl.String,
        "expected": pl.String,
        "message": pl.String,
        "severity": pl.String,
    }
)
FINDINGS_SCHEMA = pl.Schema({**ROW_SCHEMA, **WORDS_SCHEMA})
NO_FINDINGS = FINDINGS_SCHEMA.to_frame()


@dataclass(frozen=True, slots=True)
class Hint:
    """Hint on what to do about a text in which a pattern (of Python and of Rust) is found."""

    pattern: str
    words: str


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule: its words, and what must hold.

    `code` is family and number (``MPAN-02``) and never changes meaning once published. `field` is the ontology term the
    finding stands beside (None: the whole record). `holds` is true or null where the rule is kept; without `holds` the
    rule is decided by a service that can see other records, which makes its finding with `finding`.
    `message` may contain ``{given}``, and the names of `values`: expressions of text that say more, such as a distance.
    `given` is what is shown as handed in, when that isn't the field itself.
    `hints` follow the message where what was given looks like something that is known to go wrong: the first that fits.
    """

    code: str
    field: str | None
    expected: str
    message: str
    holds: pl.Expr | None = None
    given: pl.Expr | None = None
    severity: Severity = Severity.ERROR
    hints: tuple[Hint, ...] = ()
    values: Mapping[str, pl.Expr] = dataclass_field(default_factory=dict)

    @property
    def decided_by_service(self) -> bool:
        """Tell whether the rule needs other records, and so can't be judged from the row alone."""
        return self.holds is None

    def finding(self, given: object = None, field: str | None = None, message: str | None = None) -> Finding:
        """The finding of this rule about `given`; `field` and `message` where only the caller knows them."""
        text = None if given is None else str(given)
        words = (message or self.message).replace(GIVEN, text or "nothing")
        hint = self._hint(text) if text and len(text) <= LONGEST_HINTED else None
        words = f"{words} {hint}" if hint else words
        return Finding(self.code, field or self.field, text, self.expected, words, self.severity)

    def _hint(self, text: str) -> str | None:
        return next((hint.words for hint in self.hints if re.search(hint.pattern, text)), None)


def catalogue(*families: Iterable[Rule]) -> dict[str, Rule]:
    """Rules by code, in their order. ValueError when two share a code."""
    rules: dict[str, Rule] = {}
    for rule in (rule for family in families for rule in family):
        if rule.code in rules:
            raise ValueError(f"Two rules have the code {rule.code}.")
        rules[rule.code] = rule
    return rules


def evaluate(frame: pl.DataFrame, rules: Sequence[Rule], raw: pl.DataFrame | None = None) -> pl.DataFrame:
    """Every finding of `rules` on `frame`: one row per failed rule and row (`FINDINGS_SCHEMA`), by row.

    `raw` has the same rows as they were handed in, and is quoted in the findings; without it `frame` is.
    """
    judged = [rule for rule in rules if rule.holds is not None]
    verdicts = frame.select(rule.holds.alias(rule.code) for rule in judged if rule.holds is not None)
    source = frame if raw is None else raw
    parts = [
        _written(rule, frame, source, verdict)
        for rule, verdict in zip(judged, verdicts.iter_columns(), strict=True)
        if not verdict.all()
    ]
    return sorted_findings(parts)


def sorted_findings(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The parts as one frame, by row; inside a row, in the order in which the parts came."""
    filled = [part for part in parts if part.height]
    if not filled:
        return NO_FINDINGS
    return pl.concat(filled).sort("row", maintain_order=True)


def _written(rule: Rule, frame: pl.DataFrame, source: pl.DataFrame, verdict: pl.Series) -> pl.DataFrame:
    """The words of one rule for the rows that it fails."""
    rows = (~verdict).arg_true()
    if rule.given is not None:
        values = frame.select(rule.given.cast(pl.String).alias("given")).to_series().gather(rows)
    elif rule.field is not None and rule.field in source.columns:
        values = source[rule.field].gather(rows).cast(pl.String)
    else:
        values = pl.repeat(None, len(rows), dtype=pl.String, eager=True)
    extra = {name: frame.select(expr.alias(name)).to_series().gather(rows) for name, expr in rule.values.items()}
    texts = {"given": pl.col("given").fill_null("nothing"), **{name: pl.col(f"value:{name}") for name in extra}}
    words = [texts.get(part[1:-1], pl.lit(part)) for part in PLACEHOLDERS.split(rule.message) if part]
    if rule.hints:
        words.append(_hint(rule.hints))
    columns = {"row": rows, "given": values, **{f"value:{name}": series for name, series in extra.items()}}
    return pl.DataFrame(columns).select(
        pl.col("row").cast(pl.UInt32),
        pl.lit(rule.code).alias("code"),
        pl.lit(rule.field, dtype=pl.String).alias("field"),
        pl.col("given"),
        pl.lit(rule.expected).alias("expected"),
        pl.concat_str(words).alias("message"),
        pl.lit(rule.severity.value).alias("severity"),
    )


def _hint(hints: Sequence[Hint]) -> pl.Expr:
    """The hint added to the message for a text; nothing where none fits."""
    words: pl.Expr = pl.lit("")
    for hint in reversed(hints):
        fits = pl.col("given").str.contains(hint.pattern).fill_null(False)
        words = pl.when(fits).then(pl.lit(f" {hint.words}")).otherwise(words)
    return words


def findings_frame(findings: Iterable[tuple[int, Finding]]) -> pl.DataFrame:
    """Findings made one by one, with their row numbers, in the shape that `evaluate` gives."""
    rows = [(row, f.code, f.field, f.given, f.expected, f.message, f.severity.value) for row, f in findings]
    if not rows:
        return NO_FINDINGS
    return pl.DataFrame(rows, schema=FINDINGS_SCHEMA, orient="row")


def findings_of(findings: pl.DataFrame, row: int) -> list[Finding]:
    """The findings of one row, in the order of the catalogue."""
    of_row = findings.filter(pl.col("row") == row) if findings.height else findings
    return [
        Finding(code, field, given, expected, message, Severity(severity))
        for _, code, field, given, expected, message, severity in of_row.iter_rows()
    ]
