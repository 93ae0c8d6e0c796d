#!/usr/bin/env python3
"""Counts the system calls that each model makes for a request on a connection of its own.

strace follows the server's threads and children while it answers 2000 requests from 1 client, then from 64 at once.
What a server does that answers each client once is taken off: starting and ending are not on the bill.

  scripts/syscalls.py                              print the tables
  scripts/syscalls.py --save FILE                  keep them as JSON too
  scripts/syscalls.py --models poll,epoll

Tracing slows a server down, so nothing here is a time, and models that take what has piled up in one call are seen at
their busiest. Needs strace. Build first: `cargo build --release`.
"""

import pathlib
import shutil
import subprocess
import tempfile

import testbed

REQUESTS = 2000
CLIENTS = (1, 64)
WORKERS = 2
# Fewer calls per request are the clock's, or a signal's.
SHOWN_MIN = 0.01


def main():
    parser = testbed.parser(__doc__)
    testbed.add_models(parser)
    parser.add_argument("--requests", type=int, default=REQUESTS, help=f"requests per count [default: {REQUESTS}]")
    arguments = parser.parse_args()
    if not shutil.which("strace"):
        testbed.note("skipped: strace is not installed")
        return
    testbed.check_built(arguments)
    environment = testbed.environment()
    models = [model["name"] for model in testbed.models(arguments)]
    rows = []
    for model in models:
        testbed.note(model)
        for clients in CLIENTS:
            try:
                start = calls(arguments, model, clients, requests=clients)
                rows.append(row(model, clients, start, calls(arguments, model, clients, arguments.requests)))
            except testbed.Failed as failed:
                testbed.note(str(failed))
                rows.append({"model": model, "clients": clients, "total": None, "calls": {}, "why_not": str(failed)})
    for clients in CLIENTS:
        print(f"Calls per request, {clients} {'client' if clients == 1 else 'clients at once'}:")
        show([row for row in rows if row["clients"] == clients])
    version = subprocess.run(["strace", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    testbed.save(arguments, environment=environment, versions={"strace": version}, requests=arguments.requests,
                 workers=WORKERS, rows=rows)
    if bad := sorted({row["model"] for row in rows if row["why_not"]}):
        raise testbed.Failed(f"not everything could be counted for {', '.join(bad)}")


def calls(arguments, model, clients, requests):
    """Calls by name of a server's whole life, and the requests it answered."""
    server_cpu, generator_cpu = testbed.cpus()
    with tempfile.TemporaryDirectory(prefix="hola-") as folder:
        counts = pathlib.Path(folder) / "counts"
        # -I 2: a SIGTERM ends it, and the server with it; else it would outlive a script that is killed.
        tracer = ["strace", "-f", "-c", "-I", "2", "-U", "name,calls", "-o", counts]
        with testbed.serving(arguments.hola, model, server_cpu, "--workers", WORKERS, tracer=tracer) as server:
            # A slow answer is strace's doing.
            options = {"--clients": clients, "--requests": requests, "--warmup": "0s", "--timeout": "60s"}
            summary = testbed.load(arguments.hola, server.url, generator_cpu, options)
            traced = server.children()
            server.stop(whom=traced[0])
            answers = testbed.counters(server)["answers"]
        if summary["counts"]["ok"] != requests or answers != requests:
            raise testbed.Failed(f"{model} answered {answers} of {requests} requests: {summary['counts']}")
        lines = [line.split() for line in counts.read_text().splitlines()]
        return {name: int(count) for name, count in (line for line in lines if len(line) == 2 and line[1].isdigit())
                if name != "total"}, answers


def row(model, clients, start, end):
    (before, answers_before), (after, answers_after) = start, end
    requests = answers_after - answers_before
    by_name = {name: (after.get(name, 0) - before.get(name, 0)) / requests for name in after.keys() | before.keys()}
    shown = {name: each for name, each in sorted(by_name.items(), key=lambda item: -item[1]) if each >= SHOWN_MIN}
    return {"model": model, "clients": clients, "total": sum(shown.values()), "calls": shown,
            "why_not": None}


def show(rows):
    names = sorted({name for row in rows for name in row["calls"]},
                   key=lambda name: -sum(row["calls"].get(name, 0) for row in rows))
    testbed.print_table(["model", "total", *names],
                        [[row["model"], row["total"], *(row["calls"].get(name) for name in names)] for row in rows])
    print()


if __name__ == "__main__":
    testbed.run(main)
