#!/usr/bin/env python3
"""Shows how comparisons of servers go wrong: one knob at a time is turned as it is in many of them, then set equal.

  backlog   a queue for 10 connections: with more clients than that the kernel drops first packets and their senders
            repeat them after 1 s. Whoever accepts a little later than another seems to have a p99 of a second.
  octets    requests that come, and so are read, one octet at a time: what is compared is system calls, and a model's
            share of a request vanishes, or is counted forty times. (The servers read all there is, so here it is the
            client that sends a request in pieces of one octet.)
  workers   a pool of 4 beside a runtime that holds any number of clients, where each request waits 10 ms: what is
            compared is Little's law for 4, not threads with tasks.

Every knob is swept over numbers of clients, both settings in turns, on a fresh server each, one CPU for it and another for
the clients. Kept is the median over rounds.

  scripts/confounders.py                           print the table
  scripts/confounders.py --save FILE               keep it as JSON too
  scripts/confounders.py --knobs backlog --rounds 1 --seconds 2

Build first: `cargo build --release`.
"""

import contextlib
import os
import socket
import time

import testbed

CLIENTS = (16, 64, 256)
# Longer than the kernel waits before it repeats a first packet.
SECONDS_MIN = 2
# Servers end their side of the last connections after the client has.
SETTLE_S = 0.1
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
ANSWER_END = b"\r\n\r\n" + testbed.GREETING


def main():
    parser = testbed.parser(__doc__)
    parser.add_argument("--knobs", metavar="LIST", help="knobs, separated by commas [default: all]")
    parser.add_argument("--rounds", type=int, default=5, help="times that everything is measured [default: 5]")
    parser.add_argument("--seconds", type=float, default=3, help="length of a measurement [default: 3]")
    arguments = parser.parse_args()
    testbed.check_built(arguments)
    if arguments.seconds < SECONDS_MIN:
        raise testbed.Failed(f"--seconds: at least {SECONDS_MIN}, or a packet that comes late does not come at all")
    knobs = arguments.knobs.split(",") if arguments.knobs else list(KNOBS)
    if unknown := sorted(set(knobs) - set(KNOBS)):
        raise testbed.Failed(f"there is no knob {', '.join(unknown)}")
    environment = testbed.environment()
    cells = {(knob, model, clients, arm): []
             for knob in knobs for clients in KNOBS[knob]["clients"] for model in KNOBS[knob]["models"]
             for arm in ("published", "equal")}
    for round_number in range(arguments.rounds):
        for cell in testbed.rotated(cells, round_number):
            knob, model, clients, arm = cell
            trial = KNOBS[knob]["measure"](arguments, model, clients, KNOBS[knob][arm])
            cells[cell].append(trial)
            testbed.note(f"round {round_number + 1} of {arguments.rounds}: {knob} {arm}, {model}, {clients} clients: "
                         f"{trial[KNOBS[knob]['figure']]}")
    rows = [row(knob, model, clients, cells) for knob in knobs for clients in KNOBS[knob]["clients"]
            for model in KNOBS[knob]["models"]]
    testbed.print_table(["knob", "figure", "clients", "model", "as published", "set equal"],
                        [[row["knob"], row["figure"], row["clients"], row["model"], row["published"], row["equal"]]
                         for row in rows])
    settings = {knob: {arm: KNOBS[knob][arm]["words"] for arm in ("published", "equal")} for knob in knobs}
    testbed.save(arguments, environment=environment, seconds=arguments.seconds, rounds=arguments.rounds,
                 settings=settings, rows=rows)


def row(knob, model, clients, cells):
    figure = KNOBS[knob]["figure"]
    trials = {arm: cells[knob, model, clients, arm] for arm in ("published", "equal")}
    medians = {arm: testbed.median([trial[figure] for trial in trials[arm]]) for arm in trials}
    return {"knob": knob, "figure": figure, "clients": clients, "model": model, **medians, "trials": trials}


