"""Attributes that are mandatory under the values of a form: what its labels mark while somebody types (UC-02.01).

The rules decide (DATE-07, DNO-03, DNO-04 and the mandatory attributes of a category); this says beforehand which of them ask.
"""

from collections.abc import Mapping
from typing import Any

from services.assets.rules.mpan import describe_mpan
from services.assets.rules.numbers import read_quantity

MPANS = ("ImportMPAN", "ExportMPAN")


def required_terms(values: Mapping[str, object], document: Mapping[str, Any] | None = None) -> frozenset[str]:
    """Terms that these values, by term, make mandatory beside those that always are; `document`: the category's schema."""
    terms: set[str] = set()
    facts = [describe_mpan(text) for term in MPANS if (text := str(values.get(term) or "").strip())]
    unknown_host = bool(facts) and all(not fact.problem and fact.dno_code is None for fact in facts)
    connected = values.get("ConnectionStatus") == "CONNECTED"
    if connected:
        terms.add("CommissioningDate")
    if (connected or facts) and not unknown_host:
        terms.add("DNOConnection")
    for term, trigger in ((document or {}).get("x-mandatory-when") or {}).items():
        number = read_quantity(str(values.get(trigger) or ""), "kW")
        if number is not None and float(number) > 0:
            terms.add(term)
    return frozenset(terms)
