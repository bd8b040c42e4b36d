"""Version ranges as repositories write them."""

import pytest

from autostack.drivers.builders.ranges import node_allows, parse, python_allows


@pytest.mark.parametrize(
    ("wanted", "yes", "no"),
    [
        ("", "3.11.7", None),
        ("3", "3.11.7", "2.7.1"),
        ("3.11", "3.11.7", "3.12.0"),
        ("3.11.7", "3.11.7", "3.11.8"),
        (">=3.10,<3.13", "3.12.9", "3.13.0"),
        (">=3.9, !=3.11.*", "3.12.1", "3.11.7"),
        ("==3.11.*", "3.11.1", "3.12.1"),
        ("~=3.11", "3.12.1", "3.10.9"),
        ("~=3.11.2", "3.11.9", "3.12.0"),
        ("^3.10", "3.12.0", "3.9.1"),
        ("~3.10", "3.10.4", "3.11.0"),
        (">3.10", "3.11.0", "3.9.0"),
        ("<=3.12", "3.12.0", "3.12.1"),
        ("*", "3.11.7", None),
        (">=2.7 || >=3.6", "3.11.7", None),
        ("nonsense", None, "3.11.7"),
    ],
)
def test_python_ranges(wanted: str, yes: str | None, no: str | None) -> None:
    assert yes is None or python_allows(wanted, parse(yes))
    assert no is None or not python_allows(wanted, parse(no))


@pytest.mark.parametrize(
    ("wanted", "yes", "no"),
    [
        ("", "20.1.0", None),
        ("lts/*", "24.0.0", None),
        ("lts/iron", "20.9.1", "22.0.0"),
        ("v20.11.1", "20.11.1", "20.11.2"),
        ("20", "20.11.1", "21.0.0"),
        ("20.x", "20.11.1", "18.0.0"),
        (">=18", "24.0.0", "16.1.0"),
        (">= 18 < 23", "22.1.0", "24.0.0"),
        (">18", "20.0.0", "18.9.0"),
        ("^18.12.0 || >=20", "18.19.0", "19.0.0"),
        ("~20.10", "20.10.9", "20.11.0"),
        ("18 - 20", "20.9.0", "21.0.0"),
        ("^20.19.0", "20.19.4", "20.18.0"),
        ("<=20", "20.19.0", "21.0.0"),
        ("bogus", None, "20.0.0"),
    ],
)
def test_node_ranges(wanted: str, yes: str | None, no: str | None) -> None:
    assert yes is None or node_allows(wanted, parse(yes))
    assert no is None or not node_allows(wanted, parse(no))
