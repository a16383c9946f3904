"""Taking over what a source says: a difference becomes a change of the asset, made by the FSP in one step (UC-02.03)."""

import re
from collections.abc import Sequence
from uuid import UUID

from models.assets import Asset, CheckSource
from services.assets.checks.differences import ABSENT, Difference, select_differences
from services.assets.checks.guards import reach_at_version
from services.assets.checks.outcomes import POSITION
from services.assets.checks.records import newest_checks
from services.assets.registration.update import update_asset
from services.assets.rules.reference import code_lists
from services.assets.rules.schemas import CORE
from services.core.errors import Refused
from services.core.identity.actor import Actor
from services.core.operation import operation

_POWER = re.compile(r"([0-9][0-9,]*(?:\.[0-9]{1,2})?)(?: kW)?")
_SHAPES = {
    "mpan": re.compile(r"[0-9]{13}"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "postcode": re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}"),
    "text": re.compile(r".{1,255}"),
}
UNCHANGEABLE = ("AssetCategory",)


def values_of(difference: Difference) -> dict[str, object] | None:
    """The source's value as a change takes it, by term; None where the field could not hold it.

    A category never changes; an MPAN is taken over where the source names exactly one, a postcode where it is whole.
    """
    text = difference.source_text
    if text is None or difference.field == ABSENT or difference.field in UNCHANGEABLE:
        return None
    if difference.field == POSITION:
        latitude, _, longitude = text.partition(", ")
        return {"Latitude": latitude, "Longitude": longitude}
    attribute = CORE.get(difference.field)
    if attribute is None:
        return None
    if attribute.kind == "power":
        power = _POWER.fullmatch(text)
        return {difference.field: power[1].replace(",", "")} if power else None
    if attribute.kind == "code":
        entry = code_lists().get(attribute.code_list or "", {}).get(text)
        return {difference.field: text} if entry and entry.active else None
    shape = _SHAPES.get(attribute.kind)
    return {difference.field: text} if shape and shape.fullmatch(text) else None


@operation("UC-02.03", permission="asset.update", name="accept_theirs")
def accept_theirs(
    actor: Actor,
    asset_id: UUID,
    version: int,
    fields: Sequence[str] | None = None,
    *,
    source: CheckSource | None = None,
    justification: str | None = None,
) -> Asset:
    """Change the asset to what the source says in the open differences of these fields (None: in all that can be taken over).

    An ordinary change in every other way: its rules, its consequences, its refusals (`update_asset`). The checks run again.
    Raises Refused where the source says nothing that could be taken over.
    """
    asset = reach_at_version(actor, asset_id, "asset.update", version)
    differences = select_differences(newest_checks([asset.id]).get(asset.id, []), fields, source, settled=False)
    values: dict[str, object] = {}
    for difference in differences:
        source_values = values_of(difference)
        if source_values is None and fields is not None:
            raise Refused(
                f"What the source says of {difference.label} can't be taken over as it is. Change the asset by hand."
            )
        values |= {term: value for term, value in (source_values or {}).items() if term not in values}
    if not values:
        raise Refused("No source says anything that could be taken over. Change the asset by hand, or answer.")
    return update_asset(actor, asset_id, values, version, justification=justification)
