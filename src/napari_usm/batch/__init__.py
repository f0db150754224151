"""Many images, and images larger than memory, sharpened from file to file.

A batch is a list of jobs, one for each image. A job is cut into write units, each of
which is read, sharpened and written alone: by a thread, a process or a machine. A
journal notes the units that are done, so that an interrupted job goes on from there.
"""

from napari_usm.batch.batch import Batch, Event, Result
from napari_usm.batch.inputs import Problem, plan_jobs
from napari_usm.batch.job import Job

__all__ = ["Batch", "Event", "Job", "Problem", "Result", "plan_jobs"]
