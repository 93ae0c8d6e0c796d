#!/usr/bin/env python3
"""Puts `hola load` and other load generators on the same nginx, in turns, and compares them.

Each round runs every generator once for the same time, pinned to one CPU; nginx has one worker on another. What counts
is the CPU time the generator's process spent per request (wait4), with the rate beside it, as medians over rounds.

  scripts/peers/compare.py                         print the table
  scripts/peers/compare.py --save FILE             keep it as JSON too
  scripts/peers/compare.py --rounds 9 --seconds 3

Needs nginx, and at least one peer: wrk or ab. `apt-get install nginx-light wrk apache2-utils` has them on Debian; a
generator that is not there is skipped with a word. Build first: `cargo build --release`.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import testbed
from reference import servers

CLIENTS = 64


def hola(program, url, seconds, keep_alive):
    reuse = "unlimited" if keep_alive else "1"
    return [program, "load", url, "--clients", str(CLIENTS), "--duration", f"{seconds}s", "--warmup", "0s",
            "--requests-per-connection", reuse, "--format", "json"]


def wrk(program, url, seconds, keep_alive):
    close = [] if keep_alive else ["-H", "Connection: close"]
    return [program, "-t1", f"-c{CLIENTS}", f"-d{seconds}", *close, url]


def ab(program, url, seconds, keep_alive):
    # -t implies -n 50000; a larger -n after it lets time decide.
    reuse = ["-k"] if keep_alive else []
    return [program, "-q", "-c", str(CLIENTS), "-t", str(seconds), "-n", "100000000", *reuse, url]


def requests_of(tool, output):
    if tool == "hola load":
        summary = json.loads(output)
        return summary["counts"]["ok"] + summary["counts"]["in_flight_at_end"]
    pattern = {"wrk": r"(\d+) requests in", "ab": r"Complete requests:\s+(\d+)"}[tool]
    return int(re.search(pattern, output).group(1))


def cpu_of(command, cpu):
    """Runs a command on one CPU: its output, its CPU time in seconds, and how long it took."""
    begun = time.monotonic()
    with testbed.Process(command, cpu, stdout=subprocess.PIPE, text=True) as generator:
        output = generator.child.stdout.read()
        _, _, usage = os.wait4(generator.pid, 0)
        elapsed_s = time.monotonic() - begun
        generator.child.returncode = 0
    return output, usage.ru_utime + usage.ru_stime, elapsed_s


def measure(arguments):
    server_cpu, generator_cpu = testbed.cpus()
    tools = {"hola load": (hola, arguments.hola)}
    for name, tool in (("wrk", wrk), ("ab", ab)):
        if program := shutil.which(name):
            tools[name] = (tool, program)
        else:
            testbed.note(f"skipped: {name} is not installed")
    rows = []
    with servers.serving("nginx", server_cpu) as server:
        for keep_alive in (False, True):
            samples = {name: [] for name in tools}
            for round_number in range(arguments.rounds):
                for name in testbed.rotated(tools, round_number):
                    tool, program = tools[name]
                    command = tool(program, server.url, arguments.seconds, keep_alive)
                    output, cpu_s, elapsed_s = cpu_of(command, generator_cpu)
                    requests = requests_of(name, output)
                    samples[name].append((requests / elapsed_s, cpu_s / requests * 1e6))
                    testbed.note(f"round {round_number + 1} of {arguments.rounds}: {name} {requests / elapsed_s:.0f}/s")
            rows += [row(name, keep_alive, samples) for name in tools]
    return rows


def row(name, keep_alive, samples):
    ratios = {}
    if "wrk" in samples:
        pairs = list(zip(samples[name], samples["wrk"]))
        ratios = {"rate_over_wrk": testbed.median([ours[0] / theirs[0] for ours, theirs in pairs]),
                  "cpu_over_wrk": testbed.median([ours[1] / theirs[1] for ours, theirs in pairs])}
    return {"generator": name, "requests_per_connection": "unlimited" if keep_alive else 1,
            "requests_per_s": testbed.median([rate for rate, _ in samples[name]]),
            "cpu_us_per_request": testbed.median([cpu_us for _, cpu_us in samples[name]]), **ratios,
            "trials": samples[name]}


def main():
    parser = testbed.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="times that every generator runs [default: 7]")
    parser.add_argument("--seconds", type=int, default=3, help="length of a run [default: 3]")
    arguments = parser.parse_args()
    testbed.check_built(arguments)
    if not servers.installed(["nginx"]):
        raise testbed.Failed("there is nothing to load")
    environment = testbed.environment()
    rows = measure(arguments)
    testbed.print_table(
        ["generator", "per connection", "requests/s", "CPU µs/request", "rate ÷ wrk's", "CPU ÷ wrk's"],
        [[row["generator"], str(row["requests_per_connection"]), round(row["requests_per_s"]),
          row["cpu_us_per_request"], row.get("rate_over_wrk"), row.get("cpu_over_wrk")] for row in rows])
    testbed.save(arguments, commit=environment["commit"], kernel=environment["kernel"], clients=CLIENTS,
                 seconds=arguments.seconds, rounds=arguments.rounds, rows=rows)


if __name__ == "__main__":
    testbed.run(main)
