"""What holds for all tests of the project."""

import signal


def pytest_configure() -> None:
    """Hear SIGINT, and with us all children, in a job that a shell made deaf to it (`pytest tests &`)."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
