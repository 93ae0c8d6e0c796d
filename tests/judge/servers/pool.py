"""A pool of threads, each started when it is first needed: python3 pool.py PORT."""

import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from conversation import converse

# More than an examination has clients.
THREADS = 100


def main():
    pool = ThreadPoolExecutor(THREADS)
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
    while True:
        try:
            client, _ = listener.accept()
            pool.submit(converse, client)
        except (OSError, RuntimeError):
            # No descriptor, or no thread: then the client waits for another one's.
            time.sleep(0.05)


main()
