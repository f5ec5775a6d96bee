import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.notebooks.cells import small_county
from tests.reporting.pages import code, write
from toolkit.reporting import kernel_preload, warm_kernel
from toolkit.reporting.execute import execute_notebook
from toolkit.reporting.kernel import kernel_environment, start_warm_server, stop_warm_servers
from toolkit.reporting.kernel_server import KernelRequest, read_request, thread_count
from toolkit.reporting.notebook import read_notebook
from toolkit.reporting.notebook_failure import NotebookError
from toolkit.reporting.warm_server import (
    MOST_SERVERS,
    MOST_STARTS,
    SERVERS,
    Servers,
    WarmKernel,
    WarmKernelError,
)
from toolkit.share import share_path

PARAMETERS = code("x: int = 1", "parameters")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
PYPLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"


class FakeServer:
    """A server that imports nothing."""

    def __init__(self, environment):
        self.environment = environment
        self.alive = True

    def is_alive(self):
        return self.alive

    def stop(self):
        self.alive = False


@pytest.fixture
def servers(monkeypatch):
    monkeypatch.setattr("toolkit.reporting.warm_server.WarmServer", FakeServer)
    return Servers()


@pytest.fixture
def warm(monkeypatch):
    monkeypatch.setenv("JUNHENG_WARM_KERNELS", "1")


@pytest.fixture(autouse=True)
def figures_are_shown_in_cells(monkeypatch):
    """Let kernels choose how figures are drawn, as outside tests."""
    monkeypatch.delenv("MPLBACKEND", raising=False)


@pytest.fixture(scope="module", autouse=True)
def no_server_is_left():
    yield
    stop_warm_servers()


def run(folder, *sources, name="01_x", **options):
    """Execute cells and return what each printed."""
    path = write(folder / f"{name}.ipynb", PARAMETERS, *(code(source) for source in sources))
    executed = read_notebook(execute_notebook(path, {}, folder / name, **options))
    printed = [
        [output.text for output in cell.outputs if output.get("name") == "stdout"]
        for cell in executed.cells[-len(sources) :]
    ]
    return ["".join(texts) for texts in printed]


def eventually(condition, seconds=10.0):
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    return condition()


