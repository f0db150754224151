"""What tests of the command line share."""

import signal

import pytest


@pytest.fixture(autouse=True, scope="session")
def interrupts_reach_processes():
    """Undo what a shell does to tests in the background, and to their processes."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
