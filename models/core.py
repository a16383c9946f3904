"""Tables that every area uses: the ledger and its seals, events and their delivery, settings, and the access log."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, Text, UniqueConstraint
from sqlmodel import Field

from models.base import BigSerial, Json, Log, Recorded, UtcDateTime, choice, new_id


class LedgerEntry(Log, table=True):
    """One change of one record: its state afterwards, who made it, under which use case, chained to the entry before.

    Append-only: database triggers refuse update and delete.
    """

    __table_args__ = (
        UniqueConstraint("record_type", "record_id", "version", name="ledger_entry_chain"),
        Index("ledger_entry_by_time", "recorded_at"),
    )

    seq: int | None = Field(default=None, sa_column=Column(BigSerial, primary_key=True, autoincrement=True))
    record_type: str = Field(max_length=40)
    record_id: UUID
    version: int
    operation: str = Field(max_length=80)
    use_case: str = Field(max_length=20)
    user_id: UUID | None = None
    client_id: str | None = Field(default=None, max_length=80)
    organisation_id: UUID | None = None
    on_behalf_of: UUID | None = None
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    state: str = Field(sa_type=Text)
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class LedgerSeal(Recorded, table=True):
    """A Merkle root over a run of ledger entries, chained to the seal before. Itself a record, so its removal shows."""

    number: int = Field(unique=True)
    first_seq: int
    last_seq: int
    entry_count: int
    merkle_root: str = Field(max_length=64)
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)
    sealed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """None for a seal of a version that did not sign: its hash is over fewer parts."""
    log_digests: dict[str, Any] | None = Field(default=None, sa_type=Json)
    """By log: up to which row it is covered, and count and digest of the rows since the seal before."""
    signing_key: str | None = Field(default=None, max_length=16)
    """Short name of the public key that the signature verifies with; None where seals are not signed."""
    signature: str | None = Field(default=None, max_length=100)


class Setting(Recorded, table=True):
    """A number that an administrator may change; the catalogue and its defaults are in services.core.register_settings."""

    key: str = Field(unique=True, max_length=80)
    value: str = Field(max_length=200)


class Event(Log, table=True):
    """Something that happened to a record, written in the same commit as the change itself (outbox)."""

    __table_args__ = (Index("event_by_organisation", "organisation_id", "seq"),)

    seq: int | None = Field(default=None, sa_column=Column(BigSerial, primary_key=True, autoincrement=True))
    id: UUID = Field(default_factory=new_id, unique=True)
    type: str = Field(max_length=60, index=True)
    record_type: str = Field(max_length=40)
    record_id: UUID = Field(index=True)
    organisation_id: UUID | None = None
    dno_code: str | None = Field(default=None, max_length=20)
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    occurred_at: datetime = Field(sa_type=UtcDateTime)


class DeliveryStatus(StrEnum):
    """Where the handing-over of an event to one handler stands."""

    WAITING = "WAITING"
    DONE = "DONE"
    GIVEN_UP = "GIVEN_UP"


class EventDelivery(Log, table=True):
    """Events to be handed to one handler: at least once, retried with back-off, leased to one worker at a time.

    One event, or a run of them that were written together for a handler that takes them so; one of a run that fails gets a
    delivery of its own.
    """

    __table_args__ = (
        UniqueConstraint("event_seq", "handler", name="event_delivery_once"),
        Index("event_delivery_due", "status", "due_at"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigSerial, primary_key=True, autoincrement=True))
    event_seq: int = Field(foreign_key="event.seq")
    further: list[int] = Field(default_factory=list, sa_column=Column(Json, nullable=False, server_default="[]"))
    """The numbers of the other events of a run."""
    handler: str = Field(max_length=80)
    status: DeliveryStatus = Field(default=DeliveryStatus.WAITING, sa_type=choice(DeliveryStatus))
    attempts: int = 0
    due_at: datetime = Field(sa_type=UtcDateTime)
    last_error: str | None = Field(default=None, max_length=500)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PeriodicRun(Log, table=True):
    """When a periodic job is next due; claimed by moving `due_at` on, so that one process runs it."""

    job: str = Field(primary_key=True, max_length=80)
    due_at: datetime = Field(sa_type=UtcDateTime)


class Access(Log, table=True):
    """Who read or looked up what: personal and commercial data, look-ups, exports (UC-02.01, UC-02.04, UC-05.01)."""

    __table_args__ = (
        Index("access_by_actor", "kind", "actor_key", "at"),
        Index("access_by_organisation", "kind", "organisation_id", "at"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigSerial, primary_key=True, autoincrement=True))
    at: datetime = Field(sa_type=UtcDateTime)
    kind: str = Field(max_length=40)
    actor_key: str = Field(max_length=80)
    user_id: UUID | None = None
    client_id: str | None = Field(default=None, max_length=80)
    organisation_id: UUID | None = None
    record_type: str | None = Field(default=None, max_length=40)
    record_id: UUID | None = None
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
