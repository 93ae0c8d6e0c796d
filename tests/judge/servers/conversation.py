"""What the Python servers here say on a connection: one request, one answer."""

GREETING = b"Hola, cliente!"
HEAD_MAX = 16 * 1024


def answer(status, body=b"", with_body=True):
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + (body if with_body else b"")


def respond(head):
    """The answer to a complete head."""
    words = head.split(b"\r\n")[0].split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
        return answer("400 Bad Request")
    method, path, _ = words
    if path != b"/":
        return answer("404 Not Found")
    if method not in (b"GET", b"HEAD"):
        return answer("405 Method Not Allowed")
    return answer("200 OK", GREETING, with_body=method == b"GET")


def converse(client):
    """Reads until the head is complete, in however many pieces it comes, and answers."""
    head = b""
    try:
        with client:
            while b"\r\n\r\n" not in head:
                if len(head) > HEAD_MAX:
                    client.sendall(answer("431 Request Header Fields Too Large"))
                    return
                more = client.recv(4096)
                if not more:
                    return
                head += more
            client.sendall(respond(head))
    except OSError:
        pass  # The client is gone.
