"""The process that compiles: what it tells, and that nothing ever hangs on it."""

import os
import subprocess
import sys
import time

import pytest

from napari_usm import METHODS, warm_up

FOREVER = "import time; time.sleep(60)"


@pytest.fixture
def started():
    """A warm-up whose process runs some code instead, ended with the test."""
    made = []

    def start(code):
        made.append(warm_up.WarmUp([sys.executable, "-c", code]))
        made[-1].start("unsharp_mask", "uint16")
        return made[-1]

    yield start
    for each in made:
        each.stop()
        assert each.wait("unsharp_mask", "planes", "uint16", 10)


def test_every_method_of_the_menus_has_calls():
    """A dock's method is in the table; all others count as ready."""
    in_menus = {name for name, entry in METHODS.items() if entry.audience == "menu"}
    assert {method for method, _ in warm_up.CALLS} == in_menus


def test_how_many_kernels_are_expected():
    """Every group of calls has a number, for progress."""
    assert warm_up.KERNELS.keys() == warm_up.CALLS.keys()
    assert min(warm_up.KERNELS.values()) > 0


def test_what_is_wanted_comes_first(monkeypatch, capsys):
    """Every method and type is made ready and told, the wanted ones first."""
    calls = []
    monkeypatch.setattr(warm_up, "make_calls", lambda *key: calls.append(key))
    monkeypatch.setattr(os, "nice", calls.append, raising=False)
    warm_up.main(["float32", "laplacian_sharpen"])
    told = capsys.readouterr().out.splitlines()
    assert calls.pop(0) == 10
    assert told == [" ".join(key) for key in calls]
    assert len(set(told)) == len(warm_up.CALLS) * len(warm_up.DTYPES)
    assert told[0] == "laplacian_sharpen planes float32"
    assert all(line.endswith("float32") for line in told[: len(warm_up.CALLS)])


