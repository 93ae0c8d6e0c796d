#!/usr/bin/env python3
"""Puts load generators before a server that knows the truth, and says whose figures are true.

The server (`loadgen/examples/truth.rs`) follows a plan and logs what it did by its own clock. What a generator prints is
compared with that log, by the same rule for all; a figure that is off is measured twice more, since a busy machine may
spoil one. What a generator does not print, or cannot be asked for, is a dash with the reason.

  V1  every answer takes 1, 10, 100 ms: every percentile printed is the server's, within 1 ms or 1 %
  V2  99 % of answers take 1 ms, 1 % take 100 ms: percentiles on both sides of the jump are on their side
  V3  the server stands still for 1 s of every 10 s: at a rate p90 is 0.10 s and p99 0.91 s, within 10 ms or 2 %
  V6  seven kinds of fault, 1 % each: good answers and failures are counted as the server counted them
  V8  1, 16, 256 clients: rate × mean response is the number of clients, 0.98 to 1.005

  scripts/peers/prove.py                            print the table
  scripts/peers/prove.py --save FILE                keep it as JSON too
  scripts/peers/prove.py --only hola,wrk --claims V1,V6
  scripts/peers/prove.py --tool oha=/opt/oha/bin/oha

Needs `cargo build --release` and `cargo build --release -p hola-loadgen --example truth`. Peers that are not there are
skipped with a word.
"""

import contextlib
import json
import pathlib
import select
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import testbed
import generators
from generators import Ask

LOOKS = 3
# As much as the server's log can be off on a machine where a woken thread waits for its turn.
SLACK_US, SLACK_SHARE = 1000, 0.01


class Cannot(Exception):
    """Why a generator has no verdict."""


