"""Functions of other libraries that are wrong for us cannot come in; diff-diff stays behind its adapter."""

import ast
import subprocess
import sys

import pytest

ADAPTER = "toolkit/models/diff_diff_adapter.py"
BANNED = [
    "from diff_diff import HonestDiD",
    "from diff_diff import compute_honest_did",
    "import diff_diff\n    return diff_diff.HonestDiD()",
    "import diff_diff as library\n    return library.DeltaRM(1.0)",
    "from diff_diff.honest_did import HonestDiD",
    "from diff_diff import honest_did",
    "from diff_diff import load_mpdta",
    "from diff_diff.datasets import load_castle_doctrine",
    "import diff_diff\n    return diff_diff.load_dataset('mpdta')",
    "import pyfixest\n    return pyfixest.event_study(data, estimator='saturated', xfml='x')",
    "from pyfixest.did.saturated_twfe import SaturatedEventStudy",
    "from pyfixest.did.estimation import event_study",
]
ALLOWED = ["from diff_diff import SunAbraham", "from pyfixest import feols"]


def lint(checkout, code, rule, name):
    """Return what ruff says about a file of this name with this code."""
    command = [sys.executable, "-m", "ruff", "check", "--select", rule, "--output-format", "concise"]
    command += ["--no-cache", "--stdin-filename", name, "-"]
    run = subprocess.run(command, input=code, capture_output=True, text=True, cwd=checkout, check=False)
    return run.stdout


def inside_functions(snippets):
    return "\n\n".join(f"def f{number}(data):\n    {snippet}" for number, snippet in enumerate(snippets))


@pytest.mark.parametrize("name", [ADAPTER, "toolkit/effects/robustness.py", "tests/effects/test_x.py"])
def test_wrong_functions_of_other_libraries_are_refused_by_the_linter_everywhere(checkout, name):
    found = lint(checkout, inside_functions(BANNED), "TID251", name).splitlines()
    lines = {int(line.split(":")[1]) for line in found if "TID251" in line}
    code = inside_functions(BANNED)
    starts = [number for number, line in enumerate(code.splitlines(), 1) if line.startswith("def ")]
    hit = [any(start < line <= start + 2 for line in lines) for start in starts]
    assert [snippet for snippet, own in zip(BANNED, hit, strict=True) if not own] == []


def test_the_linter_lets_the_functions_pass_that_are_right(checkout):
    assert "TID251" not in lint(checkout, inside_functions(ALLOWED), "TID251", ADAPTER)


def test_diff_diff_at_the_top_of_a_module_is_refused_by_the_linter(checkout):
    assert "TID253" in lint(checkout, "from diff_diff import SunAbraham\n", "TID253", ADAPTER)


def test_only_the_adapter_imports_diff_diff_and_nothing_imports_pyfixest(checkout):
    importers = set()
    for path in sorted((checkout / "toolkit").rglob("*.py")):
        code = path.read_text(encoding="utf-8")
        if "diff_diff" not in code and "pyfixest" not in code:
            continue
        for node in ast.walk(ast.parse(code)):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            importers |= {
                (name.split(".")[0], path.relative_to(checkout).as_posix())
                for name in names
                if name.split(".")[0] in {"diff_diff", "pyfixest"}
            }
    assert importers == {("diff_diff", ADAPTER)}
