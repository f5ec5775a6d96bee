import asyncio
import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.reporting.pages import code, prose, write
from toolkit.errors import ParameterError
from toolkit.reporting import kernel_client
from toolkit.reporting.execute import check_parameters, execute_notebook, notebook_parameters
from toolkit.reporting.notebook import read_notebook
from toolkit.reporting.notebook_failure import NotebookError, without_paths

PARAMETERS = code(
    'code: str = "01"  # 代码\nyear: int = 2024  # 学年\nshare: float = 0.5  # 比例\nfast: bool = False',
    "parameters",
)
HEADS = (prose("# 题\n\n## 一、读数", "zh"), prose("# Title\n\n## 1 Reading", "en"))


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("out{side}")
    source = (
        'import os\nstr([code, year, os.getcwd(), os.environ["OMP_NUM_THREADS"], os.environ["PYTHONUTF8"]])'
    )
    path = write(
        folder / "01_x.ipynb", PARAMETERS, *HEADS, code(source), code("import toolkit; toolkit.__file__")
    )
    before = path.read_bytes()
    runs = [execute_notebook(path, {"code": "0102", "year": 2025}, folder / "scratch") for _ in range(2)]
    contents = [run.read_bytes() for run in runs]
    return folder, contents, before == path.read_bytes()


def outputs(notebook):
    return [output.data["text/plain"] for cell in notebook.cells for output in cell.get("outputs", ())]


def test_a_code_keeps_its_zero_and_the_kernel_works_in_the_scratch_folder(executed):
    folder, _, _ = executed
    answer = outputs(read_notebook(folder / "scratch" / "01_x.ipynb"))[0].strip('"')
    assert answer.startswith("['0102', 2025,")
    assert str(folder / "scratch") in answer
    assert answer.endswith("'1', '1']")


def test_the_kernel_imports_the_same_toolkit(executed):
    folder, _, _ = executed
    answer = outputs(read_notebook(folder / "scratch" / "01_x.ipynb"))[1]
    assert answer == repr(sys.modules["toolkit"].__file__)


def test_two_executions_give_the_same_bytes(executed):
    _, contents, _ = executed
    assert contents[0] == contents[1]
    assert b"papermill" not in contents[0]


def test_the_notebook_itself_is_not_changed(executed):
    assert executed[2]


@pytest.mark.parametrize(
    ("source", "timeout", "expected"),
    [
        (
            "x = 1 / 0",
            60,
            "笔记本“02_x”在“一、读数”处出错\nZeroDivisionError：division by zero\n已运行部分保存在：",
        ),
        ("import time; time.sleep(30)", 1, "笔记本“02_x”在“一、读数”处超过 1 秒未完成\n"),
        ("import os; os._exit(3)", 60, "运行笔记本“02_x”的进程在“一、读数”处意外终止\n常见原因是内存不足\n"),
        ("raise SystemExit(0)", 60, "笔记本“02_x”在“一、读数”处提前结束"),
    ],
    ids=["error", "timeout", "killed", "stopped"],
)
def test_a_failure_is_told_in_three_lines(tmp_path, source, timeout, expected):
    path = write(tmp_path / "02_x.ipynb", PARAMETERS, *HEADS, code(source), code("2"))
    with pytest.raises(NotebookError) as failure:
        execute_notebook(path, {}, tmp_path / "scratch", timeout_seconds=timeout)
    assert failure.value.zh.startswith(expected)
    assert len(failure.value.zh.splitlines()) == len(failure.value.en.splitlines()) == 3
    assert failure.value.exit_code == 4
    assert (tmp_path / "scratch" / "02_x.ipynb").exists()
    assert str(tmp_path) not in failure.value.reason


