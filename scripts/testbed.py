"""What the scripts share that compare load generators: processes that end with the script, a server, and the record."""

import contextlib
import ctypes
import json
import os
import pathlib
import platform
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Longest waits, in seconds, for a server to listen and for a process to end; a model drains for at most 5 s.
START_MAX_S = 10
STOP_MAX_S = 8
PR_SET_PDEATHSIG = 1


class Failed(Exception):
    """One sentence for the user: why there is no figure."""


def note(text):
    print(text, file=sys.stderr, flush=True)


def run(main):
    """Runs a script's `main`: whatever ends it, its `with` blocks end what it started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except Failed as failed:
        sys.exit(str(failed))


# --- Processes -------------------------------------------------------------------------------------------------------

class Process:
    """A process, on one CPU if one is given. It ends with the `with` block at the latest, and when the script itself is
    killed."""

    def __init__(self, command, cpu=None, **streams):
        self.command = [str(part) for part in command]
        self.said = tempfile.TemporaryFile()
        libc = ctypes.CDLL(None)

        def prepare():
            # Between fork and exec, so that not one instruction of the server is missed, or runs elsewhere.
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if cpu is not None:
                os.sched_setaffinity(0, {cpu})

        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": self.said, **streams}
        try:
            # A session of its own: Ctrl-C is for the script, which ends its servers itself.
            self.child = subprocess.Popen(self.command, preexec_fn=prepare, start_new_session=True, **streams)
        except OSError as error:
            raise Failed(f"cannot run {self.command[0]}: {error}") from error
        self.pid = self.child.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def words(self):
        """What it has written on stderr."""
        self.said.seek(0)
        return self.said.read().decode(errors="replace").strip()

    def stop(self):
        """Ends it with a SIGTERM, or with a SIGKILL where that is not enough."""
        if self.child.returncode is not None:
            return
        self.child.terminate()
        try:
            self.child.wait(STOP_MAX_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


# --- Hola ------------------------------------------------------------------------------------------------------------

def parser(description):
    import argparse
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--hola", type=pathlib.Path, default=ROOT / "target" / "release" / "hola", metavar="PATH",
                      help="program to measure [default: target/release/hola]")
    made.add_argument("--save", type=pathlib.Path, metavar="FILE", help="keep the result as JSON, too")
    return made


def check_built(arguments):
    if not arguments.hola.exists():
        raise Failed("build first: cargo build --release")


@contextlib.contextmanager
def serving(hola, model, cpu):
    """A fresh server of a model, listening."""
    command = [hola, "serve", model, "--bind", "127.0.0.1:0", "--cpus", cpu]
    with Process(command, stdout=subprocess.PIPE) as server:
        ready, _, _ = select.select([server.child.stdout], [], [], START_MAX_S)
        line = server.child.stdout.readline().decode() if ready else ""
        address = line.strip().removeprefix(f"{model} listening on ")
        if not address.startswith("127.0.0.1:"):
            server.stop()
            raise Failed(f"{model} did not start: {server.words() or 'it said nothing'}")
        server.url = f"http://{address}/"
        yield server


def cpus():
    """One CPU for the server and another for the generator, where there are two."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def rotated(items, round_number):
    """The same items, beginning with another in each round, so that no place in the order is always the same one's."""
    items = list(items)
    first = round_number % len(items) if items else 0
    return items[first:] + items[:first]


# --- Record ----------------------------------------------------------------------------------------------------------

def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def print_table(header, rows):
    """Columns as wide as they must be; the first ones, which hold text, to the left. `None` is a dash."""
    def shown(cell):
        return "–" if cell is None else f"{cell:.2f}" if isinstance(cell, float) else str(cell)
    lines = [list(map(str, header)), *([shown(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    left = [all(isinstance(row[place], str) for row in rows) for place in range(len(header))]
    for line in lines:
        cells = (cell.ljust(width) if to_left else cell.rjust(width)
                 for cell, width, to_left in zip(line, widths, left))
        print("  ".join(cells).rstrip())


def environment():
    """The machine and the program measured, at the moment of asking."""
    def git(*arguments):
        done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None
    changes = git("status", "--porcelain", "--untracked-files=no")
    cpu_models = [line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")]
    return {"cpu_model": cpu_models[0] if cpu_models else platform.machine(), "cpus": os.cpu_count(),
            "kernel": platform.release(), "load_before": os.getloadavg()[0], "commit": git("rev-parse", "HEAD"),
            "dirty": None if changes is None else bool(changes)}


def save(arguments, **fields):
    """Writes the record, if it is to be kept, with the command that makes it."""
    if not arguments.save:
        return
    script = pathlib.Path(sys.argv[0]).resolve().relative_to(ROOT)
    kept = {"command": [str(script), *sys.argv[1:]], **fields}
    arguments.save.parent.mkdir(parents=True, exist_ok=True)
    arguments.save.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")
