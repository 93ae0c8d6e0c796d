//! The table of checks: what each of them expects, how to repeat it, and what to read about it.

use hola_base::{Text, text};

use super::examiner::Examiner;
use super::{Observation, client, clients, connections, limits, processes, requests};

/// One check of conduct.
#[derive(Clone, Copy, Debug)]
pub struct ConductCheck {
    /// Its name in results and rubrics.
    pub id: &'static str,
    /// What is expected, in one sentence.
    pub expected: Text,
    /// The bytes that it sends, or those that matter.
    pub(super) sent: &'static [u8],
    /// A shell command that does the same; empty means that `printf` and `nc` send the bytes.
    shell: &'static str,
    /// What to read about it: sections of RFCs, and manual pages.
    pub(super) reading: &'static str,
    /// Whether it looks at the server's processes, so that it cannot examine a server that runs elsewhere.
    pub(super) needs_processes: bool,
    pub(super) examine: fn(&Examiner) -> Observation,
}

impl ConductCheck {
    const COMMON: ConductCheck = ConductCheck {
        id: "",
        expected: text("", ""),
        sent: client::ASK_AND_CLOSE,
        shell: "",
        reading: "",
        needs_processes: false,
        examine: requests::greeting,
    };

    /// A shell command that repeats it on the server at `port`.
    pub(super) fn reproduce(&self, port: &str) -> String {
        if !self.shell.is_empty() {
            return self.shell.replace("PORT", port);
        }
        let sent = self.sent.escape_ascii().to_string().replace('%', "%%");
        format!("printf '{sent}' | nc 127.0.0.1 {port}")
    }
}