@pytest.mark.parametrize("source", ["import time; time.sleep(30)", "import os; os._exit(3)"])
def test_a_notebook_that_was_cut_off_names_the_section_in_which_it_was(tmp_path, source):
    later = (prose("## 二、后文", "zh"), prose("## 2 Later", "en"), code("2"))
    path = write(tmp_path / "02_x.ipynb", PARAMETERS, *HEADS, code("1"), code(source), *later)
    with pytest.raises(NotebookError) as failure:
        execute_notebook(path, {}, tmp_path / "scratch", timeout_seconds=1)
    assert failure.value.section == "一、读数"
    left = read_notebook(tmp_path / "scratch" / "02_x.ipynb")
    assert [cell.execution_count for cell in left.cells if cell.source == "1"] == [2]


def test_an_unknown_parameter_stops_before_a_kernel_starts(tmp_path):
    path = write(tmp_path / "02_x.ipynb", PARAMETERS)
    with pytest.raises(ParameterError, match=r"no parameter yaer; it has: code, year, share, fast"):
        execute_notebook(path, {"yaer": 2025}, tmp_path / "scratch")
    assert not (tmp_path / "scratch").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [("code", 102), ("year", "2024"), ("year", 2024.0), ("year", True), ("fast", 1), ("share", "0.5")],
)
def test_a_value_of_another_type_is_refused(tmp_path, name, value):
    path = write(tmp_path / "02_x.ipynb", PARAMETERS)
    with pytest.raises(ParameterError, match=rf"Parameter {name} of notebook '02_x' must be"):
        check_parameters(path, {name: value})


@pytest.mark.parametrize("value", [Path("x"), np.int64(3), (1, 2), {1, 2}, [1, Path("x")]])
def test_a_value_that_json_would_change_is_refused(tmp_path, value):
    path = write(tmp_path / "02_x.ipynb", PARAMETERS)
    with pytest.raises(ParameterError, match="cannot be handed to a notebook unchanged"):
        check_parameters(path, {"year": value})


def test_a_whole_number_is_a_float(tmp_path):
    check_parameters(write(tmp_path / "02_x.ipynb", PARAMETERS), {"share": 1})


@pytest.mark.parametrize("cells", [(), (PARAMETERS, code("x: int = 1", "parameters"))])
def test_a_notebook_has_exactly_one_cell_of_parameters(tmp_path, cells):
    with pytest.raises(ParameterError, match=f"it has {len(cells)}"):
        notebook_parameters(write(tmp_path / "02_x.ipynb", *cells))


def test_paths_are_cut_from_a_reason():
    assert (
        without_paths("no file /home/a/x.xlsx", {"data_path": "/home/a/x.xlsx", "code": "x"})
        == "no file x.xlsx"
    )


def test_a_kernel_that_does_not_listen_yet_is_soon_called_again():
    async def called():
        client = kernel_client._client()(shell_port=9)
        client.start_channels(shell=True, iopub=False, stdin=False, hb=False, control=False)
        try:
            return client.shell_channel.socket.reconnect_ivl
        finally:
            client.stop_channels()

    assert asyncio.run(called()) == kernel_client.RECONNECT_MILLISECONDS


def test_the_unused_grammars_are_never_built():
    # When this fails because jsonschema no longer imports them, take `block_unused_grammars` away.
    program = (
        "import sys\n"
        "from toolkit.reporting.notebook import block_unused_grammars\n"
        "block_unused_grammars()\n"
        "import papermill, nbconvert.exporters\n"
        "print(sys.modules['rfc3987_syntax'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"


def test_jsonschema_still_imports_the_unused_grammars():
    spec = importlib.util.find_spec("jsonschema")
    source = Path(spec.origin).with_name("_format.py").read_text(encoding="utf-8")
    assert "import rfc3987_syntax" in source or "from rfc3987_syntax" in source


def test_papermill_is_imported_in_one_module_only():
    package = Path(sys.modules["toolkit"].__file__).parent
    importers = [
        path.name
        for path in package.rglob("*.py")
        if "import papermill" in path.read_text("utf-8") or "from papermill" in path.read_text("utf-8")
    ]
    assert importers == ["execute.py"]
