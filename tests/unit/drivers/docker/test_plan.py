"""The Dockerfile made of a plan, word for word."""

from dataclasses import replace

import pytest

from autostack.drivers.builders.docker_plan import BaseImages, base, dockerfile
from autostack.engine.plan import BuildStep, Family, Plan, Process, Toolchain

BASES = BaseImages(python="py:{version}", node="js:{version}", procfile="plain")
FLASK = Plan(
    family=Family.PYTHON,
    toolchains=(Toolchain(name="python"),),
    build=(
        BuildStep(
            title="Install packages",
            command=("uv", "pip", "install", "--requirement", "requirements.txt"),
            inputs=("requirements.txt",),
        ),
        BuildStep(title="Collect", command=("python", "manage.py", "collect"), env={"A": "1"}),
    ),
    processes=(Process(name="web", command=("gunicorn", "app:app")),),
    env={"GREETING": 'say "$hi"\\'},
)


def test_a_python_plan() -> None:
    assert (
        dockerfile(FLASK, BASES)
        == """\
FROM py:3.12
RUN ["python3", "-m", "pip", "install", "--no-cache-dir", "uv"]
RUN mkdir -p /app /home/app && chown 10001:10001 /app /home/app
USER 10001:10001
WORKDIR /app
ARG NPM_CONFIG_REGISTRY
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
ARG UV_INDEX_URL
ENV HOME=/home/app
ENV PATH=/app/.venv/bin:/app/node_modules/.bin:$PATH
ENV VIRTUAL_ENV=/app/.venv
ENV UV_LINK_MODE=copy
ENV UV_NO_CACHE=1
ENV UV_PYTHON_DOWNLOADS=never
ENV GREETING="say \\"\\$hi\\"\\\\"
RUN ["uv", "venv", "/app/.venv"]
COPY --chown=10001:10001 ["requirements.txt", "./"]
RUN ["uv", "pip", "install", "--requirement", "requirements.txt"]
COPY --chown=10001:10001 [".", "./"]
RUN ["env", "A=1", "python", "manage.py", "collect"]
CMD ["gunicorn", "app:app"]
"""
    )


def test_only_public_variables_become_arguments() -> None:
    text = dockerfile(FLASK, BASES, names=("VITE_TITLE", "TOKEN"))

    assert "ARG VITE_TITLE\n" in text
    assert "TOKEN" not in text


@pytest.mark.parametrize(
    ("asked", "tag"),
    [
        ("", "22"),
        (">=20", "22"),
        ("^18 || ^20", "20"),
        ("20.11.1", "20.11.1"),
        ("lts/krypton", "24"),
    ],
)
def test_the_version_a_project_asks_for_is_in_the_name_of_its_base(asked: str, tag: str) -> None:
    plan = replace(
        FLASK, family=Family.NODE, toolchains=(Toolchain(name="node", version=asked),), build=()
    )

    assert base(plan, BASES) == f"js:{tag}"


def test_a_procfile_alone_begins_from_a_plain_image() -> None:
    assert base(Plan(family=Family.PROCFILE), BASES) == "plain"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\\\n", '"\n', "$\n", "\u2028", "\x0b"])
def test_b01_a_value_is_never_an_instruction(end: str) -> None:
    plan = replace(FLASK, env={"A": f"x{end}RUN touch /mark"})

    text = dockerfile(plan, BASES)

    assert not [line for line in text.split("\n") if line.startswith("RUN touch")]
