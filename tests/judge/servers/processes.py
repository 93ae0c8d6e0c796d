"""A process per client, by multiprocessing: python3 processes.py PORT."""

import multiprocessing
import signal
import socket
import sys
import time

from conversation import converse


def main():
    # At a regular end, multiprocessing ends the processes that are daemons.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    processes = multiprocessing.get_context("fork")
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
    while True:
        try:
            client, _ = listener.accept()
            with client:
                processes.Process(target=converse, args=(client,), daemon=True).start()
        except OSError:
            time.sleep(0.05)  # No descriptor, or no process: those that are there may end.


main()
