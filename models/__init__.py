"""Tables, code lists and states of the register. Import this package to know them all."""

from sqlmodel import SQLModel

from models import assets, bulk, core, participants, sources, tallies

metadata = SQLModel.metadata

__all__ = ["assets", "bulk", "core", "metadata", "participants", "sources", "tallies"]
