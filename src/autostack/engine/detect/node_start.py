"""Which script of package.json starts the app, and whether it needs development packages."""

import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from autostack.engine.detect.stated import mapping

DEVELOPMENT = re.compile(
    r"(^|&&|;|\s)(vite(?!\s+build)|next dev|nuxt dev|nuxi dev|astro (dev|preview)|astro$"
    r"|react-scripts start|vue-cli-service serve|ng serve|gatsby develop|docusaurus start"
    r"|webpack(-dev-server| serve)|parcel(?! build)|http-server\b|live-server|sirv\b"
    r"|(?<!run )(?<!yarn )(?<!pnpm )serve\b"
    r"|hexo (server|s)\b|browser-sync|(@11ty/)?eleventy\b[^&|;]{0,200}--(serve|watch)"
    r"|nest start\b[^&|;]{0,200}--watch|(vitepress|vuepress) (dev|serve)|remix dev|react-router dev"
    r"|svelte-kit dev|gulp( (serve|watch|dev|default))?$|grunt( (serve|server|watch))?$"
    r"|webpack\b[^&|;]{0,200}--watch|storybook\b|start-storybook)"
)
_ELSEWHERE = (
    (re.compile(r"\belectron(-forge)?\b|\btauri\b"), "opens a window on a desktop"),
    (re.compile(r"\bexpo start\b|\breact-native\b|\bionic\b"), "is for a phone"),
    (re.compile(r"\bwrangler\b"), "is for Cloudflare Workers"),
    (re.compile(r"\bvercel dev\b|\bnetlify dev\b|\bfirebase\b"), "runs another host's tools"),
    (re.compile(r"\b(serverless|sls) offline\b|\bfunc start\b|\bsam local\b"), "runs functions"),
)
"""Start scripts of what no server can serve, and what they do instead."""
_PRODUCTION = ("start:prod", "start:production", "prod", "production")
_PACKAGE_OF = {
    "babel": "@babel/cli",
    "babel-node": "@babel/node",
    "dotenv": "dotenv-cli",
    "eleventy": "@11ty/eleventy",
    "nest": "@nestjs/cli",
    "ng": "@angular/cli",
    "react-router-serve": "@react-router/serve",
    "remix-serve": "@remix-run/serve",
    "run-p": "npm-run-all",
    "run-s": "npm-run-all",
    "swc": "@swc/cli",
    "tsc": "typescript",
}
"""Programs that are not called like the package that brings them."""
_RUNNERS = frozenset({"npm", "yarn", "pnpm"})
_AROUND = frozenset({"npx", "exec", "cross-env", "run", "run-script"})
_HOOKS = frozenset({"-r", "--require", "--import", "--loader", "--experimental-loader"})
MAX_DEPTH = 4
MAX_LINE = 5000
"""Characters; nobody writes a longer one by hand."""


def scripts(package: Mapping[str, Any]) -> Mapping[str, str]:
    table = mapping(package.get("scripts"))
    told = {name: line.strip() for name, line in table.items() if isinstance(line, str)}
    return {name: line for name, line in told.items() if 0 < len(line) <= MAX_LINE}


def starting(package: Mapping[str, Any]) -> str | None:
    """The name of the script that serves in production, if one does.

    `start`, unless it is for development, or needs packages for development where another
    script says how to do without.
    """
    known = scripts(package)
    fit = [name for name in ("start", *_PRODUCTION) if not _develops(known, name)]
    lean = next((name for name in fit if not needs_development(package, name)), None)
    return lean or next(iter(fit), None)


def elsewhere(line: str) -> str:
    """What a start script does that is no matter of a server; empty for all others."""
    return next((does for pattern, does in _ELSEWHERE if pattern.search(line)), "")


def _develops(known: Mapping[str, str], name: str, *, depth: int = 0) -> bool:
    """Whether a script is missing, or for development, be it through another one."""
    line = known.get(name)
    if line is None or DEVELOPMENT.search(line) or elsewhere(line):
        return True
    others = re.findall(r"(?:npm run|yarn(?: run)?|pnpm(?: run)?)\s+([\w:-]+)", line)
    return depth < MAX_DEPTH and any(
        _develops(known, other, depth=depth + 1) for other in others if other in known
    )


def needs_development(package: Mapping[str, Any], script: str) -> bool:
    """Whether it calls what only `devDependencies` bring."""
    lasting = mapping(package.get("dependencies")).keys()
    passing = mapping(package.get("devDependencies")).keys() - lasting
    return any(name in passing for name in _called(scripts(package), script, depth=0))


def _called(known: Mapping[str, str], script: str, *, depth: int) -> Iterator[str]:
    """The packages whose programs a script calls, also through other scripts."""
    for name in (f"pre{script}", script, f"post{script}"):
        for command in re.split(r"&&|\|\||[;|&]", known.get(name, "")):
            yield from _packages(known, _words(command), depth=depth)


def _packages(known: Mapping[str, str], words: list[str], *, depth: int) -> Iterator[str]:
    runner = bool(words) and words[0] in _RUNNERS
    rest = [word for word in (words[1:] if runner else words) if not _aside(word)]
    if not rest:
        return
    if runner:
        if rest[0] in known and depth < MAX_DEPTH:
            yield from _called(known, rest[0], depth=depth + 1)
        return
    program = rest[0].rpartition("/")[2] if rest[0].startswith(("./", "node_modules/")) else rest[0]
    yield _PACKAGE_OF.get(program, program)
    for option, value in pairwise(words):
        if option in _HOOKS:
            yield "/".join(value.split("/")[: 2 if value.startswith("@") else 1])


def _aside(word: str) -> bool:
    """An option, an assignment or a wrapper before the program itself."""
    return word in _AROUND or word.startswith("-") or bool(re.match(r"^\w+=", word))


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()
