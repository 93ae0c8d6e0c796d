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

import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOLA = ROOT / "target" / "release" / "hola"
CLIENTS = 64

NGINX_CONF = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_requests 1000000000;
  server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ default_type text/plain; return 200 "Hola, cliente!"; }} }}
}}
"""


def hola(url, seconds, keep_alive):
    reuse = "unlimited" if keep_alive else "1"
    return [str(HOLA), "load", url, "--clients", str(CLIENTS), "--duration", f"{seconds}s", "--warmup", "0s",
            "--requests-per-connection", reuse, "--format", "json"]


def wrk(url, seconds, keep_alive):
    close = [] if keep_alive else ["-H", "Connection: close"]
    return ["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}", *close, url]


def ab(url, seconds, keep_alive):
    # -t implies -n 50000; a larger -n after it lets time decide.
    return ["ab", "-q", "-c", str(CLIENTS), "-t", str(seconds), "-n", "100000000", *(["-k"] if keep_alive else []), url]


def requests_of(tool, output):
    if tool == "hola load":
        summary = json.loads(output)
        return summary["counts"]["ok"] + summary["counts"]["in_flight_at_end"]
    pattern = {"wrk": r"(\d+) requests in", "ab": r"Complete requests:\s+(\d+)"}[tool]
    return int(re.search(pattern, output).group(1))


def cpu_of(command, cpu):
    """Runs a command on one CPU: its output, its CPU time in seconds, and how long it took."""
    begun = time.monotonic()
    process = subprocess.Popen(["taskset", "-c", str(cpu), *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               text=True)
    output = process.stdout.read()
    _, _, usage = os.wait4(process.pid, 0)
    return output, usage.ru_utime + usage.ru_stime, time.monotonic() - begun


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start_nginx(folder, cpu):
    port = free_port()
    conf = pathlib.Path(folder) / "nginx.conf"
    conf.write_text(NGINX_CONF.format(folder=folder, port=port))
    server = subprocess.Popen(["taskset", "-c", str(cpu), "nginx", "-c", str(conf)], stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return server, f"http://127.0.0.1:{port}/"
        except OSError:
            time.sleep(0.02)
    server.terminate()
    sys.exit("nginx did not start")


def measure(arguments, server_cpu, generator_cpu):
    tools = {"hola load": hola}
    for name, tool in (("wrk", wrk), ("ab", ab)):
        if shutil.which(name):
            tools[name] = tool
        else:
            print(f"skipped: {name} is not installed", file=sys.stderr)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        server, url = start_nginx(folder, server_cpu)
        try:
            for keep_alive in (False, True):
                samples = {name: [] for name in tools}
                for round_number in range(arguments.rounds):
                    order = list(tools)
                    order = order[round_number % len(order):] + order[:round_number % len(order)]
                    for name in order:
                        command = tools[name](url, arguments.seconds, keep_alive)
                        output, cpu_s, elapsed_s = cpu_of(command, generator_cpu)
                        requests = requests_of(name, output)
                        samples[name].append((requests / elapsed_s, cpu_s / requests * 1e6))
                        print(f"round {round_number + 1}: {name} {requests / elapsed_s:.0f}/s", file=sys.stderr)
                rows += [row(name, keep_alive, samples) for name in tools]
        finally:
            server.terminate()
            server.wait()
    return rows


def row(name, keep_alive, samples):
    rate = statistics.median(rate for rate, _ in samples[name])
    cpu = statistics.median(cpu for _, cpu in samples[name])
    ratio = {}
    if "wrk" in samples:
        pairs = list(zip(samples[name], samples["wrk"]))
        ratio = {"rate_over_wrk": statistics.median(ours[0] / theirs[0] for ours, theirs in pairs),
                 "cpu_over_wrk": statistics.median(ours[1] / theirs[1] for ours, theirs in pairs)}
    return {"generator": name, "requests_per_connection": "unlimited" if keep_alive else 1, "requests_per_s": rate,
            "cpu_us_per_request": cpu, **ratio, "trials": samples[name]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--save", type=pathlib.Path)
    arguments = parser.parse_args()
    if not HOLA.exists():
        sys.exit("build first: cargo build --release")
    if not shutil.which("nginx"):
        sys.exit("nginx is not installed")
    cpus = sorted(os.sched_getaffinity(0))
    rows = measure(arguments, cpus[0], cpus[-1])
    print(f"{'generator':12}{'reuse':>11}{'requests/s':>12}{'CPU µs/req':>12}{'× wrk rate':>12}{'× wrk CPU':>11}")
    for each in rows:
        print(f"{each['generator']:12}{each['requests_per_connection']:>11}{each['requests_per_s']:>12.0f}"
              f"{each['cpu_us_per_request']:>12.1f}{each.get('rate_over_wrk', float('nan')):>12.2f}"
              f"{each.get('cpu_over_wrk', float('nan')):>11.2f}")
    if arguments.save:
        commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
        command = ["scripts/peers/compare.py", *sys.argv[1:]]
        kept = {"command": command, "commit": commit, "kernel": platform.release(), "clients": CLIENTS,
                "seconds": arguments.seconds, "rounds": arguments.rounds, "rows": rows}
        arguments.save.parent.mkdir(parents=True, exist_ok=True)
        arguments.save.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