def under_load(arguments, model, clients, setting):
    """A closed loop with a connection per request. Checks may fail: that is what is shown."""
    server_cpu, generator_cpu = testbed.cpus()
    with testbed.serving(arguments.hola, model, server_cpu, *options_of(setting, model)) as server:
        before_ns = server.cpu_ns()
        options = {"--clients": clients, "--duration": f"{arguments.seconds}s", "--warmup": "0s",
                   "--path": setting.get("path", "/")}
        summary = testbed.load(arguments.hola, server.url, generator_cpu, options)
        time.sleep(SETTLE_S)
        cpu_us = (server.cpu_ns() - before_ns) / 1000
    answered = summary["counts"]["ok"]
    response_us = summary["latency_us"]["response"]
    return {"requests_per_s": summary["rates"]["good_per_s"], "response_p50_ms": ms(response_us["p50"]),
            "response_p99_ms": ms(response_us["p99"]), "response_max_ms": ms(response_us["max"]),
            "cpu_us_per_request": cpu_us / answered if answered else None,
            "failed_checks": [check["check"] for check in summary["validity"] if not check["ok"]]}


def options_of(setting, model):
    return setting.get("options_of", {}).get(model, setting.get("options", []))


def ms(time_us):
    return None if time_us is None else time_us / 1000


def in_pieces(arguments, model, clients, setting):
    """Requests in pieces, on so many connections that stay, one request after another."""
    server_cpu, client_cpu = testbed.cpus()
    with testbed.serving(arguments.hola, model, server_cpu, *options_of(setting, model)) as server:
        before_cpus = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {client_cpu})
        try:
            with contextlib.ExitStack() as stack:
                sockets = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=5))
                           for _ in range(clients)]
                for each in sockets:
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    ask(each, setting["octets"])
                before_ns, answered = server.cpu_ns(), 0
                begun = time.monotonic()
                while (elapsed_s := time.monotonic() - begun) < arguments.seconds:
                    ask(sockets[answered % clients], setting["octets"])
                    answered += 1
                cpu_us = (server.cpu_ns() - before_ns) / 1000
        finally:
            os.sched_setaffinity(0, before_cpus)
    return {"requests_per_s": answered / elapsed_s, "cpu_us_per_request": cpu_us / answered}


def ask(client, octets):
    for start in range(0, len(REQUEST), octets):
        client.sendall(REQUEST[start:start + octets])
    answer = b""
    while not answer.endswith(ANSWER_END):
        received = client.recv(4096)
        if not received:
            raise testbed.Failed("a server closed in the middle of an answer")
        answer += received


KNOBS = {
    "backlog": {
        "models": ("fork-per-client", "thread-per-client", "tokio"), "clients": CLIENTS, "measure": under_load,
        "figure": "response_p99_ms",
        "published": {"words": "--backlog 10", "options": ["--backlog", "10"]},
        "equal": {"words": "--backlog 1024", "options": ["--backlog", "1024"]}},
    "octets": {
        # The more clients, the longer each of them is silent: few enough that none is sent away for it.
        "models": ("fork-per-client", "thread-per-client", "tokio"), "clients": (1, 16), "measure": in_pieces,
        "figure": "cpu_us_per_request",
        "published": {"words": "one octet at a time", "octets": 1},
        "equal": {"words": "whole requests", "octets": len(REQUEST)}},
    "workers": {
        "models": ("pre-threaded", "tokio"), "clients": CLIENTS, "measure": under_load, "figure": "requests_per_s",
        # A runtime's workers do not wait with their clients: it keeps its one for each CPU.
        "published": {"words": "4 pre-threaded workers, each request waits 10 ms", "path": "/wait/10",
                      "options_of": {"pre-threaded": ["--workers", "4"]}},
        "equal": {"words": f"{max(CLIENTS)} pre-threaded workers, each request waits 10 ms", "path": "/wait/10",
                  "options_of": {"pre-threaded": ["--workers", str(max(CLIENTS))]}}},
}


if __name__ == "__main__":
    testbed.run(main)
