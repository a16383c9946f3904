"""Conformance of one asset: the rules of the row, and what only the register itself knows (UC-02.01, UC-02.03).

Everything is found at once. Duplicates are told apart from errors: they end in `Duplicate`, which names the existing
asset only to those who may see it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, func, or_, select
from sqlmodel import col

from models.assets import ENDED_STATUSES, Asset, AssetAlias
from services.assets.registration.lookup_hits import keep_to_the_limit, note_hits, unseen_of
from services.assets.registration.parties import PROVIDER_ROLES, active_parties, require_provider
from services.assets.registration.record import is_justification, key_of
from services.assets.rules.check import ASSET_RULES, check_asset, finding
from services.assets.rules.reference import catalogue, rule_context
from services.core.audit_context import WRITES
from services.core.errors import Duplicate, Finding, Invalid, Severity
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, scopes_of
from services.core.identity.visibility import visible
from services.core.transaction import afterwards, current_session

WAYS_ON = (
    "If you now manage it, ask for a switch with the owner's consent; "
    "if the existing registration is wrong, raise a dispute."
)
NOT_YOURS = "You register for your own organisation only. Leave this empty, or ask that provider to register it."
MPAN_TERMS = ("ImportMPAN", "ExportMPAN")

NO_ASSET = UUID(int=0)
"""Stands for the asset itself while it has no identifier yet."""

# Asked at every registration and every change of a live form: built once. What isn't given is null and equals nothing.
_OTHERS = select(
    col(Asset.id),
    col(Asset.asset_name),
    col(Asset.service_provider_id),
    col(Asset.serial_key),
    col(Asset.manufacturer_key),
    col(Asset.friendly_code),
    col(Asset.import_mpan),
    col(Asset.export_mpan),
    col(Asset.asset_category),
    col(Asset.rated_capacity),
).where(
    or_(
        and_(col(Asset.serial_key) == bindparam("serial"), col(Asset.manufacturer_key) == bindparam("maker")),
        and_(
            col(Asset.service_provider_id) == bindparam("provider"),
            col(Asset.friendly_code) == bindparam("friendly_code"),
        ),
        col(Asset.import_mpan).in_(bindparam("mpans", expanding=True)),
        col(Asset.export_mpan).in_(bindparam("mpans", expanding=True)),
    ),
    col(Asset.status).not_in(ENDED_STATUSES),
    col(Asset.id) != bindparam("own_id"),
)
_ALIASES = select(col(AssetAlias.scheme), col(AssetAlias.value), col(AssetAlias.asset_id)).where(
    col(AssetAlias.value).in_(bindparam("names", expanding=True)),
    col(AssetAlias.active),
    col(AssetAlias.asset_id) != bindparam("own_id"),
)


@dataclass(frozen=True, slots=True)
class ExistingAsset:
    """An asset that is registered already: which rule found it, and its identifier and name where the actor may see it."""

    code: str
    seen_id: UUID | None
    seen_name: str | None

    @property
    def message(self) -> str:
        """The message for the person, with the way on."""
        key_words = "serial number and manufacturer" if self.code == "DUP-01" else "MPAN, category and rated capacity"
        if self.seen_id is None:
            return f"An asset with this {key_words} is registered already, by another provider. {WAYS_ON}"
        return (
            f"An asset with this {key_words} is registered already: {self.seen_name}. Open it instead; if it is another "
            "device, correct these values."
        )

    def as_finding(self) -> Finding:
        """The duplicate as one finding among others, for a dry run."""
        rule = ASSET_RULES[self.code]
        return rule.finding(self.seen_name or "registered by another provider", message=self.message)


@dataclass(slots=True)
class Conformance:
    """Validation result of values handed in: typed by term, all findings, derived terms, and duplicates."""

    values: dict[str, Any]
    findings: list[Finding]
    derived: set[str]
    schema_version: int
    same: list[ExistingAsset] = field(default_factory=list)
    shared: list[tuple[UUID, str]] = field(default_factory=list)
    """Active assets of other providers on the same meters, and the MPAN of each."""

    @property
    def errors(self) -> list[Finding]:
        """The findings that refuse."""
        return [finding for finding in self.findings if finding.severity is Severity.ERROR]

    @property
    def warnings(self) -> list[Finding]:
        """The findings that ask for a justification."""
        return [finding for finding in self.findings if finding.severity is Severity.WARNING]

    def accept(self, justification: str | None) -> None:
        """Raise Invalid with all findings, or Duplicate, or Invalid with warnings that nobody has justified."""
        if self.errors:
            raise Invalid(self.findings)
        if self.same:
            duplicate = self.same[0]
            raise Duplicate(duplicate.message, "asset", str(duplicate.seen_id) if duplicate.seen_id else None)
        if self.warnings and not is_justification(justification):
            too_short = [finding("JUST-01", justification)] if (justification or "").strip() else []
            raise Invalid([*too_short, *self.warnings])


def conform(
    actor: Actor, raw: Mapping[str, object], asset: Asset | None = None, *, effective_date_changed: bool = False
) -> Conformance:
    """Hold values against every rule: a new asset, or `asset` with the values it would have.

    Raises Refused when the actor's own organisation may not register assets at all.
    """
    current = catalogue(asset)
    clean = {term: _storable(value) for term, value in raw.items()}
    context = rule_context(asset, effective_date_changed=effective_date_changed, current=current)
    checked = check_asset(clean, context)
    version = asset.schema_version if asset else current.schema_versions.get(checked.values["AssetCategory"] or "", 1)
    result = Conformance(checked.values, list(checked.findings), set(checked.derived), version)
    fill_in_parties(actor, result, asset)
    result.findings += party_findings(actor, result, asset)
    hold_against_others(actor, result, asset)
    return result


def _storable(value: object) -> object:
    """Text without what no database keeps: NUL characters and halves of surrogate pairs."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "ignore").decode()
    if isinstance(value, Mapping):
        return {str(_storable(str(name))): _storable(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_storable(item) for item in value]
    return value


def fill_in_parties(actor: Actor, result: Conformance, asset: Asset | None) -> None:
    """The provider defaults to the actor's organisation; the owner to the provider, unless a consumer owns the asset."""
    refused = {finding.field for finding in result.findings}
    values = result.values
    if values["ServiceProviderId"] is None and "ServiceProviderId" not in refused:
        provider = asset.service_provider_id if asset else actor.organisation_id
        values["ServiceProviderId"] = str(provider) if provider else None
        result.derived.add("ServiceProviderId")
    if values["OrganisationId"] is None and not values["ConsumerOwned"] and "OrganisationId" not in refused:
        values["OrganisationId"] = values["ServiceProviderId"]
        result.derived.add("OrganisationId")


def party_findings(actor: Actor, result: Conformance, asset: Asset | None) -> list[Finding]:
    """Findings on provider and owner: whether they take part, and whether the actor may name them."""
    provider, owner = result.values["ServiceProviderId"], result.values["OrganisationId"]
    active = active_parties(provider, owner, actor.organisation_id)
    findings = _provider_findings(actor, result, active) if asset is None else []
    changed = asset is None or owner != (str(asset.organisation_id) if asset.organisation_id else None)
    # An owner that was suspended since is no mistake of whoever changes something else.
    if owner and changed and owner not in active and owner != provider:
        findings.append(finding("OWN-02", owner))
    return findings


def _provider_findings(actor: Actor, result: Conformance, active: Mapping[str, set[str]]) -> list[Finding]:
    """Findings on the provider of a new asset: whether it may manage one, and whether the actor may say so."""
    provider, rule = result.values["ServiceProviderId"], ASSET_RULES["OWN-05"]
    if Scope.ALL not in scopes_of(actor, "asset.register"):
        require_provider(actor, active)
        if provider and provider != str(actor.organisation_id):
            return [rule.finding(provider, message=NOT_YOURS)]
    if provider is None:
        reported = any(finding.field == "ServiceProviderId" for finding in result.findings)
        return [] if reported else [rule.finding(message="Say which provider manages the asset.")]
    return [] if active.get(provider, set()) & PROVIDER_ROLES else [rule.finding(provider)]


def hold_against_others(actor: Actor, result: Conformance, asset: Asset | None) -> None:
    """Check values against the active assets: friendly code, aliases, MPANs elsewhere, and duplicates."""
    values = result.values
    provider = UUID(values["ServiceProviderId"]) if values["ServiceProviderId"] else None
    serial, maker = key_of(values["SerialNumber"]), key_of(values["Manufacturer"])
    mpans = {term: values[term] for term in MPAN_TERMS if values[term]}
    one_writer_per_provider(provider)
    hits: set[UUID] = set()
    others = _others(asset, provider, values["FriendlyCode"], (serial, maker), sorted(set(mpans.values())))
    duplicates: list[tuple[str, Any]] = []
    elsewhere: set[str] = set()
    for other in others:
        if serial and maker and (other.serial_key, other.manufacturer_key) == (serial, maker):
            duplicates.append(("DUP-01", other))
            hits.add(other.id)
        shared = {term for term, mpan in mpans.items() if mpan in (other.import_mpan, other.export_mpan)}
        if other.service_provider_id != provider:
            elsewhere |= shared
            result.shared += [(other.id, mpans[term]) for term in shared]
            hits |= {other.id} if shared else set()
            continue
        if values["FriendlyCode"] and other.friendly_code == values["FriendlyCode"]:
            result.findings.append(finding("NAME-05", values["FriendlyCode"]))
        alike = (other.asset_category, other.rated_capacity) == (values["AssetCategory"], values["RatedCapacity"])
        if shared and alike:
            duplicates.append(("DUP-02", other))
    result.findings += [finding("MPAN-09", mpans[term], term) for term in MPAN_TERMS if term in elsewhere]
    conflicts = _taken_aliases(asset, values["Aliases"])
    result.findings += [problem for _asset_id, problem in conflicts]
    result.same = told(actor, sorted(duplicates, key=lambda pair: pair[0]))
    unseen = unseen_of(actor, hits | {asset_id for asset_id, _problem in conflicts})
    if unseen:
        # What a look-up would tell, and so under the look-up's limit; kept also when the registration is refused.
        keep_to_the_limit(actor)
        afterwards(lambda: note_hits(actor, unseen))


def one_writer_per_provider(provider: UUID | None) -> None:
    """On PostgreSQL, registrations of one provider follow one another, so that each sees what the last one left."""
    session = current_session()
    if provider is not None and session.info.get(WRITES) and session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(provider.int & 0x7FFFFFFFFFFFFFFF)))


