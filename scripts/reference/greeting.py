"""What the Python servers say: enough HTTP for their requests, with the standard library's sockets and nothing else.

The servers with a thread or a process per client take one request per connection, as the servers that they are after do;
the answers are those of Hola's own routes.
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
                client.sendall(response(content(path_of(head))))
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


def path_of(head):
    """The path of a GET request; `None` for any other."""
    parts = head.split(b"\r\n", 1)[0].decode("ascii", "replace").split(" ")
    return parts[1] if len(parts) == 3 and parts[0] == "GET" else None


def route(path):
    """The name and the number that a path asks for; `None` where it leads nowhere."""
    name, _, number = (path or "-")[1:].partition("/")
    if path == "/":
        return "greeting", 0
    if number.isascii() and number.isdigit() and int(number) <= {"wait": 10_000, "compute": 100_000_000}.get(name, -1):
        return name, int(number)
    return None


def body(name, number):
    """What a route answers, when the wait that it may ask for is over."""
    match name:
        case "greeting":
            return "Hola, cliente!"
        case "wait":
            return f"waited {number} ms\n"
        case "compute":
            return str(compute(number))


def content(path):
    """Waits if the path asks for it; then what it answers, `None` where it leads nowhere."""
    found = route(path)
    if found and found[0] == "wait":
        time.sleep(found[1] / 1000)
    return found and body(*found)


def response(content, last=True):
    """The bytes of an answer; those of a 404 for `None`. `last`: the server closes the connection after it."""
    status = "404 Not Found" if content is None else "200 OK"
    content = (content or "not found\n").encode()
    close = "Connection: close\r\n" if last else ""
    return (f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(content)}\r\n"
            f"{close}\r\n").encode() + content


def compute(rounds):
    """So many rounds of xorshift64*, as in Hola's `/compute`: the same work and the same result, in Python."""
    state = 0x9E3779B97F4A7C15
    for _ in range(rounds):
        state ^= state >> 12
        state ^= (state << 25) & MASK
        state ^= state >> 27
    return (state * 0x2545F4914F6CDD1D) & MASK
