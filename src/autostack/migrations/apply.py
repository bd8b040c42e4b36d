"""Run Alembic up to the newest revision; a program of its own, see runner."""

import os
from pathlib import Path

from alembic import command
from alembic.config import Config

from autostack.migrations.runner import URL_VARIABLE


def configuration(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def main() -> None:
    command.upgrade(configuration(os.environ[URL_VARIABLE]), "head")


if __name__ == "__main__":
    main()
