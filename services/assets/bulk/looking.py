"""A first look at a file, before it is handed in: what its columns hold, and what it lacks (UC-02.01, bulk)."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.assets.bulk.jobs import read_file, what_is_known
from services.assets.schemas import CORE_ATTRIBUTES
from services.assets.template_columns import template_columns
from services.core.actor import Actor
from services.core.permissions import require


@dataclass(frozen=True, slots=True)
class FileLook:
    """What a file holds: `columns` heading -> term; `unknown` headings that nobody knows.

    `lacking` are terms that every asset needs and no column holds.
    """

    file_format: str
    rows: int
    columns: dict[str, str]
    unknown: list[str]
    lacking: list[str]
    ready_made: str | None


def look_at_file(actor: Actor, data: bytes, filename: str, columns: Mapping[str, str | None] | None = None) -> FileLook:
    """Read a file as handing it in would, and keep nothing. Raises Invalid for one that can't be used."""
    require(actor, "asset.bulk")
    reference, remembered = what_is_known(actor)
    read = read_file(data, filename, reference, columns or {}, remembered)
    held = {read.table.headings[place]: term for place, term in read.columns.items()}
    always = [attribute.term for attribute in CORE_ATTRIBUTES if attribute.mandatory]
    terms = set(held.values())
    if read.ready_made:
        # What no public register tells of an asset.
        terms = set(always) - {"EffectiveDate"} - ({"ConnectionType"} if read.ready_made == "REPD" else set())
    lacking = [] if "AssetId" in terms else [term for term in always if term not in terms]
    return FileLook(read.table.file_format, read.table.frame.height, held, read.unknown, lacking, read.ready_made)


def attribute_choices() -> dict[str, str]:
    """Term -> label of everything that a column can hold."""
    return {column.term: column.label for column in template_columns(None)}