def _others(
    asset: Asset | None,
    provider: UUID | None,
    friendly_code: str | None,
    device: tuple[str | None, str | None],
    mpans: list[str],
) -> Sequence[Any]:
    """Active assets that share a device, an MPAN, or the provider's own code."""
    if not (all(device) or friendly_code or mpans):
        return []
    parameters = {
        "own_id": asset.id if asset else NO_ASSET,
        "provider": provider,
        "friendly_code": friendly_code,
        "serial": device[0],
        "maker": device[1],
        "mpans": mpans,
    }
    return current_session().execute(_OTHERS, parameters).all()


def _taken_aliases(asset: Asset | None, aliases: Sequence[Mapping[str, str]]) -> list[tuple[UUID, Finding]]:
    """Aliases that another active asset has, with that asset."""
    if not aliases:
        return []
    parameters = {"own_id": asset.id if asset else NO_ASSET, "names": sorted({pair["value"] for pair in aliases})}
    owner_of = {(row[0], row[1]): row[2] for row in current_session().execute(_ALIASES, parameters)}
    pairs = [(pair["scheme"], pair["value"]) for pair in aliases]
    return [(owner_of[pair], finding("ALIAS-05", ":".join(pair))) for pair in pairs if pair in owner_of]


def told(actor: Actor, duplicates: Sequence[tuple[str, Any]]) -> list[ExistingAsset]:
    """The duplicates as the actor may know them."""
    if not duplicates:
        return []
    ids = [other.id for _code, other in duplicates]
    visible_ids = set(
        current_session().scalars(select(col(Asset.id)).where(col(Asset.id).in_(ids), visible(Asset, actor)))
    )
    return [
        ExistingAsset(code, other.id, other.asset_name) if other.id in visible_ids else ExistingAsset(code, None, None)
        for code, other in duplicates
    ]
