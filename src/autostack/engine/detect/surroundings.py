"""Warnings about files that lie in the tree, whatever the language."""

from collections.abc import Iterator

from autostack.engine.detect.tree import Tree

_SECRETS = (".env", ".env.local", ".env.production", ".env.prod")
_DATABASES = (".sqlite", ".sqlite3", ".db3")


def surroundings(tree: Tree) -> Iterator[str]:
    committed = tree.first(*_SECRETS)
    if committed:
        yield (
            f"{committed} is in the repository, with whatever secrets it holds. Remove it, change "
            "them, and set them as variables."
        )
    for file in [*tree.ending(*_DATABASES), *tree.named("database.db", "db.db", "app.db")][:1]:
        yield (
            f"{file}: a database file in the tree. Each release starts from the committed copy, "
            "and what the app writes is lost; use a database server."
        )
