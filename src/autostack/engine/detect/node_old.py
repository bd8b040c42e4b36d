"""What front ends of some years ago need on a Node of today."""

import re
from collections.abc import Mapping
from typing import Any

from autostack.engine.detect.node_front import at_most
from autostack.engine.detect.tree import Tree

_LAST_WITH_OLD_HASH = {
    "webpack": 4,
    "react-scripts": 4,
    "@vue/cli-service": 4,
    "nuxt": 2,
    "next": 10,
    "gatsby": 2,
    "laravel-mix": 5,
    "@angular-devkit/build-angular": 0,
    "@storybook/react": 5,
}
"""The last major release of each that builds with webpack 4."""
_LOCKED = re.compile(
    r'"(?:node_modules/)?webpack": \{\s*"version": "4\.'
    r'|^"?webpack@[^\n]*:\n\s+version:? "?4\.|^ {0,8}/?webpack[@/]4\.',
    re.MULTILINE,
)


def old_bundler(tree: Tree, package: Mapping[str, Any]) -> Mapping[str, str]:
    """webpack 4 asks OpenSSL for a hash that it only still has where it is told so."""
    asked = any(at_most(package, name, major) for name, major in _LAST_WITH_OLD_HASH.items())
    locks = (tree.text(file) or "" for file in ("package-lock.json", "yarn.lock", "pnpm-lock.yaml"))
    if asked or any(_LOCKED.search(text) for text in locks):
        return {"NODE_OPTIONS": "--openssl-legacy-provider"}
    return {}
