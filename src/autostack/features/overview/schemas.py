from pydantic import BaseModel, Field

from autostack.features.deployments.schemas import DeploymentRead, InstanceRead
from autostack.features.environments.schemas import EnvironmentRead
from autostack.features.projects.schemas import ProjectRead


class EnvironmentNow(BaseModel):
    """An environment, what its domains lead to, and what was tried last."""

    environment: EnvironmentRead
    serving: DeploymentRead | None = Field(
        description="The deployment whose release answers; null before the first success."
    )
    latest: DeploymentRead | None
    instances: list[InstanceRead] = []


class ProjectNow(BaseModel):
    project: ProjectRead
    environments: list[EnvironmentNow] = Field(description="Oldest first: production leads.")
    requests: list[int] = Field(
        description="Visitors' requests to all environments in each of the last 24 hours."
    )


class ProjectOverview(ProjectNow):
    """One project alone, with what was tried lately."""

    recent: list[DeploymentRead] = Field(
        description="Its newest deployments, to whichever environment: five at most."
    )
