"""A pool of processes, each with one client at a time: python3 prefork.py PORT."""

import os
import signal
import socket
import sys

from conversation import converse

WORKERS = 4


def work(listener):
    while True:
        client, _ = listener.accept()
        converse(client)


def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
    workers = []
    for _ in range(WORKERS):
        worker = os.fork()
        if worker == 0:
            work(listener)
        workers.append(worker)

    def stop(*_):
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    while True:
        signal.pause()


main()
