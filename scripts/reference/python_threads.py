#!/usr/bin/env python3
"""A thread for each client, in Python: `python_threads.py PORT`."""

import threading

import greeting


def main():
    with greeting.listener() as listening:
        while True:
            client, _ = listening.accept()
            threading.Thread(target=greeting.converse, args=(client,), daemon=True).start()


if __name__ == "__main__":
    main()
