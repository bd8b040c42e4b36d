"""Trees of threats G23, G27, G34, B28: decided over the whole list."""

import pytest

from autostack.drivers.sources.tree import Entry, Kind, TreeLimits, check_entries, check_links
from autostack.engine.errors import RepositoryTooLarge, TreeRefused

LIMITS = TreeLimits(size=1000, entries=10)


def entries(*paths: str, kind: Kind = Kind.FILE) -> list[Entry]:
    return [Entry(path=path, kind=kind, size=1) for path in paths]


@pytest.mark.parametrize(
    "path",
    ["/etc/cron.d/x", "../x", "a/../../x", "a//b", "a/./b", "", "a\0b", "a/", "x" * 300],
)
def test_b28_a_name_outside_the_tree_is_refused(path: str) -> None:
    with pytest.raises(TreeRefused):
        check_entries(entries(path), LIMITS)


@pytest.mark.parametrize("path", [".git/config", ".GIT/config", "a/.Git/hooks/post-checkout"])
def test_g27_a_git_directory_inside_the_tree_is_refused(path: str) -> None:
    with pytest.raises(TreeRefused):
        check_entries(entries(path), LIMITS)


@pytest.mark.attack("G38")
def test_g38_g39_odd_names_are_only_names() -> None:
    names = ["-rf", "a\nb", "$(touch x)", "%s", "*", " ", "\udcff", "readme.md", "README.md"]

    check_entries(entries(*names), LIMITS)


def test_b28_a_file_below_a_link_is_refused() -> None:
    tree = [Entry(path="a", kind=Kind.LINK), *entries("a/b")]

    with pytest.raises(TreeRefused, match="also a folder"):
        check_entries(tree, LIMITS)


def test_b28_the_same_name_twice_is_refused() -> None:
    with pytest.raises(TreeRefused, match="twice"):
        check_entries(entries("a", "a"), LIMITS)


def test_g34_a_tree_is_measured_before_it_is_written() -> None:
    with pytest.raises(RepositoryTooLarge):
        check_entries([Entry(path="a", kind=Kind.FILE, size=1001)], LIMITS)
    with pytest.raises(TreeRefused, match="more than 10"):
        check_entries(entries(*map(str, range(11))), LIMITS)


@pytest.mark.parametrize(
    "links",
    [
        {"Procfile": "/etc/passwd"},
        {"package.json": "../../../other"},
        {"a": ".."},
        {"a/b": "../.."},
        # `deep/l` leads to the root, so `deep/l/..` is outside although it reads as `deep`.
        {"deep/l": "..", "m": "deep/l/.."},
        {"a": "b", "b": "c", "c": ".."},
        {"d": "x/../../..", "x": "y/z"},
    ],
)
def test_g23_a_link_out_of_the_tree_is_refused(links: dict[str, str]) -> None:
    with pytest.raises(TreeRefused):
        check_links(links)


@pytest.mark.parametrize(
    "links",
    [
        {"a": "b"},
        {"a/b/c": "../../d"},
        {"a": "missing/file"},
        {"deep/l": "..", "m": "deep/l/x"},
        {"a": "."},
    ],
)
def test_a_link_inside_the_tree_is_taken(links: dict[str, str]) -> None:
    check_links(links)


def test_a_circle_of_links_is_refused_and_ends() -> None:
    with pytest.raises(TreeRefused, match="circle"):
        check_links({"a": "b", "b": "a/a"})
