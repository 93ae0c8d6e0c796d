#!/usr/bin/env python3
"""Puts `hola load` and other load generators on the same server, in turns, and compares what they cost.

Each round runs every generator once for the same time, pinned to one CPU; the server has another. What counts
is the CPU time the generator's process spent per request (wait4), with the rate beside it, as medians over rounds:

  closed loop   64 clients, a connection per request and connections that stay
  open loop     a rate, a connection per request: how far the rate achieved is from the one asked for, and how late
                requests left where the generator says so
  memory        peak resident memory after a number of requests

  scripts/peers/compare.py                         print the tables
  scripts/peers/compare.py --save FILE             keep them as JSON too
  scripts/peers/compare.py --rounds 9 --seconds 3 --rate 5000
  scripts/peers/compare.py --tool oha=/opt/oha/bin/oha

Needs at least one peer: wrk, ab, hey or oha. `apt-get install wrk apache2-utils hey` and `cargo install oha`
have them; a generator that is not there is skipped with a word. Build first: `cargo build --release`.
"""

import os
import pathlib
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import testbed
import generators
from generators import Ask

CLIENTS = 64
# Of the models the one that asks least of its CPU per request: with a slower one, what is compared on connections
# that stay is how much of the server each generator wakes, not what it can do.
SERVER = "epoll"


class Run:
    """One run of a generator on one CPU: its report, its CPU time in seconds, its length and its peak memory."""

    def __init__(self, generator, ask, cpu):
        begun = time.monotonic()
        with testbed.Process(generator.command(ask), cpu, stdout=subprocess.PIPE, text=True) as child:
            self.peak_kib = 0
            watcher = threading.Thread(target=self.watch_memory, args=(child.pid,))
            watcher.start()
            output = child.child.stdout.read()
            # What wait4 says of memory includes the script's own, from between fork and exec: hence the watcher.
            _, _, usage = os.wait4(child.pid, 0)
            self.elapsed_s = time.monotonic() - begun
            child.child.returncode = 0
            watcher.join()
        self.cpu_s = usage.ru_utime + usage.ru_stime
        try:
            self.report = generator.report(output)
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            raise testbed.Failed(f"{generator.name}: no report in {output[-200:]!r}") from error
        self.requests = max(1, self.report.good + self.report.failed)

    def watch_memory(self, pid):
        """The kernel keeps the peak; the last look before the end has it, give or take."""
        while True:
            try:
                status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
            except OSError:
                return
            peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
            # One that has ended has none.
            if not peaks:
                return
            self.peak_kib = int(peaks[0])
            time.sleep(0.02)

    @property
    def cpu_us_per_request(self):
        return self.cpu_s / self.requests * 1e6


def in_turns(tools, arguments, cpu, ask):
    """Runs of every generator, by name: each round begins with another one."""
    runs = {name: [] for name in tools}
    for round_number in range(arguments.rounds):
        for name in testbed.rotated(tools, round_number):
            run = Run(tools[name], ask, cpu)
            runs[name].append(run)
            testbed.note(f"round {round_number + 1} of {arguments.rounds}: {name} {run.requests / run.elapsed_s:.0f}/s")
    return runs


def closed(tools, arguments, cpu, url):
    rows = []
    for keep_alive in (False, True):
        ask = Ask(url, clients=CLIENTS, seconds=arguments.seconds, keep_alive=keep_alive)
        runs = in_turns(tools, arguments, cpu, ask)
        samples = {name: [(run.requests / run.elapsed_s, run.cpu_us_per_request) for run in those]
                   for name, those in runs.items()}
        rows += [closed_row(name, keep_alive, samples) for name in tools]
    return rows


def closed_row(name, keep_alive, samples):
    ratios = {}
    if "wrk" in samples:
        pairs = list(zip(samples[name], samples["wrk"]))
        ratios = {"rate_over_wrk": testbed.median([ours[0] / theirs[0] for ours, theirs in pairs]),
                  "cpu_over_wrk": testbed.median([ours[1] / theirs[1] for ours, theirs in pairs])}
    return {"generator": name, "requests_per_connection": "unlimited" if keep_alive else 1,
            "requests_per_s": testbed.median([rate for rate, _ in samples[name]]),
            "cpu_us_per_request": testbed.median([cpu_us for _, cpu_us in samples[name]]), **ratios,
            "trials": samples[name]}


