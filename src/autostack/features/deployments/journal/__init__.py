"""The engine's journal in PostgreSQL."""

from autostack.features.deployments.journal.postgres import PostgresJournal, Record
from autostack.features.deployments.journal.specs import NOTHING, Site, Snapshot

__all__ = ["NOTHING", "PostgresJournal", "Record", "Site", "Snapshot"]
