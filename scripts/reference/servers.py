"""nginx and Apache in the foreground on loopback, from the configurations in this folder."""

import contextlib
import grp
import os
import pathlib
import pwd
import resource
import shutil
import subprocess
import tempfile

import testbed

FOLDER = pathlib.Path(__file__).resolve().parent
NAMES = ("nginx", "apache-worker", "apache-event", "apache-prefork")
# Debian's, and other systems'.
APACHE_PROGRAMS = ("apache2", "httpd")
APACHE_MODULES = ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules")


def program(name):
    """The path of a server's program; `None` if it is not installed."""
    names = ("nginx",) if name == "nginx" else APACHE_PROGRAMS
    # Servers live where only root looks.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])
    return next((found for each in names if (found := shutil.which(each, path=path))), None)


def version(name):
    # nginx says it on stderr.
    done = subprocess.run([program(name), "-v"], capture_output=True, text=True, check=True)
    return (done.stdout + done.stderr).splitlines()[0].partition(":")[2].strip()


def installed(names):
    """Those that can be started; for each other one, a reason on stderr."""
    found = [name for name in names if program(name)]
    for name in names:
        if name not in found:
            testbed.note(f"skipped: {name} is not installed")
    return found


@contextlib.contextmanager
def serving(name, cpu):
    """A fresh server, listening, on one CPU."""
    nobody = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory(prefix="hola-") as folder:
        folder = pathlib.Path(folder)
        # Workers give up root's rights, and read the file nevertheless.
        folder.chmod(0o755)
        (folder / "public").mkdir()
        (folder / "public" / "greeting").write_bytes(testbed.GREETING)
        port = testbed.free_port()
        words = {"folder": folder, "port": port, "user": nobody.pw_name, "group": grp.getgrgid(nobody.pw_gid).gr_name,
                 "modules": next(filter(os.path.isdir, APACHE_MODULES), APACHE_MODULES[0]),
                 "descriptors": resource.getrlimit(resource.RLIMIT_NOFILE)[1]}
        for template in FOLDER.glob("*.conf.in"):
            text = template.read_text()
            for word, value in words.items():
                text = text.replace(f"@{word}@", str(value))
            (folder / template.stem).write_text(text)
        options = ["-c"] if name == "nginx" else ["-DFOREGROUND", "-f"]
        with testbed.Process([program(name), *options, folder / f"{name}.conf"], cpu) as server:
            yield testbed.wait_until_listening(server, port)
