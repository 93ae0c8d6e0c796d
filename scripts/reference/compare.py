#!/usr/bin/env python3
"""Puts Hola's models and the servers people run on the same load, in turns, and compares what a request costs them.

Each round starts every server afresh on one CPU, loads it from another, first with a connection per request and then on
connections that stay open, and divides the CPU time of its whole process tree by the requests answered. Printed are
medians over rounds, and medians of the ratios within rounds.

  scripts/reference/compare.py                     print the table
  scripts/reference/compare.py --save FILE         keep it as JSON too
  scripts/reference/compare.py --models tokio,epoll --rounds 9

Needs nginx or Apache: `apt-get install nginx-light apache2` has them on Debian; a server that is not there is skipped
with a word. Build first: `cargo build --release`.
"""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import testbed
from reference import servers

CLIENTS = 64
WORKLOADS = ("1", "unlimited")
COMPARED_WITH = {"ratio_to_nginx": "nginx", "ratio_to_apache_worker": "apache-worker"}
# Load before the account is opened: starting, and the first touch of every page and worker, are not on the bill.
WARMUP_S = 0.5
# Servers end their side of the last connections after the client has.
SETTLE_S = 0.1


def main():
    parser = testbed.parser(__doc__)
    testbed.add_models(parser)
    parser.add_argument("--rounds", type=int, default=7, help="times that every server is measured [default: 7]")
    parser.add_argument("--seconds", type=float, default=3, help="length of a measurement [default: 3]")
    arguments = parser.parse_args()
    testbed.check_built(arguments)
    environment = testbed.environment()
    references = servers.installed(servers.NAMES)
    models = {model["name"]: model for model in testbed.models(arguments)}
    # By workload first: what is compared is measured close together.
    trials = {workload: {name: [] for name in [*references, *models]} for workload in WORKLOADS}
    for model in models.values():
        if model["capacity"] != "unbounded":
            testbed.note(f"skipped: {model['name']} on connections that stay open: it holds too few at once")
            del trials["unlimited"][model["name"]]
    for round_number in range(arguments.rounds):
        for workload, of_server in trials.items():
            for name in testbed.rotated(of_server, round_number):
                try:
                    trial = measure(arguments, name, workload, is_model=name in models)
                except testbed.Failed as failed:
                    trial = {"cpu_us_per_request": None, "answered": 0, "why_not": str(failed)}
                of_server[name].append(trial)
                testbed.note(f"round {round_number + 1} of {arguments.rounds}: {name}, {workload} per connection: "
                             + (trial["why_not"] or f"{trial['cpu_us_per_request']:.1f} µs"))
    rows = [row(name, workload, of_server) for workload, of_server in trials.items() for name in of_server]
    testbed.print_table(
        ["server", "per connection", "CPU µs/request", "requests/CPU s", "÷ nginx", "÷ apache-worker"],
        [[row["server"], row["requests_per_connection"], row["cpu_us_per_request"],
          row["requests_per_cpu_second"] and round(row["requests_per_cpu_second"]),
          *(row[key] for key in COMPARED_WITH)] for row in rows])
    testbed.save(arguments, environment=environment, versions={name: servers.version(name) for name in references},
                 clients=CLIENTS, seconds=arguments.seconds, rounds=arguments.rounds, rows=rows)
    if bad := sorted({row["server"] for row in rows if any(trial["why_not"] for trial in row["trials"])}):
        raise testbed.Failed(f"not every trial was good for {', '.join(bad)}")


def measure(arguments, name, workload, is_model):
    server_cpu, generator_cpu = testbed.cpus()
    starting = testbed.serving(arguments.hola, name, server_cpu) if is_model else servers.serving(name, server_cpu)
    with starting as server:
        def load(seconds):
            options = {"--clients": CLIENTS, "--duration": f"{seconds}s", "--warmup": "0s",
                       "--requests-per-connection": workload}
            return testbed.load(arguments.hola, server.url, generator_cpu, options)

        load(WARMUP_S)
        time.sleep(SETTLE_S)
        before_ns = server.cpu_ns()
        summary = load(arguments.seconds)
        time.sleep(SETTLE_S)
        cpu_us = (server.cpu_ns() - before_ns) / 1000
        accounted_by = server.accounted_by
    answered = summary["counts"]["ok"]
    # A generator at its limit spoils a rate; what the server spent on each request is the kernel's count all the same.
    failed = [check["detail"] for check in summary["validity"] if not check["ok"] and check["check"] != "generator"]
    return {"cpu_us_per_request": cpu_us / answered if answered else None, "answered": answered,
            "requests_per_s": summary["rates"]["good_per_s"], "accounted_by": accounted_by,
            "why_not": "; ".join(failed) or (None if answered else "it answered nothing")}


def row(name, workload, of_server):
    own = of_server[name]
    cost = testbed.median(counted(own))
    ratios = {}
    for key, other in COMPARED_WITH.items():
        pairs = zip(counted(own), counted(of_server.get(other, [])))
        ratios[key] = testbed.median([ours / theirs for ours, theirs in pairs if ours and theirs])
    return {"server": name, "requests_per_connection": workload, "cpu_us_per_request": cost,
            "requests_per_cpu_second": 1e6 / cost if cost else None, **ratios, "trials": own}


def counted(trials):
    """The cost in each round, `None` where the trial is no good."""
    return [None if trial["why_not"] else trial["cpu_us_per_request"] for trial in trials]


if __name__ == "__main__":
    testbed.run(main)
