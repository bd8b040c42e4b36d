"""What is read out of a Dockerfile before the engine sees it."""

from autostack.drivers.builders import docker_file


def test_base_images_are_found_and_stages_are_not_images() -> None:
    text = """
ARG VERSION=3.12
FROM --platform=$BUILDPLATFORM python:${VERSION}-slim AS build
RUN pip install flask
FROM build AS test
FROM scratch AS empty
FROM registry.example:5000/team/base@sha256:abc
COPY --from=build /x /x
"""

    assert docker_file.read(text, {}).bases == (
        "python:3.12-slim",
        "registry.example:5000/team/base@sha256:abc",
    )


def test_a_given_argument_decides_the_base_image() -> None:
    text = "ARG VERSION=3.12\nFROM python:$VERSION\n"

    assert docker_file.read(text, {"VERSION": "3.13"}).bases == ("python:3.13",)


def test_an_argument_without_a_value_takes_its_default() -> None:
    assert docker_file.read("ARG V\nFROM node:${V:-22}\n", {}).bases == ("node:22",)


def test_only_declared_arguments_are_named() -> None:
    text = "FROM base\nARG A\nARG B=1 C\n# ARG D\nENV E=1\nRUN echo \\\n  ARG F\n"

    assert docker_file.read(text, {}).arguments == {"A", "B", "C"}


def test_what_only_buildkit_can_build_is_known() -> None:
    modern = (
        "RUN --mount=type=cache,target=/x make",
        "RUN <<EOF\nmake\nEOF",
        "COPY --link a b",
        "COPY --chown=1:1 --chmod=755 a b",
        "run --network=none make",
    )

    assert [docker_file.read(f"FROM base\n{line}\n", {}).modern for line in modern] == [True] * 5
    assert not docker_file.read("FROM base\nCOPY --chown=1:1 a b\nRUN make <x\n", {}).modern


def test_a_named_syntax_is_an_image_of_its_own_and_needs_buildkit() -> None:
    told = docker_file.read("# syntax=docker/dockerfile:1\nFROM base\n", {})

    assert told.modern
    assert told.bases == ("docker/dockerfile:1", "base")
