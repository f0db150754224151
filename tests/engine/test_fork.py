"""A forked process computes, whatever its parent was doing; and programs end quietly."""

import os
import subprocess
import sys
import textwrap

import pytest

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

# What every program below begins with.
BEGIN = """
import atexit, multiprocessing, os, sys, threading, time
import numpy as np
import napari_usm as usm
from napari_usm import api
from napari_usm._engine import memory, region, buffer_pool
from napari_usm._widgets.live import jobs
from napari_usm._engine.block import Output
from napari_usm._engine.pyramid import SharpenedLevel
from napari_usm._engine.fitting import settle

image = np.random.default_rng(0).integers(0, 4000, (300, 320)).astype("uint16")
expected = usm.unsharp_mask(image, sigma=2.0)

def child(method="unsharp_mask"):
    with usm.threads(2):
        memory._WORTH_THREADS = 1
        found = usm.unsharp_mask(image, sigma=2.0)
    assert (found == expected).all()
    usm.sharpen(image[:64, :64], "auto_unsharp_mask")

def joined(processes, seconds=40):
    for process in processes:
        process.join(seconds)
    codes = [process.exitcode for process in processes]
    for process in processes:
        if process.exitcode is None:
            process.kill()
    assert codes == [0] * len(codes), codes
"""


def run(program, seconds=120, **environment):
    """What a program says, which has to end by itself and without any complaint."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BEGIN + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=seconds,
        env={**os.environ, **environment},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@needs_fork
def test_forked_while_an_attribute_is_computed():
    """No lock of a class is held meanwhile: the child gets the same attribute."""
    run("""
    from napari_usm._engine.plan import Plan
    plan, _ = api.prepare(image, "unsharp_mask")
    begun, ends = threading.Event(), threading.Event()
    attribute = Plan.__dict__["halo"]
    function = attribute._function
    def slow(plan):
        if threading.current_thread().name == "slow":
            begun.set()
            ends.wait()
        return function(plan)
    attribute._function = slow
    thread = threading.Thread(target=lambda: plan.halo, name="slow")
    thread.start()
    begun.wait()
    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    joined([process])
    ends.set()
    thread.join()
    """)


@needs_fork
def test_forked_while_locks_are_held():
    """Locks and threads of caches, live results and kernels are the child's."""
    run("""
    from numba.core.compiler_lock import global_compiler_lock
    from napari_usm import warm_up
    cache, jobs, gate = region.DetailCache(2**24), jobs.Latest(), threading.Event()
    jobs.put("slot", "want", lambda job: gate.wait())
    held, release = threading.Event(), threading.Event()

    def hold():
        with cache._lock, jobs._change, warm_up.session._told:
            held.set()
            release.wait()

    def in_child():
        child()
        plan, pixels = api.prepare(image, "unsharp_mask", sigma=2.0)
        settled = memory.result_of(settle(plan, pixels))
        level = SharpenedLevel(region.LiveImage(pixels, cache), settled)
        whole = tuple(range(n) for n in image.shape)
        for _ in range(2):
            assert (level.part(Output.IMAGE, whole) == expected).all()
        job = jobs.put("slot", "other", lambda job: None)
        assert job.wait(20)
        assert not jobs.is_behind
        assert warm_up.session.wait("unsharp_mask", "planes", "uint16", 20)

    warm_up.session._awaited = {("unsharp_mask", "planes", "uint16")}
    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    held.wait()
    process = multiprocessing.get_context("fork").Process(target=in_child)
    process.start()
    joined([process])
    release.set()
    thread.join()
    assert not jobs.put("slot", "want", None).is_done
    gate.set()
    """)


@needs_fork
def test_forked_while_threads_compute():
    """Again and again, with pools, live parts and memory that is used again."""
    run("""
    memory._WORTH_THREADS = 1
    stop = threading.Event()
    large = np.tile(image, (3, 3))
    plan, pixels = api.prepare(large, "unsharp_mask", sigma=2.0)
    settled = memory.result_of(settle(plan, pixels))
    level = SharpenedLevel(region.LiveImage(pixels, region.DetailCache(2**20)), settled)

    def work(k):
        while not stop.is_set():
            with usm.threads(2):
                usm.sharpen(image, sigma=1.0 + k)
            level.part(Output.IMAGE, (range(k, 800), range(900)))

    threads = [threading.Thread(target=work, args=[k], daemon=True) for k in range(3)]
    for thread in threads:
        thread.start()
    context = multiprocessing.get_context("fork")
    try:
        for _ in range(6):
            processes = [context.Process(target=child) for _ in range(2)]
            for process in processes:
                process.start()
            joined(processes)
    finally:
        stop.set()
    """)


@needs_fork
def test_forked_while_a_kernel_is_compiled(tmp_path):
    """The fork waits for the compiler, and the child compiles too."""
    run(
        """
    from napari_usm._kernels import mask
    small = image[:40, :40]
    thread = threading.Thread(
        target=usm.laplacian_sharpen, args=[small], kwargs={"median_size": 3}
    )
    thread.start()
    time.sleep(0.2)
    process = multiprocessing.get_context("fork").Process(
        target=usm.laplacian_sharpen, args=[small.astype("float32")]
    )
    process.start()
    joined([process], 90)
    thread.join()
    """,
        NUMBA_CACHE_DIR=str(tmp_path),
    )


def test_dask_schedulers_and_spawned_processes():
    """Threads, processes of dask, and spawned ones of multiprocessing."""
    run("""
    import concurrent.futures, functools
    import dask.array as da
    lazy = usm.unsharp_mask(da.from_array(image, chunks=200), sigma=2.0)
    for scheduler in ("threads", "processes", "synchronous"):
        with __import__("dask").config.set({"multiprocessing.context": "spawn"}):
            found = lazy.compute(scheduler=scheduler, num_workers=2)
        assert (found == expected).all()
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(2, context) as pool:
        work = functools.partial(usm.unsharp_mask, sigma=2.0)
        for found in pool.map(work, [image] * 3, timeout=90):
            assert (found == expected).all()
    """)


LIVE = """
memory._WORTH_THREADS = 1
plan, pixels = api.prepare(np.tile(image, (3, 3)), "unsharp_mask", sigma=2.0)
settled = memory.result_of(settle(plan, pixels))
level = SharpenedLevel(region.LiveImage(pixels, region.DetailCache(2**26)), settled)
jobs = jobs.Latest()
"""


def test_memory_that_is_left_at_the_end():
    """Results that outlive the module's globals give their memory back quietly."""
    said = run(
        LIVE
        + """
kept = [level.part(Output.IMAGE, (range(800), range(900 - k))) for k in range(5)]
sys.kept = [buffer_pool.empty((2**19,), "u1") for _ in range(6)]
with usm.threads(2):
    running = memory.run(plan, pixels, block_size=5000)
    next(running)
buffer_pool._idle = None
print("run done")
"""
    )
    assert said == "run done\n"


@pytest.mark.parametrize("program", ["threads(2)", "threads(1)"])
def test_threads_at_work_at_the_end(program):
    """A program that ends stops a live result in the middle, without a traceback."""
    said = run(
        LIVE
        + f"""
def always(job):
    with usm.{program}:
        while True:
            level.part(Output.IMAGE, (range(np.random.randint(500, 800)), range(900)))

jobs.put(0, 0, always)
jobs.put_at_rest(1, always)
time.sleep(0.3)
# Pools have stopped when this is called, threads have not.
atexit.register(time.sleep, 0.5)
print("run done")
"""
    )
    assert said == "run done\n"
