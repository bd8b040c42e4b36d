"""Write the next migration from the models: `python -m tests.draft "Add x"`.

Read the result before committing it. While no release has been made, changes of the tables go
into the first one: delete 0002_*.py and run `python -m tests.draft "Tables"`.
"""

import sys
from argparse import ArgumentParser

from alembic import command

from autostack.migrations.apply import configuration
from autostack.migrations.runner import VERSIONS, revisions
from tests import postgres


def main() -> None:
    asked = ArgumentParser(prog="tests.draft")
    asked.add_argument("message")
    message = asked.parse_args().message
    number = f"{len(revisions()) + 1:04}"
    with postgres.server() as server:
        config = configuration(server.url(server.create(template="template0")))
        command.upgrade(config, "head")
        command.revision(config, message, autogenerate=True, rev_id=number)
    (file,) = VERSIONS.glob(f"{number}_*.py")
    sys.stdout.write(f"{file}\n")


if __name__ == "__main__":
    main()
