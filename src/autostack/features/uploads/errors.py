from autostack.core.errors import Invalid, NotFound


class UploadNotFound(NotFound):
    hint = "Send it again with POST /projects/{project_id}/uploads; old ones are not kept."

    def __init__(self) -> None:
        super().__init__("There is no such upload in this project.")


class UploadCutOff(Invalid):
    hint = "Send it again."

    def __init__(self) -> None:
        super().__init__("The connection broke off before the upload had arrived.")
