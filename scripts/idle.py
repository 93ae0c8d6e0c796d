#!/usr/bin/env python3
"""Measures how much memory an idle client takes from each model, and from nginx and Apache where they are installed.

Clients connect, send half of a request head and fall silent; the server has to remember each of them. Once it has
accepted all and is quiet, its memory is read: the proportional set size of its whole process tree, and the tree's page
tables. Each number of clients meets a fresh server. The slope over the numbers of clients is what one of them takes;
printed is the median of the rounds' slopes, with the lowest and the highest. Not in it: the kernel's side of a socket,
a thread's kernel stack, and workers that are there with or without a client, as Apache's are. At the highest number a
fresh client must still be answered.

  scripts/idle.py                                  print the table
  scripts/idle.py --save FILE                      keep it as JSON too
  scripts/idle.py --models poll,epoll,tokio --rounds 3

A server closes an unfinished head after 5 s, so all of this takes less. Build first: `cargo build --release`.
"""

import contextlib
import http.client
import os
import pathlib
import resource
import select
import socket
import statistics
import struct
import time

import testbed
from reference import servers

HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"
# By what a client costs; within the caps on clients (256 processes, 1024 threads) and a descriptor limit of 20000.
CLIENTS = {"process": (0, 50, 200), "thread": (0, 250, 1000), "task": (0, 1000, 5000, 15000)}
CLIENTS["nothing"] = CLIENTS["task"]
# The Apaches have 100 workers (`reference/`).
REFERENCE_CLIENTS = {"nginx": CLIENTS["task"], "apache-worker": (0, 25, 75), "apache-event": (0, 25, 75),
                     "apache-prefork": (0, 25, 75)}
# Connections opened without looking: half the accept queue, for a full one makes the kernel drop a SYN for a second.
BURST = 512
# Descriptors for other things than clients.
OTHER_DESCRIPTORS = 100
ACCEPT_MAX_S = 4
QUIET_MAX_S = 1
# A server is quiet that uses less CPU time than this in a look's length.
QUIET_NS = 1_000_000
LOOK_S = 0.05
RESET = struct.pack("ii", 1, 0)


def main():
    parser = testbed.parser(__doc__)
    testbed.add_models(parser)
    parser.add_argument("--rounds", type=int, default=5, help="times that every server is measured [default: 5]")
    parser.add_argument("--clients-max", type=int, default=15000, metavar="N",
                        help="leave out numbers of clients above this [default: 15000]")
    arguments = parser.parse_args()
    testbed.check_built(arguments)
    environment = testbed.environment()
    server_cpu, client_cpu = testbed.cpus()
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    clients_max = min(arguments.clients_max, descriptors - OTHER_DESCRIPTORS)
    if clients_max < max(levels[1] for levels in REFERENCE_CLIENTS.values()):
        raise testbed.Failed(f"{clients_max} clients make no slope: raise --clients-max, or the limit on open files")
    starts, levels = {}, {}
    for model in testbed.models(arguments):
        name = model["name"]
        if model["capacity"] == "unbounded":
            starts[name] = lambda name=name: testbed.serving(arguments.hola, name, server_cpu)
            levels[name] = [level for level in CLIENTS[model["attention"]] if level <= clients_max]
        else:
            testbed.note(f"skipped: {name} leaves idle clients in the kernel's queue once its workers are taken")
    for name in servers.installed(servers.NAMES):
        starts[name] = lambda name=name: servers.serving(name, server_cpu)
        levels[name] = [level for level in REFERENCE_CLIENTS[name] if level <= clients_max]
    os.sched_setaffinity(0, {client_cpu})
    rounds = {name: [] for name in starts}
    for round_number in range(arguments.rounds):
        for name in testbed.rotated(starts, round_number):
            done = a_round(name, starts[name], levels[name])
            rounds[name].append(done)
            seen = "; ".join(f"{each['clients']} clients {kib(each)} KiB" for each in done["looks"])
            testbed.note(f"round {round_number + 1} of {arguments.rounds}: {name}: {done['why_not'] or seen}")
    rows = [row(name, levels[name][-1], done) for name, done in rounds.items()]
    testbed.print_table(["server", "KiB/client", "lowest", "highest", "without clients, KiB", "most clients"],
                        [[row["server"], row["kib_per_client"], row["lowest"], row["highest"],
                          row["without_clients_kib"], row["clients_max"]] for row in rows])
    testbed.save(arguments, environment=environment, half_a_head=HALF_A_HEAD.decode(),
                 rounds=arguments.rounds, rows=rows)
    if bad := [row["server"] for row in rows if row["good_rounds"] < arguments.rounds]:
        raise testbed.Failed(f"not every round was good for {', '.join(bad)}")


