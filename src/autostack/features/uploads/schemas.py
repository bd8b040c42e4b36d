from pydantic import BaseModel, Field

from autostack.core.uploads import DIGEST


class UploadRead(BaseModel):
    upload: str = Field(
        pattern=f"^{DIGEST}$",
        description="Names what you sent; deploy it with `upload` in POST /deployments.",
    )
