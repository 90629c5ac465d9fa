"""`moonq test --cov-diff`: coverage of the lines that changed since a revision."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

BANK = """\
local bank = {}

function bank.charge(cents)
  return cents
end

return bank
"""
REFUND = """\
function bank.refund(cents)
  local fee = 1
  return fee - cents
end

return bank
"""
TEST = """\
it("charges", function()
  eq(require("bank").charge(5), 5)
end)
"""
ALSO = """
it("refunds", function()
  eq(require("bank").refund(5), -4)
end)
"""


def git(*words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], check=True, capture_output=True)


@pytest.fixture
def repository(shop: Any) -> Any:
    """A project that is committed on the branch `main`."""
    shop.write("bank.lua", BANK)
    shop.tests(TEST)
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "first")
    return shop


def refund(shop: Any) -> None:
    shop.write("bank.lua", BANK.replace("return bank\n", REFUND))


def table(said: Any) -> dict[str, list[str]]:
    """The cells of the table, by file."""
    return {row.split()[0]: row.split()[1:] for row in said.out.splitlines() if "." in row}


def test_lines_that_are_not_covered_are_named(repository: Any) -> None:
    refund(repository)
    said = repository.run("--cov-diff")
    assert "lines that changed since HEAD" in said.out
    assert table(said)["bank.lua"] == ["4", "2", "50.0", "8-9"]


def test_the_minimum_is_about_changed_lines_alone(repository: Any) -> None:
    refund(repository)
    said = repository.run("--cov-diff", "--cov-min", 90)
    assert (said.code, "✗ below 90" in said.out) == (10, True)
    repository.tests(TEST + ALSO)
    assert repository.run("--cov-diff", "--cov-min", 90).code == 0
    assert repository.run("--cov-min", 90).code == 10


def test_without_a_change_nothing_is_uncovered(repository: Any) -> None:
    said = repository.run("--cov-diff", "HEAD", "--cov-min", 100)
    assert (said.code, said.out.split()[-2:]) != (10, [])
    assert "process.lua" not in said.out


def test_a_file_that_git_does_not_know_counts_as_a_whole(repository: Any) -> None:
    index = repository.folder / "_index.yaml"
    more = "  - {name: new, kind: library.lua, source: 'file://new file.lua'}\n"
    index.write_text(index.read_text() + more)
    repository.write("new file.lua", BANK)
    said = repository.run("--cov-diff")
    assert "new file.lua" in said.out
    assert "never loaded" in said.out


def test_what_was_committed_since_a_branch_was_left_counts(repository: Any) -> None:
    git("checkout", "-qb", "refunds")
    refund(repository)
    git("commit", "-qam", "second")
    git("checkout", "-q", "main")
    repository.write("process.lua", "return function() end\n")
    git("commit", "-qam", "third")
    git("checkout", "-q", "refunds")
    said = repository.run("--cov-diff", "main")
    assert "bank.lua" in table(said)
    assert "process.lua" not in table(said)
    assert "bank.lua" not in table(repository.run("--cov-diff"))


def test_a_project_below_the_top_of_its_repository_is_found(
    repository: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "below").mkdir()
    for name in ("_index.yaml", "bank.lua", "process.lua", "test"):
        git("mv", name, f"below/{name}")
    git("commit", "-qm", "moved")
    monkeypatch.chdir(tmp_path / "below")
    (tmp_path / "below" / "bank.lua").write_text(BANK.replace("return bank\n", REFUND))
    assert table(repository.run("--cov-diff"))["bank.lua"][-1] == "8-9"


def test_a_revision_that_is_not_there_is_wrong_usage(repository: Any) -> None:
    said = repository.run("--cov-diff", "nix")
    assert (said.code, "git knows no revision 'nix'" in said.err) == (2, True)


def test_a_folder_without_a_repository_is_wrong_usage(shop: Any) -> None:
    shop.tests(TEST)
    said = shop.run("--cov-diff")
    assert (said.code, "is in no repository of git" in said.err) == (2, True)


def test_what_stands_behind_it_may_be_a_test(repository: Any) -> None:
    said = repository.run("--cov-diff", "test/shop_test.lua")
    assert (said.code, "since HEAD" in said.out) == (0, True)