def a_round(name, start, levels):
    """A look at each number of clients, or why there is none."""
    looks = []
    try:
        for level in levels:
            looks.append(look(name, start, level, is_last=level == levels[-1]))
    except testbed.Failed as failed:
        return {"why_not": str(failed), "looks": looks}
    return {"why_not": None, "looks": looks}


def look(name, start, count, is_last):
    """The memory of a fresh server that holds so many idle clients."""
    with start() as server, contextlib.ExitStack() as clients:
        begun = time.monotonic()
        opened = open_clients(name, server, clients, count)
        wait_until_quiet(server)
        memory = memory_of(server)
        # Whoever can read something has been answered, or closed.
        gone = [fd for fd, _ in opened.poll(0)]
        if gone:
            elapsed_s = time.monotonic() - begun
            raise testbed.Failed(f"{name} left {len(gone)} of {count} idle clients within {elapsed_s:.1f} s")
        if is_last:
            check_answers(name, server, count)
    return {"clients": count, **memory}


def open_clients(name, server, clients, count):
    """So many connections that have all been accepted and have sent half a head; to be watched for an answer."""
    watched = select.poll()
    for number in range(1, count + 1):
        client = socket.create_connection(("127.0.0.1", server.port))
        clients.callback(reset, client)
        client.send(HALF_A_HEAD)
        watched.register(client, select.POLLIN)
        if number % BURST == 0 or number == count:
            give_up_at = time.monotonic() + ACCEPT_MAX_S
            while waiting := sum(length for _, length in testbed.listeners(server.port)):
                if time.monotonic() > give_up_at:
                    raise testbed.Failed(f"{name} does not accept {waiting} of {number} idle clients")
                time.sleep(0.001)
    return watched


def reset(client):
    """Closes without a TIME_WAIT, so that ports are free for the next server."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    client.close()


def wait_until_quiet(server):
    """Until what has been accepted has also been read, and whoever reads it has been made."""
    give_up_at = time.monotonic() + QUIET_MAX_S
    before_ns = server.cpu_ns()
    while time.monotonic() < give_up_at:
        time.sleep(LOOK_S)
        now_ns = server.cpu_ns()
        if now_ns - before_ns < QUIET_NS:
            return
        before_ns = now_ns


def memory_of(server):
    def field_kib(path, field):
        lines = pathlib.Path(path).read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(field))
    tree = server.tree()
    return {"processes": len(tree), "pss_kib": sum(field_kib(f"/proc/{pid}/smaps_rollup", "Pss:") for pid in tree),
            "page_tables_kib": sum(field_kib(f"/proc/{pid}/status", "VmPTE:") for pid in tree)}


def check_answers(name, server, count):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=2)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        if (response.status, response.read()) != (200, testbed.GREETING):
            raise testbed.Failed(f"{name} answers {response.status} while it holds {count} idle clients")
    except OSError as error:
        raise testbed.Failed(f"{name} does not answer while it holds {count} idle clients: {error}") from error
    finally:
        connection.close()


def row(name, clients_max, rounds):
    good = [each["looks"] for each in rounds if not each["why_not"]]
    slopes = [slope(looks) for looks in good]
    return {"server": name, "kib_per_client": testbed.median(slopes), "lowest": min(slopes, default=None),
            "highest": max(slopes, default=None),
            "without_clients_kib": testbed.median([kib(looks[0]) for looks in good]),
            "clients_max": clients_max, "good_rounds": len(good), "rounds": rounds}


def slope(looks):
    """KiB per client, by least squares over the numbers of clients."""
    return statistics.linear_regression([each["clients"] for each in looks], [kib(each) for each in looks]).slope


def kib(look):
    return look["pss_kib"] + look["page_tables_kib"]


if __name__ == "__main__":
    testbed.run(main)
