"""A server that does harm, of one kind by choice: python3 hostile.py PORT HARM MARK [FOLDER…].

Where it serves, it does so like servers/threads.py and ignores SIGTERM. Each harm has an end of its own, so that it stays small
even where nothing else ends it. MARK only tells its processes from others.
"""

import os
import runpy
import signal
import sys
import threading

PORT, HARM, FOLDERS = sys.argv[1], sys.argv[2], sys.argv[4:]
PROCESSES_MAX = 1_000
FILES_MAX = 3
MEBIBYTE = 1 << 20
FILE_MIB_MAX = 128
MEMORY_MIB_MAX = 512


def in_children(count, harm):
    """Starts children that do harm, and waits until they and theirs have done it or have ended."""
    done, doing = os.pipe()
    for _ in range(count):
        if os.fork() > 0:
            continue
        harm()
        os.close(doing)
        while True:
            signal.pause()
    os.close(doing)
    os.read(done, 1)


def start_processes():
    tokens, more = os.pipe()
    os.write(more, b"." * PROCESSES_MAX)
    os.close(more)

    def fork_without_end():
        while os.read(tokens, 1):
            try:
                os.fork()
            except OSError:
                pass

    in_children(1, fork_without_end)


def fill_disk():
    written = 0
    for folder in FOLDERS:
        refused = "nothing"
        for number in range(FILES_MAX):
            try:
                with open(os.path.join(folder, f"filling-{number}"), "wb", 0) as file:
                    for _ in range(FILE_MIB_MAX):
                        written += file.write(bytes(MEBIBYTE))
            except OSError as error:
                refused = error.strerror
        print(f"{folder}: {refused}")
    print(f"wrote {written // MEBIBYTE} MiB")
    sys.exit(1)


def take_memory():
    taken = []

    def take_without_end():
        try:
            while len(taken) < MEMORY_MIB_MAX:
                taken.append(b"x" * MEBIBYTE)
        except MemoryError:
            pass

    in_children(4, take_without_end)


def leave():
    first = os.fork()
    if first > 0:
        os.waitpid(first, 0)
        os._exit(0)
    os.setsid()
    if os.fork() > 0:
        os._exit(0)


def print_without_end():
    def noise():
        while True:
            os.write(1, b"noise " * 1_000)

    threading.Thread(target=noise, daemon=True).start()


def leave_and_kill_parent():
    parent = os.getppid()
    if os.fork() == 0:
        os.setsid()
        while True:
            signal.pause()
    os.kill(parent, signal.SIGKILL)


HARMS = {
    "starts-processes": start_processes,
    "fills-disk": fill_disk,
    "takes-memory": take_memory,
    "leaves": leave,
    "prints-without-end": print_without_end,
    "kills-parent": lambda: os.kill(os.getppid(), signal.SIGKILL),
    "leaves-and-kills-parent": leave_and_kill_parent,
    "listens-elsewhere": lambda: None,
    "ignores-sigterm": lambda: None,
}

signal.signal(signal.SIGTERM, signal.SIG_IGN)
HARMS[HARM]()
port = "0" if HARM == "listens-elsewhere" else PORT
server = os.path.join(os.path.dirname(os.path.abspath(__file__)), "servers", "threads.py")
sys.argv = [server, port, "ignores-sigterm"]
runpy.run_path(server)
