"""Live results: arrays, jobs and the two layers that follow the controls."""
