"""`toolkit.share`: the checkout first, then the package; and where a user's files belong."""

import pytest

from toolkit import share
from toolkit.errors import InputError


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return the folder of a package that is installed outside any checkout."""
    package = tmp_path / "site-packages" / "toolkit"
    (package / "_share" / "notebooks").mkdir(parents=True)
    monkeypatch.setattr(share, "PACKAGE", package)
    return package


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_a_checkout_is_found_by_its_own_files(checkout):
    assert share.project_root() == checkout
    assert share.share_path("pyproject.toml") == checkout / "pyproject.toml"


def test_an_installed_package_uses_its_own_copy(installed):
    assert share.project_root() is None
    assert share.share_path("notebooks") == installed / "_share" / "notebooks"


def test_a_missing_file_is_named_in_both_languages(installed):
    with pytest.raises(InputError, match=r"缺少(.|\n)*missing: .*nothing\.xlsx"):
        share.share_path("data", "nothing.xlsx")


def test_the_workspace_of_a_checkout_is_the_checkout_wherever_one_stands(checkout, elsewhere):
    assert share.workspace() == checkout


def test_without_checkout_the_workspace_has_its_default_name(installed, elsewhere):
    assert share.workspace() == elsewhere / "junheng-work"


def test_a_marked_workspace_is_recognised_from_any_folder_inside_it(installed, elsewhere, monkeypatch):
    share.mark_workspace(elsewhere / "我的 work")
    inside = elsewhere / "我的 work" / "results"
    inside.mkdir()
    monkeypatch.chdir(inside)
    assert share.workspace() == elsewhere / "我的 work"


def test_a_named_workspace_comes_first(installed, elsewhere, monkeypatch, tmp_path):
    share.mark_workspace(elsewhere)
    monkeypatch.setenv(share.WORKSPACE_VARIABLE, str(tmp_path / "named"))
    assert share.workspace() == tmp_path / "named"


def test_a_relative_path_starts_at_the_workspace_then_at_the_checkout(checkout, elsewhere, monkeypatch):
    monkeypatch.setenv(share.WORKSPACE_VARIABLE, str(elsewhere))
    assert share.resolve_path("pyproject.toml") == checkout / "pyproject.toml"
    (elsewhere / "pyproject.toml").touch()
    assert share.resolve_path("pyproject.toml") == elsewhere / "pyproject.toml"
    assert share.resolve_path("new.xlsx") == elsewhere / "new.xlsx"
    assert share.resolve_path(elsewhere / "a.xlsx") == elsewhere / "a.xlsx"