def opened(tools, arguments, cpu, url):
    tools = {name: tool for name, tool in tools.items() if tool.open_loop}
    # Workers of the generators that need some to keep a rate; a rate is theirs together.
    ask = Ask(url, clients=50, rate_per_s=arguments.rate, seconds=arguments.seconds)
    runs = in_turns(tools, arguments, cpu, ask)
    rows = []
    for name, those in runs.items():
        achieved = testbed.median([run.report.good / arguments.seconds for run in those])
        rows.append({"generator": name, "rate_per_s": arguments.rate, "achieved_per_s": achieved,
                     "error_percent": (achieved / arguments.rate - 1) * 100,
                     "cpu_us_per_request": testbed.median([run.cpu_us_per_request for run in those]),
                     "lag_p99_us": testbed.median([run.report.lag_p99_us for run in those])})
    return rows


def memory(tools, arguments, cpu, url):
    rows = []
    for name, tool in tools.items():
        # One that cannot be ended by a number runs for as long as that takes at a usual rate.
        end = {"requests": arguments.requests} if tool.ends_by_count else {"seconds": max(1, arguments.requests // 50_000)}
        run = Run(tool, Ask(url, clients=CLIENTS, keep_alive=True, **end), cpu)
        rows.append({"generator": name, "requests": run.requests, "peak_kib": run.peak_kib})
        testbed.note(f"{name}: {run.peak_kib} KiB after {run.requests} requests")
    return rows


def main():
    parser = testbed.parser(__doc__)
    generators.add_tools(parser)
    parser.add_argument("--rounds", type=int, default=7, help="times that every generator runs [default: 7]")
    parser.add_argument("--seconds", type=int, default=3, help="length of a run [default: 3]")
    parser.add_argument("--rate", type=int, default=5000, help="requests per second of the open loop [default: 5000]")
    parser.add_argument("--requests", type=int, default=200_000,
                        help="requests after which memory is compared [default: 200000]")
    arguments = parser.parse_args()
    testbed.check_built(arguments)
    environment = testbed.environment()
    tools = generators.found(arguments)
    server_cpu, generator_cpu = testbed.cpus()
    with testbed.serving(arguments.hola, SERVER, server_cpu) as server:
        rows = closed(tools, arguments, generator_cpu, server.url)
        open_loop = opened(tools, arguments, generator_cpu, server.url)
        peaks = memory(tools, arguments, generator_cpu, server.url)
    testbed.print_table(
        ["generator", "per connection", "requests/s", "CPU µs/request", "rate ÷ wrk's", "CPU ÷ wrk's"],
        [[row["generator"], str(row["requests_per_connection"]), round(row["requests_per_s"]),
          row["cpu_us_per_request"], row.get("rate_over_wrk"), row.get("cpu_over_wrk")] for row in rows])
    print()
    testbed.print_table(
        ["generator", "asked/s", "achieved/s", "error, %", "CPU µs/request", "lag p99, µs"],
        [[row["generator"], row["rate_per_s"], round(row["achieved_per_s"]), row["error_percent"],
          row["cpu_us_per_request"], row["lag_p99_us"]] for row in open_loop])
    print()
    testbed.print_table(["generator", "requests", "peak, KiB"],
                        [[row["generator"], row["requests"], row["peak_kib"]] for row in peaks])
    testbed.save(arguments, commit=environment["commit"], kernel=environment["kernel"], server=SERVER,
                 clients=CLIENTS, seconds=arguments.seconds, rounds=arguments.rounds, versions={
                     name: tool.version() for name, tool in tools.items()},
                 rows=rows, open_loop=open_loop, memory=peaks)


if __name__ == "__main__":
    testbed.run(main)
