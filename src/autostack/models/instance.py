"""Running copies of a process type. The row is written before the process exists."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from autostack.engine.release import InstanceState
from autostack.models.base import Base, Json


class Instance(Base):
    __tablename__ = "instances"
    __table_args__ = (
        UniqueConstraint("deployment_id", "process", "index"),
        Index("one_living_uid", "uid", unique=True, postgresql_where=text("freed_at is null")),
        Index(
            "one_living_place",
            "address",
            "port",
            unique=True,
            postgresql_where=text("freed_at is null"),
        ),
        Index("ix_instances_environment", "environment_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    environment_id: Mapped[UUID] = mapped_column(ForeignKey("environments.id", ondelete="CASCADE"))
    deployment_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("deployments.id", ondelete="CASCADE")
    )
    """None for a command that is run once: no deployment starts or ends it."""
    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"))
    adopted_from: Mapped[UUID | None]
    """The deployment that started it, where another one took it over."""
    process: Mapped[str]
    index: Mapped[int]
    runtime: Mapped[str]
    """The driver that started it, and that stops it."""
    command: Mapped[list[str]]
    uid: Mapped[int]
    address: Mapped[str]
    port: Mapped[int]
    reached_at: Mapped[str | None]
    """`host:port` the edge uses, once it is started."""
    wanted: Mapped[bool] = mapped_column(default=True)
    state: Mapped[InstanceState] = mapped_column(default=InstanceState.STARTING)
    """As the worker's watch loop saw it last."""
    restarts: Mapped[int] = mapped_column(default=0)
    memory: Mapped[int] = mapped_column(default=0)
    exit: Mapped[Json | None]
    observed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    freed_at: Mapped[datetime | None]
    """When it was gone and its uid, address and port became free."""
