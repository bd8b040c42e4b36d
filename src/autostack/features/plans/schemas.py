from typing import Annotated

from pydantic import BaseModel, Field

from autostack.features.environments.schemas import Branch
from autostack.features.projects.schemas import RepoUrl

Root = Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f]*$")]


class PlanAsk(BaseModel):
    repo_url: RepoUrl
    branch: Branch | None = None
    root: Root | None = None
    """Directory of the app inside the repository."""
