"""A thread per client, and one fault by choice: python3 threads.py PORT [FAULT]."""

import os
import signal
import socket
import sys
import threading
import time

PORT = int(sys.argv[1])
FAULT = sys.argv[2] if len(sys.argv) > 2 else ""
GREETING = b"<script>alert('Hola')</script>" if FAULT == "wrong-greeting" else b"Hola, cliente!"
HEAD_MAX = 16 * 1024
# More than clients fit into 64 descriptors, and fewer than the silent ones of an examination.
THREADS_MAX = 62
leaked = []


def answer(status, body, keeps, with_body=True):
    length = len(body) + (1 if FAULT == "wrong-length" else 0)
    head = f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n"
    head += "" if keeps else "Connection: close\r\n"
    return head.encode() + b"\r\n" + (body if with_body else b"")


def respond(head):
    """The answer to a complete head, and whether the connection is kept."""
    words = head.split(b"\r\n")[0].split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
        if FAULT == "crashes-on-bad-request":
            os._exit(1)
        return answer("400 Bad Request", b"", False), False
    keeps = b"connection: close" not in head.lower() or FAULT == "never-closes"
    is_head = words[0] == b"HEAD" and FAULT != "ignores-head"
    if words[1] != b"/":
        return answer("404 Not Found", b"", keeps), keeps
    return answer("200 OK", GREETING, keeps, not is_head), keeps


def has_closed(client):
    """Whether the client closes its sending half within a moment."""
    client.settimeout(0.2)
    try:
        return client.recv(1, socket.MSG_PEEK) == b""
    except TimeoutError:
        return False
    finally:
        client.settimeout(None)


def converse(client):
    read = b""
    while True:
        while b"\r\n\r\n" not in read:
            more = client.recv(4096)
            if not more:
                return
            read += more
            is_piece = b"\r\n\r\n" not in read and len(read) < 100
            if FAULT == "one-read" and is_piece:
                client.sendall(answer("400 Bad Request", b"", False))
                return
            if FAULT == "answers-a-piece" and is_piece:
                client.sendall(answer("200 OK", GREETING, False))
                return
            if len(read) > HEAD_MAX:
                client.sendall(answer("431 Request Header Fields Too Large", b"", False))
                return
        head, read = read.split(b"\r\n\r\n", 1)
        if FAULT == "leaks-descriptor":
            leaked.append(os.dup(0))
        if FAULT == "leaves-zombies" and os.fork() == 0:
            os._exit(0)
        sent, keeps = respond(head)
        if FAULT == "ignores-half-close" and keeps and has_closed(client):
            return
        client.sendall(sent)
        if not keeps:
            return


def serve(client):
    try:
        with client:
            converse(client)
    except OSError:
        if FAULT == "dies-on-reset":
            os._exit(1)


def start(client):
    if FAULT == "one-at-a-time":
        return serve(client)
    if FAULT == "dies-at-thread-limit" and threading.active_count() > THREADS_MAX:
        raise RuntimeError("can't start new thread")
    threading.Thread(target=serve, args=(client,), daemon=FAULT != "waits-for-clients").start()


def listen():
    listener = socket.socket()
    if FAULT != "no-reuse-address":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", PORT))
    listener.listen(128)
    return listener


def stop(*_):
    if FAULT == "waits-for-clients":
        sys.exit(0)
    os._exit(0)


def main():
    signal.signal(signal.SIGTERM, signal.SIG_IGN if FAULT == "ignores-sigterm" else stop)
    if FAULT == "dies-on-sigpipe":
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    listener = listen()
    while True:
        client = None
        try:
            client, _ = listener.accept()
            start(client)
        except (OSError, RuntimeError):
            if FAULT == ("dies-at-thread-limit" if client else "ends-without-descriptors"):
                raise
            # No thread, or no descriptor: clients may leave.
            if client:
                client.close()
            time.sleep(0.05)


main()