def gone(pid):
    """Whether a process has ended; one that nobody reaped has ended too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def the_server():
    return SERVERS.get(kernel_environment())


@pytest.mark.parametrize(
    ("platform", "switch", "wanted"),
    [
        ("linux", "", True),
        ("linux", "0", False),
        ("darwin", "", False),
        ("darwin", "1", True),
        ("win32", "1", False),
    ],
)
def test_kernels_are_warm_on_linux_and_on_macos_when_asked_for(monkeypatch, platform, switch, wanted):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("JUNHENG_WARM_KERNELS", switch)
    assert warm_kernel.warm_kernels_wanted() is wanted


def test_a_request_arrives_as_it_was_sent():
    request = KernelRequest(
        (("名 = 1\n名", False), ("1 / 0", True)), {"名": "值\n二行", "BYTES": "\udcff"}, "/tmp/区"
    )
    assert request.line().count(b"\n") == 1
    assert read_request(request.line()) == request


@pytest.fixture
def spoken_to():
    """Return a kernel as its owner has it, and the end on which it tells."""
    ours, theirs = socket.socketpair()
    kernel = WarmKernel(ours)
    yield kernel, theirs
    theirs.close()
    kernel.close()


def test_a_line_that_was_cut_off_is_no_answer(spoken_to):
    kernel, theirs = spoken_to
    theirs.sendall(b'{"reply": "\xe5\x9d')
    theirs.sendall(b'\x87"}\n{"reply": "\xe5')
    theirs.sendall(b"\nended -9\n")
    assert kernel.answer(1) == {"reply": "均"}
    assert kernel.answer(1) is None
    assert kernel.answer(1) is None


def test_a_kernel_whose_server_is_gone_has_ended(spoken_to):
    kernel, theirs = spoken_to
    theirs.close()
    assert kernel.answer(1) is None


def test_a_kernel_that_tells_nothing_is_waited_for_as_long_as_said(spoken_to):
    kernel, theirs = spoken_to
    theirs.sendall(b'{"reply": ')
    with pytest.raises(TimeoutError, match="within 0 s"):
        kernel.answer(0.05)
    theirs.sendall(b"1}\n")
    assert kernel.answer(1) == {"reply": 1}


def test_kernels_of_one_environment_share_a_server(servers):
    first = servers.get({"A": "1", "IPYTHONDIR": "x", "JUNHENG_WORKSPACE": "x"})
    assert servers.get({"A": "1", "IPYTHONDIR": "y", "JPY_PARENT_PID": "3"}) is first
    assert first.environment == {"A": "1"}


@pytest.mark.slow
def test_no_import_reads_a_variable_of_junheng():
    program = (
        "import os, sys\n"
        "class Watched(dict):\n"
        "    def get(self, name, default=None):\n"
        "        assert not str(name).startswith('JUNHENG_'), name\n"
        "        return dict.get(self, name, default)\n"
        "    __getitem__ = get\n"
        "os.environ = Watched(os.environ)\n"
        "from toolkit.reporting.kernel_preload import notebook_imports\n"
        "import importlib\n"
        "for name, _ in notebook_imports():\n"
        "    importlib.import_module(name)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(share_path("notebooks")).parent)


@pytest.mark.parametrize("name", ["PYTHONHASHSEED", "OMP_NUM_THREADS", "PYTHONPATH", "TZ", "MPLBACKEND"])
def test_another_environment_gets_a_server_of_its_own(servers, name):
    first = servers.get({name: "1"})
    other = servers.get({name: "2"})
    assert other is not first
    assert other.environment == {name: "2"}


def test_environments_without_end_do_not_fill_the_memory(servers):
    for value in range(MOST_SERVERS):
        servers.get({"A": str(value)})
    with pytest.raises(WarmKernelError, match=f"{MOST_SERVERS} different environments already"):
        servers.get({"A": "another"})


def test_a_server_that_died_is_replaced_a_few_times(servers):
    for _ in range(MOST_STARTS):
        servers.get({}).stop()
    with pytest.raises(WarmKernelError, match=f"started {MOST_STARTS} times"):
        servers.get({})


def test_threads_that_ask_at_once_get_one_server(servers):
    got = []
    threads = [threading.Thread(target=lambda: got.append(servers.get({}))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(server) for server in got}) == 1


def test_a_reason_is_told_once(caplog):
    warm_kernel.tell_once.cache_clear()
    for _ in range(3):
        warm_kernel.tell_once("没有预热进程\nno warm process")
    assert [record.message for record in caplog.records] == ["没有预热进程\nno warm process"]


def test_what_notebooks_import_is_known():
    modules = {name for name, _ in kernel_preload.notebook_imports()}
    assert "toolkit.reporting.study" in modules
    for path in share_path("notebooks").glob("*.ipynb"):
        cells = [cell for cell in read_notebook(path).cells if "imports" in cell.metadata.get("tags", ())]
        assert len(cells) == 1, path.name


def test_threads_are_counted():
    before = thread_count()
    event = threading.Event()
    thread = threading.Thread(target=event.wait)
    thread.start()
    assert thread_count() == before + 1
    event.set()
    thread.join()


@contextmanager
def switched(value):
    before = os.environ.get("JUNHENG_WARM_KERNELS")
    os.environ["JUNHENG_WARM_KERNELS"] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ["JUNHENG_WARM_KERNELS"]
        else:
            os.environ["JUNHENG_WARM_KERNELS"] = before


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    """Return what the same cells print in a plain and in a warm kernel."""
    folder = tmp_path_factory.mktemp("kernels")

    def both(*sources):
        with switched("0"):
            plain = run(folder, *sources, name="plain")
        with switched("1"):
            warm = run(folder, *sources, name="warm")
        return plain, warm

    return both


@pytest.fixture
def own_servers(monkeypatch):
    """Start servers that end with the test."""
    servers = Servers()
    monkeypatch.setattr(warm_kernel, "SERVERS", servers)
    yield servers
    servers.stop()


def addition(folder, monkeypatch, source):
    """Let every Python that is started from now on run a line first."""
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(source, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder / "site"))


STATE = """
import gc, json, locale, logging, multiprocessing, os, signal, sys, threading, time, warnings
import matplotlib, numpy, pandas
from pandas._config.config import _registered_options as OPTIONS
print(json.dumps({
    "rcParams": {name: repr(dict.__getitem__(matplotlib.rcParams, name)) for name in matplotlib.rcParams},
    "pandas": {name: repr(pandas.get_option(name)).lower() for name in OPTIONS},
    "pandas defaults": {name: repr(option.defval).lower() for name, option in OPTIONS.items()},
    "numpy": [repr(numpy.get_printoptions()), repr(numpy.geterr())],
    "warnings": [repr(entry) for entry in warnings.filters],
    "loggers": {
        name: (logger.level, logger.propagate, len(logger.handlers), logger.disabled)
        for name, logger in sorted(logging.root.manager.loggerDict.items())
        if isinstance(logger, logging.Logger) and not name in ("IPKernelApp", "CellsApp", "tornado")
    },
    "root": (logging.root.level, len(logging.root.handlers)),
    "environment": {name: value for name, value in os.environ.items() if not name in OWN},
    "path": sys.path,
    "arguments": [part for part in sys.argv if part != "-f" and not part.endswith((".json", ":memory:"))],
    "flags": repr(sys.flags),
    "hash": hash("均衡"),
    "signals": [repr(signal.getsignal(number)) for number in range(1, 32)],
    "thread": threading.current_thread().name,
    "process": [multiprocessing.current_process().name, repr(multiprocessing.parent_process())],
    "session": [os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid(), os.umask(0o22)],
    "locale": [locale.setlocale(locale.LC_ALL), time.tzname],
    "collector": [gc.isenabled(), gc.get_threshold()],
    "recursion": sys.getrecursionlimit(),
    "main": repr(sys.modules["__main__"]),
}))
""".replace("OWN", "('IPYTHONDIR', 'JUNHENG_WARM_KERNELS', 'PYTEST_CURRENT_TEST')")
PRELOAD = "from toolkit.reporting.kernel_preload import preload\npreload()"


@pytest.mark.slow
@LINUX
def test_a_warm_kernel_is_a_plain_one_that_has_imported_the_same(tmp_path):
    # Plain kernels have the filters, loggers and fonts of modules only once these are imported.
    # Not equal, and meant so: one's own IPython folder, an open font, 'UTF-8' that pandas calls 'utf-8' when
    # it is imported outside a kernel, and everything by which a plain kernel is spoken to: its connection
    # file, its threads, the loggers of its sockets, and where nbclient has it keep its history.
    with switched("0"):
        plain = json.loads(run(tmp_path, PRELOAD, STATE, name="plain")[-1])
    with switched("1"):
        warm = json.loads(run(tmp_path, "0", STATE, name="warm")[-1])
    assert plain.keys() == warm.keys()
    for part in plain:
        assert plain[part] == warm[part], part


@pytest.mark.slow
@LINUX
def test_options_of_libraries_do_not_depend_on_where_they_were_imported(kernels):
    plain, warm = (json.loads(text) for (text,) in kernels(STATE))
    for part in ("rcParams", "pandas", "pandas defaults", "numpy", "environment", "path", "hash", "flags"):
        assert plain[part] == warm[part], part


@pytest.mark.slow
@LINUX
def test_a_report_notebook_is_the_same_byte_for_byte_with_all_its_figures(tmp_path):
    workbook = small_county(tmp_path)
    source = share_path("notebooks", "01_data_quality.ipynb")
    executed = {}
    for switch in "01":
        with switched(switch):
            parameters = {"data_path": str(workbook), "results_dir": str(tmp_path / "results")}
            executed[switch] = execute_notebook(source, parameters, tmp_path / "executed").read_bytes()
        shutil.rmtree(tmp_path / "results")
    assert executed["0"] == executed["1"]
    cells = read_notebook(source).cells
    assert executed["1"].count(b"data:image/png") == sum("study.figure(" in cell.source for cell in cells)


SHOWN = (
    "import sys, warnings\nfor n in 1, 2:\n  print(n)\n  print(-n, file=sys.stderr)\nwarnings.warn('w')",
    "from IPython.display import HTML, Image, clear_output, display\nimport pandas as pd",
    "print('名')\ndisplay(HTML('<b>1</b>'), metadata={'a': 1})\nprint('after')\n'result'",
    "display(1, display_id='k')\npd.DataFrame({'a': [1.5, None]})",
    "display(2, display_id='k', update=True)\nImage(data=b'\\x89PNG\\r\\n\\x1a\\n' + bytes(300), width=3)",
    "print('lost')\nclear_output()\nprint('kept')\nclear_output(wait=True)\nprint('instead')",
    "import asyncio\nawait asyncio.sleep(0.01)\n_ = 3\nOut[3]",
    "len(In), __name__, get_ipython().kernel.shell is get_ipython()",
    "class Odd:\n def _repr_html_(self):\n  raise ValueError('no')\n def __repr__(self):\n  return 'odd'",
    "float('nan'), print('x' * 3_000_000)",
    "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'print(5)'], capture_output=True).stdout",
)
FAILING = (
    "1 / 0",
    "def f(:",
    "input('?')",
    "import sys\nsys.exit(2)",
    "raise SystemExit",
    "Odd()",
    "!exit 3\nmissing",
)


@pytest.mark.slow
@LINUX
@pytest.mark.parametrize("failing", FAILING)
def test_every_kind_of_output_is_the_same_in_a_warm_and_in_a_plain_kernel(tmp_path, failing):
    # Not compared: the number of the process, and what was printed first, to one stream or to the other.
    path = write(
        tmp_path / "01_x.ipynb",
        PARAMETERS,
        *(code(source) for source in SHOWN),
        code(failing, "raises-exception"),
        code(failing),
        code("'never'"),
    )
    told, kept = {}, {}
    for switch in "01":
        with switched(switch), pytest.raises(NotebookError) as caught:
            execute_notebook(path, {}, tmp_path / "out")
        told[switch] = str(caught.value)
        kept[switch] = [
            (cell.execution_count, _comparable(cell.outputs))
            for cell in read_notebook(tmp_path / "out" / path.name).cells
            if cell.cell_type == "code"
        ]
    assert told["0"] == told["1"]
    assert kept["0"] == kept["1"]


def _comparable(outputs):
    """Return outputs with what was printed on a stream in one piece, without numbers of processes."""
    text = json.dumps([dict(output) for output in outputs if output.output_type != "stream"])
    printed = {
        name: "".join(output.text for output in outputs if output.get("name") == name)
        for name in ("stdout", "stderr")
    }
    return re.sub(r"ipykernel_\d+/\d+", "", text), {
        name: re.sub(r"ipykernel_\d+/\d+", "", text) for name, text in printed.items()
    }


@pytest.mark.slow
@LINUX
def test_what_other_programs_print_stands_under_its_cell(warm, tmp_path):
    source = "import os, subprocess\nos.write(1, b'a\\n')\n_ = subprocess.run(['echo', 'b'])"
    assert run(tmp_path, source, "print('c')") == ["a\nb\n", "c\n"]


@pytest.mark.slow
@LINUX
def test_a_kernel_killed_while_it_tells_has_died(warm, tmp_path):
    # It gets as far as a part of a line that is longer than what a socket holds.
    source = (
        "import gc, os, socket\n"
        "waiting = [o for o in gc.get_objects() if isinstance(o, socket.socket) and o.getblocking()]\n"
        "(channel,) = waiting\n"
        "channel.sendall(b'{\"reply\": \"' + b'x' * 3_000_000)\n"
        "os.kill(os.getpid(), 9)"
    )
    with pytest.raises(NotebookError, match="ended at"):
        run(tmp_path, source)
    assert run(tmp_path, "print(1)") == ["1\n"]


@pytest.mark.slow
@LINUX
def test_the_imports_of_a_notebook_are_there_before_it_starts(warm, tmp_path):
    imports = "\n".join(
        cell.source
        for path in share_path("notebooks").glob("*.ipynb")
        for cell in read_notebook(path).cells
        if "imports" in cell.metadata.get("tags", ())
    )
    (before, _, added) = run(
        tmp_path,
        "import sys\nprint(len(sys.modules))\nhad = set(sys.modules)",
        imports,
        "print(sorted(set(sys.modules) - had))",
    )
    assert int(before) > 1000
    assert added.strip() == "[]"


@pytest.mark.slow
@LINUX
def test_a_figure_of_pyplot_is_shown_once_wherever_pyplot_was_imported(tmp_path, monkeypatch, request):

    def count(switch, name):
        path = write(tmp_path / f"{name}.ipynb", PARAMETERS, code(PYPLOT), code(PYPLOT))
        with switched(switch):
            executed = execute_notebook(path, {}, tmp_path / name)
        return executed.read_bytes().count(b'"image/png"'), executed.read_bytes()

    plain, warm = count("0", "plain"), count("1", "warm")
    assert plain[0] == warm[0] == 2
    assert plain[1] == warm[1]
    addition(
        tmp_path,
        monkeypatch,
        "import toolkit.reporting.kernel_preload as preload\n"
        "preload.LAZY_MODULES += ('matplotlib_inline.backend_inline', 'matplotlib.pyplot')\n",
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ["PYTHONPATH"], str(Path.cwd())]))
    request.getfixturevalue("own_servers")
    assert count("1", "preloaded") == warm


@pytest.mark.slow
@LINUX
def test_a_server_with_threads_is_refused_and_the_reason_told(
    warm, own_servers, tmp_path, monkeypatch, caplog
):
    warm_kernel.tell_once.cache_clear()
    addition(
        tmp_path,
        monkeypatch,
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n",
    )
    assert run(tmp_path, "print(1 + 1)") == ["2\n"]
    assert "2 threads" in caplog.text


@pytest.mark.slow
@LINUX
def test_the_server_has_one_thread_and_random_numbers_differ_between_kernels(warm, tmp_path):
    draw = "import random, numpy\nprint(random.random(), numpy.random.random())"
    first, second = (run(tmp_path, draw)[0].split() for _ in range(2))
    assert first[0] != second[0]
    assert first[1] != second[1]
    assert len(list(Path(f"/proc/{the_server().pid}/task").iterdir())) == 1


@pytest.mark.slow
@LINUX
@pytest.mark.parametrize(
    "ending", ["os._exit(3)", "os.kill(os.getpid(), 9)", "os.abort()"], ids=["exit", "killed", "aborted"]
)
def test_a_kernel_that_dies_is_noticed_within_seconds(warm, tmp_path, ending):
    started = time.monotonic()
    with pytest.raises(NotebookError, match="ended at"):
        run(tmp_path, f"import os\n{ending}")
    assert time.monotonic() - started < 8
    assert the_server().is_alive()


@pytest.mark.slow
@LINUX
def test_a_cell_that_takes_too_long_is_interrupted_and_not_its_runner(warm, tmp_path):
    caught = []
    before = signal.signal(signal.SIGINT, lambda *_: caught.append(1))
    try:
        with pytest.raises(NotebookError, match="more than 1 seconds"):
            run(tmp_path, "import time\ntime.sleep(30)", timeout_seconds=1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not caught


@pytest.mark.slow
@LINUX
def test_a_kernel_takes_what_it_started_with_it_and_leaves_no_zombie(warm, tmp_path):
    (printed,) = run(
        tmp_path,
        "import os, subprocess\nprint(os.getpid(), subprocess.Popen(['sleep', '60']).pid)",
    )
    kernel, child = map(int, printed.split())
    assert eventually(lambda: gone(child))
    assert eventually(lambda: not Path(f"/proc/{kernel}").exists())


@pytest.mark.slow
@LINUX
def test_kernels_at_the_same_time_share_no_descriptor_and_keep_apart(warm, tmp_path):
    look = (
        "import os, time\n"
        "value = {number}\n"
        "time.sleep(1.5)\n"
        "sockets = sorted(os.readlink(f'/proc/self/fd/{{n}}') for n in os.listdir('/proc/self/fd')\n"
        "    if os.path.islink(f'/proc/self/fd/{{n}}'))\n"
        "print(value, os.environ['OMP_NUM_THREADS'], [s for s in sockets if s.startswith('socket')])"
    )
    printed = {}

    def execute(number):
        printed[number] = run(tmp_path, look.format(number=number), name=f"n{number}")[0]

    threads = [threading.Thread(target=execute, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    of_server = {str(entry.readlink()) for entry in Path(f"/proc/{the_server().pid}/fd").iterdir()}
    opened = [set(json.loads(text.split(maxsplit=2)[2].replace("'", '"'))) for text in printed.values()]
    assert [printed[number].split()[:2] for number in range(3)] == [[str(number), "1"] for number in range(3)]
    assert all(opened)
    assert not opened[0] & opened[1] | opened[1] & opened[2] | opened[0] & opened[2]
    assert not set.union(*opened) & of_server


@pytest.mark.slow
@LINUX
def test_a_server_killed_under_its_kernel_costs_that_notebook_only(warm, tmp_path):
    run(tmp_path, "1")
    victim = the_server().pid
    with pytest.raises(NotebookError, match="ended at"):
        run(tmp_path, f"import os, signal, time\nos.kill({victim}, signal.SIGKILL)\ntime.sleep(20)")
    assert run(tmp_path, "print(1)") == ["1\n"]
    assert the_server().pid != victim


OWNER = """
import sys
from pathlib import Path
from toolkit.reporting.execute import execute_notebook
execute_notebook(Path(sys.argv[1]), {}, Path(sys.argv[2]))
"""


@pytest.mark.slow
@LINUX
def test_a_killed_runner_takes_its_server_and_kernels_with_it(warm, tmp_path):
    noted = tmp_path / "noted"
    source = (
        "import os, time\nfrom pathlib import Path\n"
        f"Path({str(noted)!r}).write_text(f'{{os.getpid()}} {{os.getppid()}}')\ntime.sleep(60)"
    )
    path = write(tmp_path / "01_x.ipynb", PARAMETERS, code(source))
    runner = subprocess.Popen([sys.executable, "-c", OWNER, str(path), str(tmp_path / "out")])
    assert eventually(lambda: noted.exists() and " " in noted.read_text(), 60)
    kernel, server = map(int, noted.read_text().split())
    assert not gone(kernel)
    runner.kill()
    runner.wait()
    assert eventually(lambda: gone(kernel) and gone(server))


def in_a_worker(folder, source):
    """Return what a kernel prints that is started in a worker of joblib, and the worker."""
    return run(Path(folder), source)[0], os.getpid()


@pytest.mark.slow
@LINUX
def test_a_worker_of_joblib_has_warm_kernels_of_its_own(warm, tmp_path):
    from joblib import Parallel, delayed

    source = "import os\nprint(os.getpid(), os.getppid())"
    ((printed, worker),) = Parallel(n_jobs=2)(delayed(in_a_worker)(str(tmp_path), source) for _ in range(1))
    kernel, server = map(int, printed.split())
    assert len({kernel, server, worker, os.getpid()}) == 4


@pytest.mark.slow
@LINUX
def test_a_fork_of_the_runner_starts_its_own_server(warm, tmp_path):
    run(tmp_path, "1")
    server = the_server().pid
    child = os.fork()
    if child == 0:
        own = the_server().pid
        SERVERS.stop()
        os._exit(0 if own != server else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert the_server().pid == server


@pytest.mark.slow
@LINUX
def test_the_server_starts_without_waiting_and_only_once(warm):
    stop_warm_servers()
    started = time.monotonic()
    start_warm_server()
    start_warm_server()
    assert time.monotonic() - started < 0.5
    server = the_server().pid
    stop_warm_servers()
    # Whoever is refused at once does not wait for imports that it no longer needs.
    assert time.monotonic() - started < 2
    assert gone(server)
