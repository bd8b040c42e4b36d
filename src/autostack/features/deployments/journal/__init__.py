"""The engine's journal in PostgreSQL."""

from autostack.features.deployments.journal.postgres import PostgresJournal, Record
from autostack.features.deployments.journal.specs import Site

__all__ = ["PostgresJournal", "Record", "Site"]
