"""What a delivery leads to, in the words people read."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.datastructures import Headers

from autostack.features.webhooks import payloads
from autostack.features.webhooks.decisions import Decision, Target, decide
from autostack.models.hook import Outcome, Provider

SHA = "5f" * 20
TARGET = Target(
    repo_url="https://git.example.com/ada/shop.git", environment="production", branch="main"
)
REPOSITORY = {"full_name": "ada/shop", "clone_url": TARGET.repo_url, "default_branch": "trunk"}
PUSH = {
    "ref": "refs/heads/main",
    "after": SHA,
    "repository": REPOSITORY,
    "commits": [{"id": "1", "message": "old"}, {"id": SHA, "message": "new"}],
}


def read(payload: dict[str, Any], **headers: str) -> payloads.Told:
    named = {"x-github-event": "push", **headers}
    return payloads.read(Provider.GITHUB, Headers(named), json.dumps(payload).encode())


def decided(target: Target = TARGET, **changes: object) -> Decision:
    return decide(read({**PUSH, **changes}), target)


def test_a_push_to_the_branch_an_environment_follows_deploys_it() -> None:
    decision = decided()

    assert (decision.outcome, decision.branch) == (Outcome.DEPLOYED, "main")


def test_an_environment_without_a_branch_follows_the_repositorys_own() -> None:
    target = replace(TARGET, branch=None)

    assert decided(target, ref="refs/heads/trunk").branch == "trunk"
    assert decided(target).words == "production follows trunk; this push is for main."


def test_nothing_is_guessed_about_a_default_branch_nobody_named() -> None:
    repository = {**REPOSITORY, "default_branch": None}

    decision = decided(replace(TARGET, branch=None), repository=repository)

    assert decision.outcome is Outcome.IGNORED
    assert "does not name it" in decision.words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ref": "refs/heads/dev"}, "production follows main; this push is for dev."),
        ({"ref": "refs/tags/v1"}, "The tag v1 deploys nothing; only branches do."),
        ({"ref": "refs/pull/1/head"}, "This push is for no branch that could be deployed."),
        ({"after": "0" * 64}, "The branch main was deleted; what runs goes on."),
        ({"ref": "main"}, "This push cannot be read: it names no ref."),
        ({"repository": []}, "This push cannot be read: it names no repository."),
    ],
)
def test_what_deploys_nothing_says_why(changes: dict[str, Any], words: str) -> None:
    decision = decided(**changes)

    assert (decision.outcome, decision.words) == (Outcome.IGNORED, words)


@pytest.mark.parametrize("mark", ["[skip deploy]", "[Skip CI]", "[ci skip]", "[no ci]"])
def test_a_commit_may_ask_not_to_be_deployed(mark: str) -> None:
    decision = decided(commits=[{"id": SHA, "message": f"Typo {mark}"}])

    assert (decision.outcome, decision.words) == (
        Outcome.IGNORED,
        f"The commit's message says {mark}.",
    )


def test_only_the_commit_the_branch_is_at_may_ask_so() -> None:
    older = [{"id": "1", "message": "[skip ci]"}, {"id": SHA, "message": "new"}]

    assert decided(commits=older).outcome is Outcome.DEPLOYED
    assert decided(commits=older, head_commit={"message": "[skip ci]"}).outcome is Outcome.IGNORED


def test_a_paused_environment_says_since_when() -> None:
    decision = decided(replace(TARGET, paused="since the rollback by ada@example.com"))

    assert decision.outcome is Outcome.PAUSED
    assert decision.words == (
        "Automatic deployments of production are paused since the rollback by ada@example.com."
    )


def test_githubs_form_is_read_too() -> None:
    body = urlencode({"payload": json.dumps(PUSH)}).encode()
    headers = Headers(
        {"x-github-event": "push", "content-type": "application/x-www-form-urlencoded"}
    )

    decision = decide(payloads.read(Provider.GITHUB, headers, body), TARGET)

    assert decision.outcome is Outcome.DEPLOYED


def test_gitlab_and_gitea_say_the_same_in_their_words() -> None:
    lab = {
        "ref": "refs/heads/main",
        "after": SHA,
        "project": {"git_ssh_url": "git@git.example.com:Ada/shop.git"},
    }
    for_lab = Headers({"x-gitlab-event": "Push Hook"})
    for_tea = Headers({"x-gitea-event": "push"})

    gitlab = payloads.read(Provider.GITLAB, for_lab, json.dumps(lab).encode())
    gitea = payloads.read(Provider.GITEA, for_tea, json.dumps(PUSH).encode())

    assert decide(gitlab, TARGET).outcome is Outcome.DEPLOYED
    assert decide(gitea, TARGET).outcome is Outcome.DEPLOYED


def test_a_delivery_without_an_id_is_known_by_its_content() -> None:
    key = payloads.key_of(Provider.GITHUB, Headers(), b"{}")

    assert key.startswith("sha256:")
    assert key != payloads.key_of(Provider.GITHUB, Headers(), b"{ }")
