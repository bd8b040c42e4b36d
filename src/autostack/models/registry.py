"""Every table, written out: importing this module completes Base.metadata."""

from autostack.models import (
    deployment,
    disk_sample,
    disk_usage,
    environment,
    event,
    idempotency,
    instance,
    login_failure,
    plan,
    project,
    release,
    route,
    run,
    session,
    step,
    team,
    traffic,
    user,
    variable,
)
from autostack.models.base import Base

TABLES = (
    user.User,
    session.UserSession,
    login_failure.LoginFailure,
    team.Team,
    team.Membership,
    project.Project,
    environment.Environment,
    variable.Variable,
    deployment.Deployment,
    step.Step,
    release.Release,
    instance.Instance,
    route.Route,
    run.Run,
    plan.PlanRequest,
    event.Event,
    idempotency.IdempotencyKey,
    traffic.Traffic,
    disk_usage.DiskUsage,
    disk_sample.DiskSample,
)
metadata = Base.metadata
