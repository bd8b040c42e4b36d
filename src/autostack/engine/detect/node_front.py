"""What a JavaScript framework leaves behind: files to publish, or a server to start."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autostack.engine.detect.evidence import line_of, where
from autostack.engine.detect.node_start import scripts, starting
from autostack.engine.detect.stated import mapping
from autostack.engine.detect.tree import Tree
from autostack.engine.plan import Evidence

FRAMEWORKS = (
    ("next", "Next.js"),
    ("nuxt", "Nuxt"),
    ("nuxt3", "Nuxt"),
    ("nuxt-edge", "Nuxt"),
    ("@remix-run/serve", "Remix"),
    ("@react-router/dev", "React Router"),
    ("@sveltejs/kit", "SvelteKit"),
    ("astro", "Astro"),
    ("gatsby", "Gatsby"),
    ("@docusaurus/core", "Docusaurus"),
    ("vitepress", "VitePress"),
    ("vuepress", "VuePress"),
    ("@angular/core", "Angular"),
    ("@nestjs/core", "NestJS"),
    ("react-scripts", "Create React App"),
    ("@vue/cli-service", "Vue CLI"),
    ("@11ty/eleventy", "Eleventy"),
    ("hexo", "Hexo"),
    ("express", "Express"),
    ("fastify", "Fastify"),
    ("koa", "Koa"),
    ("hono", "Hono"),
    ("@hapi/hapi", "hapi"),
    ("vite", "Vite"),
    ("parcel", "Parcel"),
    ("parcel-bundler", "Parcel"),
    ("html-webpack-plugin", "webpack"),
)
_PUBLISH = {
    "Gatsby": "public",
    "Docusaurus": "build",
    "Create React App": "build",
    "Eleventy": "_site",
    "Hexo": "public",
    "Parcel": "dist",
}
_WITH_VALUE = frozenset({"-l", "--listen", "-p", "--port", "-c", "--config", "-a"})
"""Options of `serve` and `http-server` whose value is a word of its own."""
_PATH = r"""\s*[:=]\s*['"]([\w./-]+)['"]"""
_ELSEWHERE = r"adapter-(vercel|netlify|cloudflare(?:-workers)?|azure-swa)|@astrojs/(\w+)"
_HOSTS = frozenset({"vercel", "netlify", "cloudflare", "cloudflare-workers", "azure-swa"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a build leaves: one of `publish` and `command`, or why it is neither. `build` and
    `env` are variables the build and the app need for that.
    """

    publish: str | None = None
    command: tuple[str, ...] = ()
    build: Mapping[str, str] = field(default_factory=dict[str, str])
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    obstacle: tuple[str, str] | None = None


def framework(package: Mapping[str, Any]) -> str:
    names = dependencies(package)
    return next((label for name, label in FRAMEWORKS if name in names), "")


def dependencies(package: Mapping[str, Any], *kinds: str) -> frozenset[str]:
    kinds = kinds or ("dependencies", "devDependencies")
    return frozenset(name for kind in kinds for name in mapping(package.get(kind)))


def left(tree: Tree, package: Mapping[str, Any], label: str, *, script: str) -> Left:
    """`script` is the name of the one that builds, or nothing."""
    if not script:
        return Left(command=_STARTED.get(label, ()))
    if label == "Next.js":
        return Left(publish=_exported(tree), command=_STARTED[label])
    if starting(package):
        return Left(env=_LISTENING.get(label, {}))
    named = _named_by_server(scripts(package).get("start", ""))
    return Left(publish=named) if named else _by_framework(tree, package, label, script)


_STARTED = {
    "Next.js": ("next", "start"),
    "Nuxt": ("node", ".output/server/index.mjs"),
    "NestJS": ("node", "dist/main.js"),
}
_LISTENING = {label: {"HOST": "0.0.0.0"} for label in ("Astro", "Nuxt")}  # noqa: S104 - in a sandbox
"""Those that listen on loopback alone unless told otherwise."""


def _by_framework(tree: Tree, package: Mapping[str, Any], label: str, script: str) -> Left:
    line = scripts(package)[script]
    if label == "Nuxt" and re.search(r"\b(?:nuxt|nuxi) generate\b", line):
        return Left(publish="dist" if at_most(package, "nuxt", 2) else ".output/public")
    if label in _STARTED:
        return Left(command=_STARTED[label], env=_LISTENING.get(label, {}))
    look = {"Astro": _astro, "SvelteKit": _svelte, "Angular": _angular, "React Router": _router}
    if label in look:
        return look[label](tree, package)
    return Left(publish=_directory(tree, label, line))


def _router(tree: Tree, package: Mapping[str, Any]) -> Left:
    if _says(tree, "react-router.config", r"\bssr\s*:\s*false"):
        return Left(publish="build/client")
    if "@react-router/serve" in dependencies(package, "dependencies"):
        return Left(command=("react-router-serve", "build/server/index.js"))
    return Left()


def _directory(tree: Tree, label: str, line: str) -> str | None:
    if label in ("VitePress", "VuePress"):
        found = re.search(rf"\b{label.lower()} build\s+([\w./-]+)", line)
        base = found[1].removeprefix("./").strip("/") if found else ""
        return posixpath.join(base, f".{label.lower()}/dist")
    if label == "Vite":
        return _vite(tree, line)
    if label == "Vue CLI":
        return _configured(tree, "vue.config", rf"outputDir{_PATH}") or "dist"
    if label == "webpack":
        named = r"""\bpath\s*:\s*(?:path\.)?(?:resolve|join)\(__dirname,\s*['"]([\w./-]+)['"]"""
        return _configured(tree, "webpack.config", named) or "dist"
    return _PUBLISH.get(label)


def _vite(tree: Tree, line: str) -> str:
    """`outDir` counts from `root`, as in `root: 'client'` with `outDir: '../dist'`."""
    told = re.search(r"--outDir[\s=]+([\w./-]+)", line)
    out = told[1] if told else _value(tree, "vite.config", rf"outDir{_PATH}") or "dist"
    root = _value(tree, "vite.config", rf"^\s*root{_PATH}") or ""
    place = posixpath.normpath(posixpath.join(root, out))
    return "dist" if place.startswith(("..", "/")) else place


def _astro(tree: Tree, package: Mapping[str, Any]) -> Left:
    server = _says(tree, "astro.config", r"""output\s*:\s*['"](server|hybrid)""")
    adapted = _says(tree, "astro.config", r"\badapter\s*:")
    if "@astrojs/node" in dependencies(package) and (adapted or server):
        return Left(command=("node", "dist/server/entry.mjs"), env=_LISTENING["Astro"])
    other = _elsewhere(tree, "astro.config")
    if server and other:
        return Left(obstacle=_made_for("An Astro project", other, "@astrojs/node"))
    return Left(publish=_configured(tree, "astro.config", rf"outDir{_PATH}") or "dist")


def _svelte(tree: Tree, package: Mapping[str, Any]) -> Left:
    names = dependencies(package)
    if "@sveltejs/adapter-static" in names:
        return Left(publish=_configured(tree, "svelte.config", rf"pages{_PATH}") or "build")
    out = _configured(tree, "svelte.config", rf"\bout{_PATH}") or "build"
    node = Left(command=("node", f"{out}/index.js"), env=_FORWARDED)
    if "@sveltejs/adapter-node" in names:
        return node
    other = _elsewhere(tree, "svelte.config")
    if other:
        return Left(obstacle=_made_for("A SvelteKit project", other, "@sveltejs/adapter-node"))
    if "@sveltejs/adapter-auto" in names and not at_most(package, "@sveltejs/kit", 1):
        # By this it knows a place that runs the build with Node, and brings the adapter for it.
        return Left(command=node.command, env=node.env, build={"GCP_BUILDPACKS": "1"})
    what = "A SvelteKit project without @sveltejs/adapter-node"
    return Left(obstacle=(what, "Add that adapter, or adapter-static, to svelte.config.js."))


_FORWARDED = {"PROTOCOL_HEADER": "x-forwarded-proto", "HOST_HEADER": "x-forwarded-host"}
"""Without these, forms sent to SvelteKit look as if they came from another site."""


def _made_for(what: str, proof: Evidence, adapter: str) -> tuple[str, str]:
    match = re.search(_ELSEWHERE, proof.text)
    host = next((group for group in match.groups() if group), "") if match else ""
    return (
        f"{what} that is built for {host.title() or 'another host'} ({where(proof)})",
        f"Use {adapter} instead, which leaves a server that runs anywhere.",
    )


def _elsewhere(tree: Tree, stem: str) -> Evidence | None:
    found = _says(tree, stem, _ELSEWHERE)
    match = re.search(_ELSEWHERE, found.text) if found else None
    return found if match and _HOSTS.intersection(filter(None, match.groups())) else None


def _angular(tree: Tree, _: Mapping[str, Any]) -> Left:
    text = tree.text("angular.json") or ""
    path = re.search(r'"outputPath"\s*:\s*(?:\{\s*"base"\s*:\s*)?"([\w./-]+)"', text)
    browser = '"@angular/build:application"' in text or "devkit/build-angular:application" in text
    project = re.search(r'"projects"\s*:\s*\{\s*"([\w.@/-]+)"', text)
    base = path[1] if path else (f"dist/{project[1]}" if project else "")
    if not base:
        return Left()
    if browser and re.search(r'"ssr"\s*:\s*(?:true|\{)', text) and '"static"' not in text:
        return Left(command=("node", f"{base}/server/server.mjs"))
    return Left(publish=f"{base}/browser" if browser or not path else base)


def _named_by_server(start: str) -> str | None:
    """`serve -s dist` says where the build leaves its files better than any habit."""
    called = re.search(r"(?:^|[;&|]\s*|npx\s+)(?:serve|http-server|sirv)\s+([^;&|]+)", start)
    words = iter(called[1].split() if called else ())
    for word in words:
        if word in _WITH_VALUE:
            next(words, None)
        elif re.fullmatch(r"[\w.][\w./-]*", word):
            return word.removeprefix("./").strip("/") or None
    return None


def _exported(tree: Tree) -> str | None:
    if not _says(tree, "next.config", r"""output\s*:\s*['"]export['"]"""):
        return None
    return _configured(tree, "next.config", rf"distDir{_PATH}") or "out"


def at_most(package: Mapping[str, Any], name: str, major: int) -> bool:
    """Whether the version asked for is at most of that major release."""
    found = re.search(r"\d+", version_of(package, name))
    return found is not None and int(found[0]) <= major


def version_of(package: Mapping[str, Any], name: str) -> str:
    kinds = ("dependencies", "devDependencies")
    asked = (mapping(package.get(kind)).get(name) for kind in kinds)
    return next((value for value in asked if isinstance(value, str)), "")


def _config(tree: Tree, stem: str) -> str | None:
    return tree.first(*(f"{stem}.{end}" for end in ("js", "ts", "mjs", "mts", "cjs")))


def _says(tree: Tree, stem: str, pattern: str) -> Evidence | None:
    file = _config(tree, stem)
    return line_of(tree, file, pattern) if file else None


def _value(tree: Tree, stem: str, pattern: str) -> str | None:
    found = _says(tree, stem, pattern)
    match = re.search(pattern, found.text) if found else None
    return match[1] if match else None


def _configured(tree: Tree, stem: str, pattern: str) -> str | None:
    value = _value(tree, stem, pattern)
    return value.removeprefix("./").strip("/") if value else None
