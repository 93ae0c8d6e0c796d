#!/usr/bin/env python3
"""A process for each client, in Python: `python_processes.py PORT`."""

import multiprocessing

import greeting


def converse(listening, client):
    # Otherwise the port would stay taken for as long as the longest conversation.
    listening.close()
    greeting.converse(client)


def main():
    forking = multiprocessing.get_context("fork")
    with greeting.listener() as listening:
        while True:
            client, _ = listening.accept()
            # Starting one also reaps those that have ended.
            forking.Process(target=converse, args=(listening, client)).start()
            # The child has it; the client sees the end when the last of the two closes.
            client.close()


if __name__ == "__main__":
    main()
