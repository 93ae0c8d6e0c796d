"""The application that gunicorn's workers serve: the answers of Hola's routes. How it waits is the worker's own affair."""

import greeting


def application(environ, start_response):
    body = greeting.content(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "GET" else None
    status = "404 Not Found" if body is None else "200 OK"
    body = (body or "not found\n").encode()
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]
