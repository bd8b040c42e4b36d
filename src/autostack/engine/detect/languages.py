"""Applications in languages that are not built here, told before something else is blamed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from autostack.engine.detect.draft import Draft, Sight
from autostack.engine.detect.evidence import Said
from autostack.engine.detect.tree import Tree
from autostack.engine.plan import Family


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """`manifests` name it; `marks` are what a server or site in it has besides; `programs` are
    what its start commands call.
    """

    name: str
    manifests: tuple[str, ...]
    marks: tuple[str, ...] = ()
    programs: frozenset[str] = frozenset()


LANGUAGES = (
    Language(
        name="Go",
        manifests=("go.mod", "Gopkg.toml", "vendor/vendor.json"),
        marks=("main.go", "server.go", "cmd/main.go"),
        programs=frozenset({"go"}),
    ),
    Language(
        name="Ruby",
        manifests=("Gemfile",),
        marks=("config.ru", "bin/rails", "config/application.rb", "app.rb"),
        programs=frozenset({"bundle", "rails", "rackup", "puma", "ruby", "rake", "unicorn"}),
    ),
    Language(
        name="PHP",
        manifests=("composer.json", "index.php"),
        marks=("artisan", "bin/console", "index.php", "public/index.php", "web/index.php"),
        programs=frozenset({"php", "heroku-php-apache2", "heroku-php-nginx", "composer"}),
    ),
    Language(
        name="Java",
        manifests=("pom.xml", "build.gradle", "build.gradle.kts"),
        marks=("pom.xml", "gradlew"),
        programs=frozenset({"java", "mvn", "mvnw", "gradle", "gradlew"}),
    ),
    Language(name="Scala", manifests=("build.sbt",), programs=frozenset({"sbt"})),
    Language(
        name="Clojure", manifests=("project.clj", "deps.edn"), programs=frozenset({"lein", "clj"})
    ),
    Language(
        name="Rust",
        manifests=("Cargo.toml",),
        marks=("src/main.rs", "Rocket.toml"),
        programs=frozenset({"cargo"}),
    ),
    Language(
        name="Elixir",
        manifests=("mix.exs",),
        marks=("mix.exs",),
        programs=frozenset({"mix", "elixir", "iex"}),
    ),
    Language(
        name=".NET",
        manifests=("global.json", "Program.cs"),
        marks=("Program.cs",),
        programs=frozenset({"dotnet"}),
    ),
    Language(name="Swift", manifests=("Package.swift",), programs=frozenset({"swift"})),
    Language(name="Dart", manifests=("pubspec.yaml",), programs=frozenset({"dart", "flutter"})),
    Language(
        name="Deno",
        manifests=("deno.json", "deno.jsonc", "deno.lock"),
        programs=frozenset({"deno"}),
    ),
    Language(name="Bun", manifests=(), programs=frozenset({"bun", "bunx"})),
)
_OURS = frozenset({Family.PYTHON, Family.NODE})
_SITES = (
    ("Hugo", ("hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json")),
    ("Jekyll", ("_config.yml", "_config.yaml")),
    ("mdBook", ("book.toml",)),
)
_RULED = re.compile(r"^---\s*$")
"""How a file begins that a generator still has to fill in."""


def foreign(sight: Sight, chosen: Draft | None) -> tuple[str, str] | None:
    """What the application is, as in `A Go project`, and the file that says so, where it is not
    one of ours. `chosen` is what would be built. What a user settled for us is left alone.
    """
    said = sight.stated.web
    if sight.stated.publish or (said and _for_us(said)):
        return None
    line, file = _start(said, chosen)
    found = _by_program(sight.tree, line, file)
    if found or _serves(chosen) or (line and chosen and chosen.family in _OURS):
        return found
    return _by_manifest(sight.tree, chosen) or (None if line else _site(sight.tree, chosen))


def _for_us(said: Said) -> bool:
    return said.evidence is None or said.evidence.file.startswith("autostack.")


def _start(said: Said | None, chosen: Draft | None) -> tuple[str, str]:
    """The command line that would serve, and the file it stands in."""
    if said:
        return said.value, said.evidence.file if said.evidence else ""
    web = chosen.web if chosen else None
    return (" ".join(web.command), web.evidence.file if web.evidence else "") if web else ("", "")


def _by_program(tree: Tree, line: str, file: str) -> tuple[str, str] | None:
    called = _called(line)
    for language in LANGUAGES:
        if called & language.programs:
            return f"A {language.name} project", tree.first(*language.manifests) or file
    return None


def _by_manifest(tree: Tree, chosen: Draft | None) -> tuple[str, str] | None:
    bare = chosen is None or chosen.family is Family.PROCFILE
    for language, manifest in _written_in(tree):
        if bare or tree.first(*language.marks):
            return f"A {language.name} project", manifest
    return None


def _serves(chosen: Draft | None) -> bool:
    return chosen is not None and chosen.web is not None


def _written_in(tree: Tree) -> Iterator[tuple[Language, str]]:
    for language in LANGUAGES:
        manifest = tree.first(*language.manifests)
        if manifest:
            yield language, manifest
    project = next((file for file in tree.ending(".csproj", ".fsproj") if "/" not in file), None)
    if project:
        yield Language(name=".NET", manifests=(project,), marks=(project,)), project


def _called(line: str) -> frozenset[str]:
    """The programs a command line calls, by their bare names."""
    names: set[str] = set()
    for command in re.split(r"&&|\|\||[;|&]", line.removeprefix("sh -c ")):
        words = [word for word in command.split() if not _before(word)]
        names |= {words[0].rpartition("/")[2]} if words else set()
    return frozenset(names)


def _before(word: str) -> bool:
    return word in ("exec", "env", "time") or re.match(r"^\w+=", word) is not None


def _site(tree: Tree, chosen: Draft | None) -> tuple[str, str] | None:
    """A site that a generator we do not have must make, unless its pages are there already."""
    if chosen is not None and chosen.family is Family.NODE:
        return None
    for name, files in _SITES:
        config = tree.first(*files)
        if config and not _finished(tree):
            return f"A {name} site", config
    if tree.has("config.toml") and any(file.startswith("content/") for file in tree.files):
        return None if _finished(tree) else ("A Hugo or Zola site", "config.toml")
    return None


def _finished(tree: Tree) -> bool:
    lines = tree.lines("index.html")
    return bool(lines) and not _RULED.match(lines[0])
