"""Clusters whose machines fail."""

import os
import signal

from distributed import Client, LocalCluster

from napari_usm.batch import Batch, plan_jobs
from napari_usm.batch.executors import Cluster, Threads
from napari_usm.recipe import Recipe
from picture_files import cells, contents, write_zarr

RECIPE = Recipe("unsharp_mask", {}, "planes")


def test_a_worker_that_dies_and_a_scheduler_that_goes(tmp_path):
    """Tasks of a dead worker run again; without a scheduler, a run can be resumed."""
    source = write_zarr(
        tmp_path / "a.ome.zarr", cells((2, 3, 160, 160)), chunks=(1, 1, 32, 32)
    )
    words = {"memory": 60_000}
    expected, _ = plan_jobs([source], str(tmp_path / "here.ome.zarr"), RECIPE, **words)
    Batch(expected, Threads(2)).run()
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            silence_logs="CRITICAL",
        ) as cluster,
        Client(cluster) as client,
    ):
        processes = list(client.run(os.getpid).values())
        killed = []

        def kill(event):
            if event.stage == "sharpen" and event.done == 3 and not killed:
                killed.append(processes[0])
                os.kill(processes[0], signal.SIGKILL)

        jobs, _ = plan_jobs(
            [source], str(tmp_path / "killed.ome.zarr"), RECIPE, **words
        )
        (result,) = Batch(jobs, Cluster(client), listener=kill).run()
        assert killed
        assert (result.status, result.error) == ("done", "")
        assert contents(result.job.output) == contents(expected[0].output)

        def close(event):
            if event.stage == "sharpen" and event.done == 3:
                cluster.close()

        jobs, _ = plan_jobs([source], str(tmp_path / "gone.ome.zarr"), RECIPE, **words)
        (result,) = Batch(jobs, Cluster(client), listener=close).run()
        assert result.status == "failed"
        assert result.error
    assert not os.path.exists(jobs[0].output)
    (result,) = Batch(jobs, Threads(2), resume=True).run()
    assert result.status == "done"
    assert contents(result.job.output) == contents(expected[0].output)