/// Every check, in the order in which they are made.
pub const CHECKS: &[ConductCheck] = &[
    ConductCheck {
        id: "greeting",
        expected: text(
            "GET / is answered with status 200 and the body `Hola, cliente!`, whose length is right.",
            "GET / se responde con el estado 200 y el cuerpo `Hola, cliente!`, cuya longitud es correcta.",
        ),
        reading: "RFC 9112 §4, §6.2; RFC 9110 §8.6",
        examine: requests::greeting,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "pieces",
        expected: text(
            "A request that arrives one byte at a time gets the same answer, once it is complete.",
            "Una petición que llega byte a byte recibe la misma respuesta, una vez completa.",
        ),
        reading: "recv(2); RFC 9112 §2.2",
        shell: "printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n' | while IFS= read -rn1 -d '' byte; do \
            printf %s \"$byte\"; sleep 0.01; done | nc 127.0.0.1 PORT",
        examine: requests::pieces,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "head",
        expected: text(
            "HEAD / is answered with status 200 and no body.",
            "HEAD / se responde con el estado 200 y sin cuerpo.",
        ),
        reading: "RFC 9110 §9.3.2",
        sent: requests::HEAD,
        examine: requests::head,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "unknown_path",
        expected: text(
            "A path that does not exist is answered with status 404.",
            "Una ruta que no existe se responde con el estado 404.",
        ),
        reading: "RFC 9110 §15.5.5",
        sent: requests::UNKNOWN_PATH,
        examine: requests::unknown_path,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "bad_request",
        expected: text(
            "A request line that is not HTTP is refused with status 400, and the server lives on.",
            "Una línea de petición que no es HTTP se rechaza con el estado 400, y el servidor sigue vivo.",
        ),
        reading: "RFC 9112 §3; RFC 9110 §15.5.1",
        sent: requests::NO_REQUEST,
        examine: requests::bad_request,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "long_head",
        expected: text(
            "A head of 64 KiB is refused, and the server lives on.",
            "Una cabecera de 64 KiB se rechaza, y el servidor sigue vivo.",
        ),
        reading: "RFC 9110 §5.4; RFC 6585 §5",
        sent: requests::LONG_HEAD,
        shell: "(printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\nX-Long: '; head -c 65536 /dev/zero | tr '\\0' a; \
            printf '\\r\\nConnection: close\\r\\n\\r\\n') | nc 127.0.0.1 PORT",
        examine: requests::long_head,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "half_close",
        expected: text(
            "A client that closes its sending half after the request still gets the answer.",
            "Un cliente que cierra su mitad de envío tras la petición recibe aun así la respuesta.",
        ),
        reading: "shutdown(2); RFC 9112 §9.6; RFC 9293 §3.6",
        shell: "printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' | nc -N 127.0.0.1 PORT",
        sent: client::ASK,
        examine: connections::half_close,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "close",
        expected: text(
            "After a request with `Connection: close`, the server closes the connection.",
            "Tras una petición con `Connection: close`, el servidor cierra la conexión.",
        ),
        reading: "RFC 9112 §9.6",
        examine: connections::close,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "two_requests",
        expected: text(
            "A second request on a connection is answered, or the connection has been closed before it.",
            "Una segunda petición en una conexión se responde, o la conexión se ha cerrado antes.",
        ),
        reading: "RFC 9112 §9.3, §9.3.2",
        sent: b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        examine: connections::two_requests,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "silent_client",
        expected: text(
            "A client that says nothing keeps another one waiting no longer than it is there itself.",
            "Un cliente que no dice nada no hace esperar a otro más tiempo del que él mismo está.",
        ),
        reading: "accept(2), listen(2)",
        sent: b"",
        shell: "sleep 60 | nc 127.0.0.1 PORT & curl --max-time 2 http://127.0.0.1:PORT/",
        examine: clients::silent_client,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "fifty_clients",
        expected: text(
            "Fifty clients that ask at once all get the right answer.",
            "Cincuenta clientes que piden a la vez reciben todos la respuesta correcta.",
        ),
        reading: "listen(2), accept(2)",
        shell: "for i in $(seq 50); do curl -s http://127.0.0.1:PORT/ & done; wait",
        examine: clients::fifty_clients,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "reset",
        expected: text(
            "A client that resets its connection in the middle, or leaves before its answers, harms no other.",
            "Un cliente que reinicia su conexión a mitad, o se va antes de sus respuestas, no perjudica a ningún otro.",
        ),
        reading: "send(2) (EPIPE, ECONNRESET), signal(7) (SIGPIPE), tcp(7)",
        sent: connections::HALF_REQUEST,
        shell: "python3 -c \"import socket,struct; s=socket.create_connection(('127.0.0.1',PORT)); s.send(b'GET / HTTP'); \
            s.setsockopt(socket.SOL_SOCKET,socket.SO_LINGER,struct.pack('ii',1,0)); s.close()\"",
        examine: connections::reset,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "zombies",
        expected: text(
            "After 2,000 requests there are no zombies but of the last clients.",
            "Tras 2000 peticiones no hay más zombis que los de los últimos clientes.",
        ),
        reading: "waitpid(2) (NOTES), sigaction(2) (SA_NOCLDWAIT)",
        shell: REPEAT,
        needs_processes: true,
        examine: processes::zombies,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "descriptors",
        expected: text(
            "After 2,000 requests the server has no more descriptors than before.",
            "Tras 2000 peticiones el servidor no tiene más descriptores que antes.",
        ),
        reading: "close(2), fork(2), /proc/PID/fd in proc(5)",
        shell: REPEAT,
        needs_processes: true,
        examine: processes::descriptors,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "threads",
        expected: text(
            "After 2,000 requests the server has no more threads and processes than before.",
            "Tras 2000 peticiones el servidor no tiene más hilos ni procesos que antes.",
        ),
        reading: "pthread_join(3), pthread_detach(3), waitpid(2)",
        shell: REPEAT,
        needs_processes: true,
        examine: processes::threads,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "descriptor_limit",
        expected: text(
            "When clients have taken all its descriptors and left, the server serves again.",
            "Cuando los clientes han ocupado todos sus descriptores y se han ido, el servidor vuelve a atender.",
        ),
        reading: "accept(2) (EMFILE), getrlimit(2) (RLIMIT_NOFILE)",
        sent: b"",
        shell: "prlimit --pid PID --nofile=64; for i in $(seq 100); do sleep 5 | nc 127.0.0.1 PORT & done; wait; \
            curl http://127.0.0.1:PORT/",
        needs_processes: true,
        examine: limits::descriptor_limit,
    },
    ConductCheck {
        id: "thread_limit",
        expected: text(
            "When the system has refused it a thread or a process for a client, the server serves again once clients have left.",
            "Cuando el sistema le ha negado un hilo o un proceso para un cliente, el servidor vuelve a atender una vez que se van clientes.",
        ),
        reading: "pthread_create(3) (EAGAIN), fork(2) (EAGAIN)",
        sent: b"",
        shell: "for i in $(seq 64); do sleep 5 | nc 127.0.0.1 PORT & done; wait; curl http://127.0.0.1:PORT/ \
            # the server started by: systemd-run --scope --property=TasksMax=40",
        needs_processes: true,
        examine: limits::thread_limit,
    },
    ConductCheck {
        id: "stop",
        expected: text(
            "SIGTERM ends the server with all its processes within 5 s, even with a client inside, and its port is free again.",
            "SIGTERM termina el servidor con todos sus procesos en 5 s, incluso con un cliente dentro, y su puerto queda libre.",
        ),
        reading: "signal(7), kill(2), prctl(2) (PR_SET_PDEATHSIG), socket(7) (SO_REUSEADDR)",
        sent: connections::HALF_REQUEST,
        shell: "(printf 'GET / HTTP'; sleep 60) | nc 127.0.0.1 PORT & kill -TERM PID",
        needs_processes: true,
        examine: processes::stop,
    },
    ConductCheck {
        id: "kind",
        expected: text(
            "The server is of the expected kind.",
            "El servidor es del tipo esperado.",
        ),
        reading: "pthreads(7), fork(2), epoll(7)",
        sent: b"",
        shell: "for i in $(seq 64); do sleep 60 | nc 127.0.0.1 PORT & done; ps -eLf",
        needs_processes: true,
        examine: clients::as_expected,
    },
];

/// Many requests, one after another.
const REPEAT: &str =
    "for i in $(seq 2000); do curl -s http://127.0.0.1:PORT/; done; ps -eLf; ls /proc/PID/fd";
