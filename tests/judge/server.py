"""A right server with a thread per client, and one fault by choice: python3 server.py PORT [FAULT]."""

import os
import signal
import socket
import sys
import threading

PORT = int(sys.argv[1])
FAULT = sys.argv[2] if len(sys.argv) > 2 else ""
GREETING = b"Hola, mundo!" if FAULT == "wrong-greeting" else b"Hola, cliente!"
HEAD_MAX = 16 * 1024
leaked = []


def answer(status, body, keeps, with_body=True):
    length = len(body) + (3 if FAULT == "wrong-length" else 0)
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


def converse(client):
    read = b""
    while True:
        while b"\r\n\r\n" not in read:
            more = client.recv(4096)
            if not more:
                return
            read += more
            if FAULT == "one-read" and b"\r\n\r\n" not in read and len(read) < 100:
                client.sendall(answer("400 Bad Request", b"", False))
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


def main():
    signal.signal(signal.SIGTERM, signal.SIG_IGN if FAULT == "ignores-sigterm" else lambda *_: os._exit(0))
    listener = socket.create_server(("127.0.0.1", PORT), backlog=128)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client,), daemon=True).start()


main()
