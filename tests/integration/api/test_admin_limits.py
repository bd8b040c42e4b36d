"""The limits in force, told to administrators: in the settings' words, and without a secret."""

from pathlib import Path
from typing import Any

import pytest

from autostack.core.settings import Settings
from autostack.features.accounts import limits
from tests.integration.api.conftest import Account

SECRET = "the-secret-of-this-platform"
HIDDEN = {name for name, field in Settings.model_fields.items() if not field.repr}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path,
        login_rate="1000/minute",
        register_rate="1000/minute; 5000/hour",
        registration="open",
        source_limit_mb=7,
        watch_seconds=1.5,
        edge_port=1,
        secret_key=SECRET,
        smtp_url=f"smtp+plain://somebody:{SECRET}@127.0.0.1:9",
        redis_url=None,
        oauth_github_id="id",
        oauth_github_secret=SECRET,
        oidc_issuer="https://sso.example.com",
        oidc_id="id",
        oidc_secret=SECRET,
    )


async def shown(ada: Account) -> dict[str, Any]:
    answer = await ada.client.get("/admin/limits")
    assert answer.status_code == 200, answer.text
    return {one["setting"]: one for one in answer.json()["items"]}


async def test_each_limit_has_its_setting_its_value_and_a_sentence(ada: Account) -> None:
    found = await shown(ada)

    assert found["AUTOSTACK_REGISTER_RATE"] == {
        "setting": "AUTOSTACK_REGISTER_RATE",
        "about": "Registrations from one address.",
        "value": "1000/minute; 5000/hour",
        "unit": None,
        "is_default": False,
    }
    assert found["AUTOSTACK_REGISTRATION"]["value"] == "open"
    source = found["AUTOSTACK_SOURCE_LIMIT_MB"]
    assert (source["value"], source["unit"]) == (7, "MB")
    watched = found["AUTOSTACK_WATCH_SECONDS"]
    assert (watched["value"], watched["unit"], watched["is_default"]) == (1.5, "seconds", False)
    slots = found["AUTOSTACK_BUILD_SLOTS"]
    assert (slots["value"], slots["is_default"]) == (2, True)
    assert found["AUTOSTACK_DISK_FLOOR_MB"]["value"] is None


async def test_each_sentence_is_the_first_of_what_the_settings_say(ada: Account) -> None:
    found = await shown(ada)

    for name in limits.NAMES:
        about = found[f"AUTOSTACK_{name.upper()}"]["about"]
        assert about.endswith(".")
        assert (Settings.model_fields[name].description or "").startswith(about)
    assert len(found) == len(limits.NAMES)


async def test_no_secret_and_no_address_is_among_them(ada: Account) -> None:
    answer = await ada.client.get("/admin/limits")

    assert {"secret_key", "smtp_url", "redis_url", "oidc_secret"} <= HIDDEN
    assert HIDDEN.isdisjoint(limits.NAMES)
    assert [name for name in limits.NAMES if name.endswith(("_url", "_id", "_key", "home"))] == []
    assert SECRET not in answer.text
    assert "://" not in answer.text