def test_the_real_process(tmp_path):
    """It counts what it compiles, and does next what is waited for."""
    command = [*warm_up.own_command(), "uint8", "laplacian_sharpen"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    with subprocess.Popen(command, **pipes, env=environment) as process:
        wanted = "laplacian_sharpen planes float32\n"
        lines = [process.stdout.readline()]
        process.stdin.write("nothing of the kind\n" + wanted)
        process.stdin.flush()
        lines += iter(process.stdout.readline, wanted)
        process.terminate()
    ready = lines.index("laplacian_sharpen planes uint8\n")
    counts = [int(line.split()[-1]) for line in lines[:ready]]
    assert counts == [*range(1, ready + 1)]
    expected = warm_up.KERNELS["laplacian_sharpen", "planes"]
    assert 0.5 * expected < ready < 1.5 * expected
    assert all(line.startswith(wanted.strip()) for line in lines[ready + 1 :])


def test_progress(started):
    """Kernels that are done of those to do, with those under way, and seconds left."""
    kernels = started(
        "import time\n"
        "for n in range(1, 21): print('unsharp_mask planes uint8', n, flush=True)\n"
        "print('auto_unsharp_mask planes uint8', 10, flush=True)\n" + FOREVER
    )
    assert kernels.progress("unsharp_mask", "planes", "uint16") is None
    assert not kernels.wait("unsharp_mask", "planes", "uint16", 1)
    done, total, seconds = kernels.progress("unsharp_mask", "planes", "uint8")
    auto = warm_up.KERNELS["auto_unsharp_mask", "planes"]
    planes, volumes = (
        warm_up.KERNELS["unsharp_mask", n] for n in ("planes", "volumes")
    )
    assert (done, total) == (30, planes + auto)
    assert 0 < seconds < 250 / 30 * 5
    waiting = kernels.progress("unsharp_mask", "volumes", "uint8")
    assert waiting[:2] == (10, volumes + auto)
    assert kernels.progress("gaussian_sharpen", "planes", "uint8") is None


def test_what_is_waited_for_is_asked_for(started):
    """Once, in a line of the input."""
    kernels = started(
        "import sys\n"
        "line = sys.stdin.readline()\n"
        "print('unsharp_mask planes uint8' if line == "
        "'auto_unsharp_mask planes float32\\n' else '', flush=True)\n" + FOREVER
    )
    for _ in range(2):
        assert not kernels.wait("auto_unsharp_mask", "planes", "float32", 0.01)
    assert kernels.wait("unsharp_mask", "planes", "uint8", 10)


def test_what_has_been_told_is_ready(started):
    """One line makes one group of calls ready; other types are never waited for."""
    kernels = started(
        "print('a line that means nothing\\nunsharp_mask planes uint8', flush=True); "
        + FOREVER
    )
    assert kernels.wait("unsharp_mask", "planes", "uint8", 10)
    assert not kernels.wait("unsharp_mask", "planes", "uint16", 0.05)
    assert not kernels.is_ready("laplacian_sharpen", "planes", "uint8")
    assert not kernels.is_ready("unsharp_mask", "volumes", "uint8")
    for method, dtype in (("unsharp_mask", "float64"), ("gaussian_sharpen", "uint8")):
        assert kernels.is_ready(method, "planes", dtype)


@pytest.mark.parametrize("code", ["raise SystemExit(1)", "import nothing_of_the_kind"])
def test_a_process_that_dies(started, code):
    """Nobody waits for a process that is gone."""
    assert started(code).wait("unsharp_mask", "planes", "uint16", 10)


@pytest.mark.parametrize("command", [[], [os.path.join("no", "such", "python")]])
def test_a_process_that_cannot_start(command):
    """Without a process everything is ready at once."""
    kernels = warm_up.WarmUp(command)
    kernels.start("unsharp_mask", "uint16")
    assert kernels.is_ready("unsharp_mask", "planes", "uint16")
    assert kernels.wait("unsharp_mask", "planes", "uint16", 0)


@pytest.mark.parametrize(
    ("name", "value"), [("frozen", True), ("executable", ""), ("executable", None)]
)
def test_no_python_to_start(monkeypatch, name, value):
    """A frozen application is not started a second time in the place of Python."""
    monkeypatch.setattr(sys, name, value, raising=False)
    assert warm_up.own_command() == ()


def test_one_process_for_a_session(started, tmp_path):
    """However many docks open, one process starts, for the first of them."""
    asked = tmp_path / "asked"
    kernels = started(f"import sys; open({str(asked)!r}, 'a').write(str(sys.argv[1:]))")
    kernels.start("laplacian_sharpen", "float32")
    assert kernels.wait("unsharp_mask", "planes", "uint16", 10)
    kernels.start("laplacian_sharpen", "float32")
    assert asked.read_text() == "['uint16', 'unsharp_mask']"


def test_a_type_without_kernels_of_its_own(tmp_path):
    """An image of another type, or none, starts with the first type of the list."""
    code = "import sys; open(sys.argv[1], 'w').write(str(sys.argv[2:]))"
    asked = tmp_path / "asked"
    kernels = warm_up.WarmUp([sys.executable, "-c", code, str(asked)])
    kernels.start("unsharp_mask", "float64")
    assert kernels.wait("unsharp_mask", "planes", "uint16", 10)
    assert asked.read_text() == f"['{warm_up.DTYPES[0]}', 'unsharp_mask']"


def test_the_process_ends_with_python(tmp_path):
    """Python ends at once, and takes the process with it."""
    beats = tmp_path / "beats"
    code = (
        "import time\n"
        f"while True: open({str(beats)!r}, 'a').write('.'); time.sleep(0.02)"
    )
    parent = (
        "import os, sys, time; from napari_usm import warm_up; "
        f"warm_up.WarmUp([sys.executable, '-c', {code!r}])"
        ".start('unsharp_mask', 'uint16')\n"
        f"while not os.path.exists({str(beats)!r}): time.sleep(0.01)"
    )
    subprocess.run([sys.executable, "-c", parent], check=True, timeout=10)
    time.sleep(0.2)
    count = beats.stat().st_size
    time.sleep(0.2)
    assert beats.stat().st_size == count
