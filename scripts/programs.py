"""What scripts that start programs share: a failure told in one line, a free port, and a program's end."""

import contextlib
import socket
import subprocess


class Failure(Exception):
    """Something that ends the run, told in one line."""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


@contextlib.contextmanager
def ended(program):
    """The program until the end of the block; then it is asked to end, and made to after ten seconds."""
    try:
        yield program
    finally:
        program.terminate()
        try:
            program.wait(10)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()
