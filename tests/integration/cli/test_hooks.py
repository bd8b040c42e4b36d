"""Push hooks from the command line."""

import json

from tests.integration.cli import test_commands
from tests.integration.cli.test_commands import World

world, shop = test_commands.world, test_commands.shop


def test_a_hook_is_made_shown_rotated_and_deleted(shop: World) -> None:
    made = json.loads(shop.run("hook", "create", "gitlab", "--json"))
    said = shop.run("hook", "create", "github").split()
    listed = json.loads(shop.run("hook", "list", "--json"))
    table = shop.run("hook", "list")

    assert said[0] == "URL"
    assert said[1].startswith(f"{shop.settings.web_address}/webhooks/github/")
    assert said[2] == "Secret"
    assert [one["provider"] for one in listed] == ["gitlab", "github"]
    assert all(one["id"] in table for one in listed)
    assert shop.run("hook", "rotate", made["id"]).strip() != made["secret"]
    assert shop.run("hook", "delete", made["id"]) == "The hook is removed.\n"
    assert "There is no such hook." in shop.run("hook", "deliveries", made["id"], code=5)
    assert json.loads(shop.run("hook", "deliveries", listed[1]["id"], "--json")) == []


def test_pushes_are_paused_and_resumed(shop: World) -> None:
    assert "Pushes deploy nothing to production now." in shop.run("hook", "pause")
    assert "The next push deploys to production." in shop.run("hook", "resume")


def test_a_forge_nobody_knows_is_refused(shop: World) -> None:
    assert "github" in shop.run("hook", "create", "sourcehut", code=1)
