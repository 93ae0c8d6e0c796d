"""What the measuring scripts share: servers that end with the script, what they cost, the generator, and the record."""

import contextlib
import ctypes
import itertools
import json
import os
import pathlib
import platform
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
GREETING = b"Hola, cliente!"
# Longest waits, in seconds, for a server to listen and to end; a model drains for at most 5 s.
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
    """A process and its descendants, on one CPU if one is given. They end with the `with` block at the latest, and when
    the script itself is killed."""

    def __init__(self, command, cpu=None, **streams):
        self.command = [str(part) for part in command]
        self.cgroup = Cgroup.make()
        self.said = tempfile.TemporaryFile()
        libc = ctypes.CDLL(None)

        def prepare():
            # Between fork and exec, so that not one instruction of the server is missed, or runs elsewhere.
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if cpu is not None:
                os.sched_setaffinity(0, {cpu})
            if self.cgroup:
                self.cgroup.enter()

        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": self.said, **streams}
        try:
            # A session of its own: Ctrl-C is for the script, which ends its servers itself.
            self.child = subprocess.Popen(self.command, preexec_fn=prepare, start_new_session=True, **streams)
        except OSError as error:
            self.clear_up()
            raise Failed(f"cannot run {self.command[0]}: {error}") from error
        self.pid = self.child.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def tree(self):
        """Process ids: its own, and its living descendants'."""
        found, to_visit = [], [self.pid]
        while to_visit:
            pid = to_visit.pop()
            with contextlib.suppress(OSError):
                to_visit += children(pid)
                found.append(pid)
        return found

    def children(self):
        return children(self.pid)

    def sockets(self):
        """The sockets that the tree has open; one that several processes share counts once."""
        return {inode for pid in self.tree() for inode in socket_inodes(pid)}

    def cpu_ns(self):
        """CPU time of the tree so far, with those who have ended."""
        return self.cgroup.cpu_ns() if self.cgroup else sum(ticks_ns(pid) for pid in self.tree())

    @property
    def accounted_by(self):
        return self.cgroup.usage if self.cgroup else "/proc/PID/stat"

    def words(self):
        """What it has written on stderr."""
        self.said.seek(0)
        return self.said.read().decode(errors="replace").strip()

    def stop(self, whom=None):
        """Ends it with a SIGTERM (to `whom`, if that is another process), and what then remains with a SIGKILL."""
        if self.child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(whom or self.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(STOP_MAX_S)
            for pid in (self.cgroup.pids() if self.cgroup else self.tree()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.child.wait()
        self.clear_up()
        return self.child.returncode

    def clear_up(self):
        if self.cgroup:
            self.cgroup.remove()
            self.cgroup = None


class Cgroup:
    """Accounts for a process and all its descendants, also those that have ended and been reaped. Version 1 counts in
    nanoseconds, version 2 in microseconds."""

    numbers = itertools.count()

    def __init__(self, folder, usage):
        self.folder, self.usage = folder, usage
        folder.mkdir()

    @classmethod
    def make(cls):
        """A new one below the script's own, or `None` where that is not allowed."""
        own = {}
        for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            own |= {controller: path for controller in controllers.split(",")}
        mounts = [line.split() for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
        for kind, controller, usage in (("cgroup", "cpuacct", "cpuacct.usage"), ("cgroup2", "", "cpu.stat")):
            for _, mounted_at, mounted_kind, options, *_ in mounts:
                if mounted_kind == kind and (not controller or controller in options.split(",")):
                    name = f"hola-{os.getpid()}-{next(cls.numbers)}"
                    with contextlib.suppress(OSError):
                        return cls(pathlib.Path(mounted_at + own.get(controller, "/")) / name, usage)
        return None

    def enter(self):
        (self.folder / "cgroup.procs").write_text("0")

    def pids(self):
        return [int(pid) for pid in (self.folder / "cgroup.procs").read_text().split()]

    def cpu_ns(self):
        text = (self.folder / self.usage).read_text()
        if self.usage == "cpuacct.usage":
            return int(text)
        return 1000 * int(dict(line.split() for line in text.splitlines())["usage_usec"])

    def remove(self):
        for _ in range(100):
            with contextlib.suppress(OSError):
                self.folder.rmdir()
                return
            # The last process leaves a moment after it has been reaped.
            time.sleep(0.01)
        note(f"cannot remove {self.folder}")


def children(pid):
    """The living children of a process, whichever of its threads made them."""
    lists = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            lists += task.joinpath("children").read_text().split()
    return [int(child) for child in lists]


def ticks_ns(pid):
    """CPU time of a process and of the children it has reaped, to a hundredth of a second."""
    try:
        # The name, in brackets, may hold spaces.
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(map(int, fields[11:15])) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def socket_inodes(pid):
    try:
        descriptors = list(os.scandir(f"/proc/{pid}/fd"))
    except OSError:
        return
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            target = os.readlink(descriptor.path)
            if target.startswith("socket:["):
                yield target[8:-1]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def listeners(port):
    """Inode and length of the accept queue of each listener at a loopback port."""
    with open("/proc/net/tcp", encoding="ascii") as sockets:
        next(sockets)
        for line in sockets:
            fields = line.split()
            # The kernel lists listeners first; there may be many thousands of others.
            if fields[3] != "0A":
                return
            if fields[1] == f"0100007F:{port:04X}":
                yield fields[9], int(fields[4].partition(":")[2], 16)


def wait_until_listening(server, port):
    """Until the kernel says that the listener at this loopback port is the server's, not a stranger's."""
    give_up_at = time.monotonic() + START_MAX_S
    while time.monotonic() < give_up_at:
        if server.child.poll() is not None:
            break
        if {inode for inode, _ in listeners(port)} & server.sockets():
            server.port = port
            server.url = f"http://127.0.0.1:{port}/"
            return server
        time.sleep(0.02)
    raise Failed(f"{server.command[0]} does not listen: {server.words() or 'it said nothing'}")


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


def models(arguments):
    """The models asked for that can run here, as `hola models --json` has them."""
    listed = json.loads(subprocess.run([arguments.hola, "models", "--json"], check=True, capture_output=True).stdout)
    asked = arguments.models.split(",") if arguments.models else [model["name"] for model in listed]
    for name in sorted(set(asked) - {model["name"] for model in listed}):
        note(f"skipped: there is no model {name}")
    chosen = []
    for model in listed:
        if model["name"] in asked and model.get("skipped"):
            note(f"skipped: {model['name']}: {model['skipped']}")
        elif model["name"] in asked:
            chosen.append(model)
    return chosen


def add_models(made):
    made.add_argument("--models", metavar="LIST", help="models, separated by commas [default: all]")


@contextlib.contextmanager
def serving(hola, model, cpu, *options, tracer=()):
    """A fresh server of a model, listening; below a tracer, if one is given."""
    command = [*tracer, hola, "serve", model, "--bind", "127.0.0.1:0", "--cpus", cpu, "--stats", "json", *options]
    with Process(command, stdout=subprocess.PIPE) as server:
        ready, _, _ = select.select([server.child.stdout], [], [], START_MAX_S)
        line = server.child.stdout.readline().decode() if ready else ""
        address = line.strip().removeprefix(f"{model} listening on ")
        if not address.startswith("127.0.0.1:"):
            server.stop()
            raise Failed(f"{model} did not start: {server.words() or 'it said nothing'}")
        yield wait_until_listening(server, int(address.rpartition(":")[2]))


def counters(server):
    """What a model's server has counted, once it has ended."""
    return json.loads(server.words().splitlines()[-1])["counters"]


def load(hola, url, cpu, options):
    """Loads a server and gives the generator's summary; whether a check failed is for `validity` to say."""
    command = [hola, "load", url, "--cpus", cpu, "--format", "json", *itertools.chain(*options.items())]
    with Process(command, cpu, stdout=subprocess.PIPE) as generator:
        output = generator.child.stdout.read()
        if generator.child.wait() != 0:
            raise Failed(f"hola load: {generator.words()}")
    return json.loads(output)


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
