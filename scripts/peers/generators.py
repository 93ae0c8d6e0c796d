"""The load generators that are compared: how each is asked for the same thing, and what it answers, in one shape."""

import csv
import dataclasses
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

import testbed


@dataclasses.dataclass
class Ask:
    """A load: a closed loop of `clients`, or an open one where there is a rate. It ends after a time or a number."""
    url: str
    clients: int = 16
    rate_per_s: int | None = None
    seconds: int | None = None
    requests: int | None = None
    timeout_s: int = 20
    keep_alive: bool = False


@dataclasses.dataclass
class Report:
    """What a generator printed, in its own figures; `None` for what it does not print."""
    good: int | None = None
    failed: int | None = None
    rate_per_s: float | None = None
    mean_us: float | None = None
    # Percentage → microseconds.
    percentiles_us: dict = dataclasses.field(default_factory=dict)
    # Cause and phase → number, where they are told apart.
    causes: dict | None = None
    lag_p99_us: float | None = None


class Generator:
    # Whether requests can be sent at planned instants, whatever the answers do.
    open_loop = True
    # Whether it can be ended by a number of requests; one ended by time leaves what is under way uncounted.
    ends_by_count = True

    def __init__(self, program):
        self.program = str(program)

    def version(self):
        done = subprocess.run([self.program, "--version"], capture_output=True, text=True, check=False)
        found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
        return found.group(0) if found else None


class Hola(Generator):
    name = "hola load"
    engine = "readiness"
    close = "orderly"

    def command(self, ask):
        pace = ["--rate", ask.rate_per_s, "--arrivals", "constant"] if ask.rate_per_s else ["--clients", ask.clients]
        end = ["--requests", ask.requests] if ask.requests else ["--duration", f"{ask.seconds}s"]
        reuse = "unlimited" if ask.keep_alive else "1"
        return [self.program, "load", ask.url, *pace, *end, "--warmup", "0s", "--timeout", f"{ask.timeout_s}s",
                "--requests-per-connection", reuse, "--engine", self.engine, "--close", self.close, "--format", "json"]

    def report(self, output):
        summary = json.loads(output)
        counts, latency = summary["counts"], summary["latency_us"]
        causes = {f"{cause} {phase}": number for cause, phases in counts["failed"].items()
                  for phase, number in phases.items()}
        response = latency["response"]
        names = {"p50": 50, "p90": 90, "p99": 99, "p99_9": 99.9}
        return Report(good=counts["ok"], failed=sum(causes.values()), rate_per_s=summary["rates"]["completed_per_s"],
                      mean_us=response["mean"], causes=causes, lag_p99_us=latency["lag"]["p99"],
                      percentiles_us={share: response[name] for name, share in names.items()
                                      if response[name] is not None})


class HolaCompletion(Hola):
    name = "hola load (completion)"
    engine = "completion"


class HolaReset(HolaCompletion):
    name = "hola load (completion, reset)"
    close = "reset"


class Wrk(Generator):
    name = "wrk"
    open_loop = False
    ends_by_count = False
    # Its own statistics, through the script that it runs at the end.
    SCRIPT = """
    done = function(summary, latency, requests)
      local errors = summary.errors
      io.write(string.format('HOLA {"requests": %d, "duration_us": %d, "mean_us": %f, "status": %d, "other": %d',
        summary.requests, summary.duration, latency.mean, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout))
      for _, share in ipairs({50, 90, 98.5, 99, 99.5, 99.9}) do
        io.write(string.format(', "%s": %d', share, latency:percentile(share)))
      end
      io.write('}')
    end
    """

    def __init__(self, program):
        super().__init__(program)
        self.script = tempfile.NamedTemporaryFile("w", suffix=".lua")
        self.script.write(self.SCRIPT)
        self.script.flush()

    def version(self):
        done = subprocess.run([self.program, "-v"], capture_output=True, text=True, check=False)
        return re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr).group(0)

    def command(self, ask):
        close = [] if ask.keep_alive else ["-H", "Connection: close"]
        return [self.program, "-t1", f"-c{ask.clients}", f"-d{ask.seconds}", f"--timeout={ask.timeout_s}", *close,
                "-s", self.script.name, ask.url]

    def report(self, output):
        told = json.loads(output.partition("HOLA ")[2])
        shares = {float(name): value for name, value in told.items() if name[0].isdigit()}
        return Report(good=told["requests"] - told["status"], failed=told["status"] + told["other"],
                      rate_per_s=told["requests"] / told["duration_us"] * 1e6, mean_us=told["mean_us"],
                      percentiles_us=shares)


