"""Tables, code lists and states of the register. Import this package to know them all."""

from sqlmodel import SQLModel

from models import assets, core, participants, sources, tallies

metadata = SQLModel.metadata

__all__ = ["assets", "core", "metadata", "participants", "sources", "tallies"]