@contextlib.contextmanager
def truth(program, plan, cpu):
    """A server that follows a plan; the function yielded stops it and gives its log."""
    command = [program, "--plan", plan]
    with testbed.Process(command, cpu, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        ready, _, _ = select.select([server.child.stdout], [], [], testbed.START_MAX_S)
        line = server.child.stdout.readline().decode() if ready else ""
        if not line.startswith("truth listening on "):
            raise testbed.Failed(f"the truth did not start: {server.words() or 'it said nothing'}")

        def stop():
            server.child.stdin.close()
            return json.loads(server.child.stdout.read())
        yield f"http://{line.split()[-1]}/", stop


class GaveUp(Exception):
    """A generator ended without a report."""


class Bench:
    """One generator before one server at a time."""

    def __init__(self, generator, program):
        self.generator, self.program = generator, program
        self.server_cpu, self.generator_cpu = testbed.cpus()

    def observe(self, plan, **ask):
        """What the generator says and what the server says."""
        with truth(self.program, plan, self.server_cpu) as (url, stop):
            command = self.generator.command(Ask(url, **ask))
            limit_s = 60 + (ask.get("seconds") or 0)
            with testbed.Process(command, self.generator_cpu, stdout=subprocess.PIPE, text=True) as child:
                try:
                    output, _ = child.child.communicate(timeout=limit_s)
                except subprocess.TimeoutExpired as late:
                    raise Cannot(f"did not end within {limit_s} s") from late
            log = stop()
        try:
            return self.generator.report(output), log
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            if child.child.returncode:
                raise GaveUp("gave up without a report") from error
            raise Cannot(f"its report could not be read ({type(error).__name__})") from error


# --- Claims: each gives what was wrong, in few words --------------------------------------------------------------------

def constant(bench):
    # Clients of a closed loop ask all at once, and the last of 64 would wait a millisecond for the server to read it, by
    # a clock that the server does not have. So few clients, and long enough for a thousand answers beyond p99 of 100 ms.
    for delay_ms, clients, seconds in ((1, 1, 6), (10, 4, 6), (100, 16, 8)):
        report, log = bench.observe(f"constant:{delay_ms}ms", clients=clients, seconds=seconds)
        names = {50: "p50", 90: "p90", 99: "p99", 99.9: "p99_9"}
        for share, name in names.items():
            seen, true = report.percentiles_us.get(share), log["delay_us"][name]
            supported = log["delay_us"]["count"] * (100 - share) >= 1000
            if seen is not None and supported and abs(seen - true) > max(SLACK_US, SLACK_SHARE * true):
                yield f"p{share} {ms(seen)}, not {ms(true)}"
        if not set(names) & set(report.percentiles_us):
            raise Cannot("prints no percentiles")


def bimodal(bench):
    report, log = bench.observe("bimodal:1ms,100ms,1%", clients=3, seconds=10)
    fast = {share: us for share, us in report.percentiles_us.items() if 50 <= share < 99}
    slow = {share: us for share, us in report.percentiles_us.items() if 99 < share < 99.99}
    yield from (f"p{share:g} {ms(us)}, not 1 ms" for share, us in fast.items() if us > 50_000)
    yield from (f"p{share:g} {ms(us)}, not 100 ms" for share, us in slow.items() if us < 50_000)
    # Every sample counts in a mean, and an invented one does, too.
    true_us = log["delay_us"]["mean"]
    if report.mean_us is not None and abs(report.mean_us - true_us) > SLACK_US:
        yield f"mean {ms(report.mean_us)}, not {ms(true_us)}"
    if not fast or not slow:
        raise Cannot("prints no percentile above 99")


def stall(bench):
    if not bench.generator.open_loop:
        raise Cannot("closed loop only")
    report, _ = bench.observe("stall:1s/10s,250us", clients=50, rate_per_s=400, seconds=20)
    # P − (1 − q)(1 − ρ)T. Two of them: a generator that sends less during the stall may hit one by chance.
    for share, true in ((90, 100_000), (99, 910_000)):
        seen = report.percentiles_us.get(share)
        if seen is None:
            raise Cannot(f"prints no p{share}")
        if abs(seen - true) > max(0.02 * true, 10 * SLACK_US):
            yield f"p{share} {ms(seen)}, not {ms(true)}"


def faults(bench):
    end = {"requests": 2000} if bench.generator.ends_by_count else {"seconds": 5}
    report, log = bench.observe("faults:1%", clients=8, timeout_s=1, **end)
    good = log["by_fate"]["answered"]
    failed = log["requests"] - good
    slack = 0 if bench.generator.ends_by_count else 8
    if abs(report.good - good) > slack:
        yield f"{report.good} good, not {good}"
    if abs(report.failed - failed) > slack:
        yield f"{report.failed} failed, not {failed}"
    if report.causes is not None:
        pairs = {"reset": "reset before_first_byte", "reset_mid_body": "reset mid_body",
                 "closed_early": "closed_early before_first_byte", "short_body": "closed_early mid_body",
                 "status_500": "status_500 head", "silence": "timeout before_first_byte",
                 "bad_status_line": "parse head"}
        for fate, cause in pairs.items():
            if report.causes.get(cause) != log["by_fate"][fate]:
                yield f"{report.causes.get(cause)} {cause}, not {log['by_fate'][fate]}"


def population(bench):
    for clients in (1, 16, 256):
        # Long enough for generators that print whole milliseconds.
        report, _ = bench.observe("constant:100ms", clients=clients, seconds=10)
        if not report.mean_us or not report.rate_per_s:
            raise Cannot("prints no mean")
        ratio = report.rate_per_s * report.mean_us / 1e6 / clients
        if not 0.98 <= ratio <= 1.005:
            yield f"{clients}: {ratio:.3f}"


CLAIMS = {"V1": constant, "V2": bimodal, "V3": stall, "V6": faults, "V8": population}


def ms(us):
    return f"{us / 1e3:.3g} ms"


def verdict(claim, bench):
    """`yes`, `no` or `–`, and why; the last look counts."""
    for _ in range(LOOKS):
        wrong = []
        try:
            for words in CLAIMS[claim](bench):
                wrong.append(words)
        except Cannot as reason:
            if not wrong:
                return "–", str(reason)
        except GaveUp as reason:
            wrong.append(str(reason))
        if not wrong:
            return "yes", ""
    return "no", wrong[0]


def main():
    parser = testbed.parser(__doc__)
    generators.add_tools(parser)
    parser.add_argument("--truth", type=pathlib.Path, metavar="PATH",
                        default=testbed.ROOT / "target" / "release" / "examples" / "truth",
                        help="the server [default: target/release/examples/truth]")
    parser.add_argument("--claims", metavar="LIST", default=",".join(CLAIMS),
                        help="claims, separated by commas [default: all]")
    arguments = parser.parse_args()
    testbed.check_built(arguments)
    if not arguments.truth.exists():
        raise testbed.Failed("build first: cargo build --release -p hola-loadgen --example truth")
    claims = arguments.claims.split(",")
    if unknown := set(claims) - set(CLAIMS):
        raise testbed.Failed(f"there is no claim {', '.join(sorted(unknown))}")
    environment = testbed.environment()
    rows = []
    for name, generator in generators.found(arguments).items():
        bench = Bench(generator, arguments.truth)
        row = {"generator": name, "version": generator.version(), "claims": {}}
        for claim in claims:
            holds, why = verdict(claim, bench)
            testbed.note(f"{name} {claim}: {holds} {why}")
            row["claims"][claim] = {"holds": holds, "why": why}
        rows.append(row)
    testbed.print_table(["generator", *claims],
                        [[row["generator"], *(" ".join(cell.values()).strip() for cell in row["claims"].values())]
                         for row in rows])
    testbed.save(arguments, commit=environment["commit"], kernel=environment["kernel"], rows=rows)


if __name__ == "__main__":
    testbed.run(main)