class Ab(Generator):
    name = "ab"
    open_loop = False

    def __init__(self, program):
        super().__init__(program)
        self.table = tempfile.NamedTemporaryFile("r", suffix=".csv")

    def version(self):
        return subprocess.run([self.program, "-V"], capture_output=True, text=True, check=True).stdout.split()[4]

    def command(self, ask):
        # -t implies -n 50000; a larger -n after it lets time decide.
        end = ["-n", ask.requests] if ask.requests else ["-t", ask.seconds, "-n", 100_000_000]
        reuse = ["-k"] if ask.keep_alive else []
        return [self.program, "-q", "-r", "-s", ask.timeout_s, "-c", ask.clients, *end, *reuse, "-e", self.table.name,
                ask.url]

    def report(self, output):
        def figure(pattern):
            found = re.search(pattern, output)
            return float(found.group(1)) if found else None
        with open(self.table.name, encoding="ascii") as table:
            rows = list(csv.reader(table))[1:]
        complete, failed = figure(r"Complete requests:\s+(\d+)"), figure(r"Failed requests:\s+(\d+)")
        mean_ms = figure(r"Total:\s+\d+\s+(\d+)")
        return Report(good=int(complete - failed), failed=int(failed),
                      rate_per_s=figure(r"Requests per second:\s+([\d.]+)"),
                      mean_us=None if mean_ms is None else mean_ms * 1e3,
                      percentiles_us={float(share): float(ms) * 1e3 for share, ms in rows if float(share) > 0})


class Hey(Generator):
    name = "hey"

    def version(self):
        return None

    def command(self, ask):
        end = ["-n", ask.requests] if ask.requests else ["-z", f"{ask.seconds}s"]
        close = [] if ask.keep_alive else ["-disable-keepalive"]
        # Its rate is for each worker.
        rate = ["-q", ask.rate_per_s // ask.clients] if ask.rate_per_s else []
        return [self.program, "-cpus", 1, "-c", ask.clients, "-t", ask.timeout_s, *end, *rate, *close, ask.url]

    def report(self, output):
        def figure(pattern):
            found = re.search(pattern, output)
            return float(found.group(1)) if found else None
        statuses, _, errors = output.partition("Error distribution:")
        by_status = dict(re.findall(r"\[(\d{3})\]\s+(\d+) responses", statuses))
        good = int(by_status.pop("200", 0))
        failed = sum(map(int, by_status.values())) + sum(map(int, re.findall(r"^\s+\[(\d+)\]", errors, re.MULTILINE)))
        mean_s = figure(r"Average:\s+([\d.]+) secs")
        shares = re.findall(r"(\d+)% in ([\d.]+) secs", output)
        return Report(good=good, failed=failed, rate_per_s=figure(r"Requests/sec:\s+([\d.]+)"),
                      mean_us=None if mean_s is None else mean_s * 1e6,
                      percentiles_us={float(share): float(seconds) * 1e6 for share, seconds in shares})


class Oha(Generator):
    name = "oha"

    def command(self, ask):
        end = ["-n", ask.requests] if ask.requests else ["-z", f"{ask.seconds}s"]
        close = [] if ask.keep_alive else ["--disable-keepalive"]
        # Its own answer to coordinated omission.
        rate = ["-q", ask.rate_per_s, "--latency-correction"] if ask.rate_per_s else []
        return [self.program, "--no-tui", "--output-format", "json", "-c", ask.clients, "-t", f"{ask.timeout_s}s",
                *end, *rate, *close, ask.url]

    def report(self, output):
        told = json.loads(output)
        summary, statuses = told["summary"], dict(told["statusCodeDistribution"])
        good = statuses.pop("200", 0)
        # What is under way when time is up is no failure of the server.
        errors = {reason: number for reason, number in told["errorDistribution"].items() if "deadline" not in reason}
        shares = {float(name.lstrip("p")): seconds * 1e6 for name, seconds in told["latencyPercentiles"].items()
                  if seconds is not None}
        return Report(good=good, failed=sum(statuses.values()) + sum(errors.values()),
                      rate_per_s=summary["requestsPerSec"], mean_us=(summary["average"] or 0) * 1e6,
                      percentiles_us=shares)


ALL = (Hola, HolaCompletion, HolaReset, Wrk, Ab, Hey, Oha)


def add_tools(parser):
    parser.add_argument("--tool", action="append", default=[], metavar="NAME=PATH",
                        help="where a generator is that is not in PATH; may be repeated")
    parser.add_argument("--only", metavar="LIST", help="generators, separated by commas [default: all that are here]")


def found(arguments):
    """Those that are here, by name; the others are skipped with a word."""
    places = dict(tool.partition("=")[::2] for tool in arguments.tool)
    for name in sorted(set(places) - {kind.name for kind in ALL}):
        raise testbed.Failed(f"there is no generator {name} to look for")
    generators = {}
    for kind in ALL:
        if arguments.only and kind.name.split()[0] not in arguments.only.split(","):
            continue
        program = arguments.hola if issubclass(kind, Hola) else places.get(kind.name) or shutil.which(kind.name)
        if program and pathlib.Path(program).exists():
            generators[kind.name] = kind(program)
        else:
            testbed.note(f"skipped: {kind.name} is not installed")
    return generators
