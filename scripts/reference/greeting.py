"""What the two Python servers say: enough HTTP for one request, with the standard library's sockets and nothing else.

One request per connection, as the servers that they are after have it; the same answers as Hola's own routes.
"""

import socket
import sys
import time

# As long as the queue of Hola's models.
BACKLOG = 1024
HEAD_MAX = 16 * 1024
DEADLINE_S = 5
MASK = (1 << 64) - 1


def listener():
    """A listener on loopback, at the port that is the only argument."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", int(sys.argv[1])))
    listening.listen(BACKLOG)
    return listening


def converse(client):
    """Answers one request and closes."""
    with client:
        client.settimeout(DEADLINE_S)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            head = read_head(client)
            if head:
                client.sendall(answer(head))
        except OSError:
            # A client that leaves, or says nothing for too long, is nobody's trouble but its own.
            pass


def read_head(client):
    """Everything up to the empty line; `None` if it never comes."""
    head = b""
    while b"\r\n\r\n" not in head:
        bytes = client.recv(1024)
        if not bytes or len(head) > HEAD_MAX:
            return None
        head += bytes
    return head


def answer(head):
    parts = head.split(b"\r\n", 1)[0].decode("ascii", "replace").split(" ")
    body = content(parts[1]) if len(parts) == 3 and parts[0] == "GET" else None
    status = "404 Not Found" if body is None else "200 OK"
    body = (body or "not found\n").encode()
    return (f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
            f"Connection: close\r\n\r\n").encode() + body


def content(path):
    """What a path leads to; `None` where it leads nowhere."""
    name, _, argument = path[1:].partition("/")
    if path == "/":
        return "Hola, cliente!"
    if not (argument.isascii() and argument.isdigit()):
        return None
    if name == "wait" and int(argument) <= 10_000:
        time.sleep(int(argument) / 1000)
        return f"waited {int(argument)} ms\n"
    if name == "compute" and int(argument) <= 100_000_000:
        return str(compute(int(argument)))
    return None


def compute(rounds):
    """So many rounds of xorshift64*, as in Hola's `/compute`: the same work and the same result, in Python."""
    state = 0x9E3779B97F4A7C15
    for _ in range(rounds):
        state ^= state >> 12
        state ^= (state << 25) & MASK
        state ^= state >> 27
    return (state * 0x2545F4914F6CDD1D) & MASK
