//! `hola judge`: examines a small HTTP server that somebody wrote in any language, and says what it does right and wrong.
//!
//! A check of conduct is a row of [`CHECKS`]: it asks a fresh server something, and says what it saw. How results are
//! printed is decided elsewhere.

mod client;
mod clients;
mod connections;
mod cost;
mod counts;
mod crowd;
mod examiner;
mod kind;
mod processes;
mod requests;
mod sandbox;
mod server;

use std::collections::BTreeMap;

use hola_base::{Text, text};
use hola_lab::record::StoredText;
use hola_lab::target::ReachedLimit;
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};

pub use self::cost::{ComparedFigure, CostComparison};
pub use self::examiner::Examiner;
pub use self::kind::ServerKind;
pub use self::sandbox::{SandboxChoice, UsedSandbox};
pub use self::server::ExaminedServer;
use crate::toml_error;

/// Version of the published schema of an examination.
pub const SCHEMA_VERSION: u32 = 3;

/// What a check saw: `Ok` if that is as expected.
type Observation = Result<StoredText, StoredText>;

/// One check of conduct.
#[derive(Clone, Copy, Debug)]
pub struct ConductCheck {
    /// Its name in results and rubrics.
    pub id: &'static str,
    /// What is expected, in one sentence.
    pub expected: Text,
    /// The bytes that it sends, or those that matter.
    sent: &'static [u8],
    /// A shell command that does the same; empty means that `printf` and `nc` send the bytes.
    shell: &'static str,
    /// Whether it looks at the server's processes, so that it cannot examine a server that runs elsewhere.
    needs_processes: bool,
    examine: fn(&Examiner) -> Observation,
}

impl ConductCheck {
    const COMMON: ConductCheck = ConductCheck {
        id: "",
        expected: text("", ""),
        sent: client::ASK_AND_CLOSE,
        shell: "",
        needs_processes: false,
        examine: requests::greeting,
    };

    /// A shell command that repeats it on the server at `port`.
    fn reproduce(&self, port: &str) -> String {
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
        examine: requests::greeting,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "pieces",
        expected: text(
            "A request that arrives one byte at a time gets the same answer.",
            "Una petición que llega byte a byte recibe la misma respuesta.",
        ),
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
        examine: connections::close,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "two_requests",
        expected: text(
            "A second request on a connection is answered, or the connection has been closed before it.",
            "Una segunda petición en una conexión se responde, o la conexión se ha cerrado antes.",
        ),
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
        shell: "for i in $(seq 50); do curl -s http://127.0.0.1:PORT/ & done; wait",
        examine: clients::fifty_clients,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "reset",
        expected: text(
            "A client that resets its connection in the middle harms no other.",
            "Un cliente que reinicia su conexión a mitad no perjudica a ningún otro.",
        ),
        sent: connections::HALF_REQUEST,
        shell: "python3 -c \"import socket,struct; s=socket.create_connection(('127.0.0.1',PORT)); s.send(b'GET / HTTP'); \
            s.setsockopt(socket.SOL_SOCKET,socket.SO_LINGER,struct.pack('ii',1,0)); s.close()\"",
        examine: connections::reset,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "zombies",
        expected: text(
            "After 2,000 requests there are no zombies.",
            "Tras 2000 peticiones no hay zombis.",
        ),
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
        shell: REPEAT,
        needs_processes: true,
        examine: processes::threads,
        ..ConductCheck::COMMON
    },
    ConductCheck {
        id: "stop",
        expected: text(
            "SIGTERM ends the server with all its processes within 5 s, even with a client inside, and its port is free again.",
            "SIGTERM termina el servidor con todos sus procesos en 5 s, incluso con un cliente dentro, y su puerto queda libre.",
        ),
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
        sent: b"",
        shell: "for i in $(seq 64); do sleep 60 | nc 127.0.0.1 PORT & done; ps -eLf",
        needs_processes: true,
        examine: clients::as_expected,
    },
];

/// Many requests, one after another.
const REPEAT: &str =
    "for i in $(seq 2000); do curl -s http://127.0.0.1:PORT/; done; ps -eLf; ls /proc/PID/fd";

/// Whether a check was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// What was seen is as expected.
    Passed,
    /// It is not.
    Failed,
    /// It cannot be examined here.
    NotExamined,
}

/// The result of one check.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CheckResult {
    /// The check's name.
    pub id: String,
    /// Whether it was passed.
    pub state: CheckState,
    /// What is expected.
    pub expected: StoredText,
    /// What was seen.
    pub seen: StoredText,
    /// The bytes that were sent, or those that matter, with escapes.
    pub sent: String,
    /// A shell command that does the same; `PORT` stands for the server's port, `PID` for its process.
    pub reproduce: String,
    /// Points that it gets.
    pub points: f64,
    /// Most points that it can get; 0 if it was not examined.
    pub points_max: f64,
}

/// All that an examination has found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Examination {
    /// Version of this format.
    pub schema_version: u32,
    /// The server: its command, or its address.
    pub server: String,
    /// What kept it from the rest of the machine; `null` if it was not started here.
    pub sandbox: Option<UsedSandbox>,
    /// The limits of its processes together that it reached.
    pub reached_limits: Vec<ReachedLimit>,
    /// How it serves its clients, seen from outside and in `/proc`; `null` if that cannot be seen.
    pub kind: Option<ServerKind>,
    /// Clients that it serves at once; `null` means more than were tried.
    pub serves_at_once: Option<usize>,
    /// Clients that were tried at once.
    pub tried_at_once: usize,
    /// Every check.
    pub checks: Vec<CheckResult>,
    /// What a request costs it, beside the model of its kind; `null` if that was not asked.
    pub cost: Option<CostComparison>,
    /// Why there is no cost although it was asked.
    pub cost_missing: Option<String>,
    /// Points of all checks.
    pub points: f64,
    /// Most points that they can get.
    pub points_max: f64,
}

impl Examination {
    /// The published schema.
    pub fn schema() -> Schema {
        schema_for!(Examination)
    }

    /// How many checks ended in that state.
    pub fn count(&self, state: CheckState) -> usize {
        let checks = self.checks.iter();
        checks.filter(|check| check.state == state).count()
    }
}

/// Points for each check, by its name.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Rubric(BTreeMap<String, f64>);

impl Rubric {
    /// Reads lines such as `greeting = 2`. A check that is not named gets one point.
    ///
    /// # Errors
    /// Names the line, the check or the points that are wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rubric: Rubric = toml::from_str(text).map_err(|error| toml_error(&error))?;
        for (id, points) in &rubric.0 {
            if !CHECKS.iter().any(|check| check.id == id) {
                let ids: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
                return Err(format!("no check '{id}'; there are {}", ids.join(", ")));
            }
            if !points.is_finite() || *points < 0.0 {
                return Err(format!("{id}: {points} are no points"));
            }
        }
        Ok(rubric)
    }

    fn points(&self, id: &str) -> f64 {
        self.0.get(id).copied().unwrap_or(1.0)
    }
}

/// Makes every check.
///
/// # Errors
/// Returns the reason if the server does not start.
pub fn examine(examiner: &Examiner, rubric: &Rubric) -> Result<Examination, String> {
    examiner.starter.first_start()?;
    let checks: Vec<CheckResult> = CHECKS
        .iter()
        .map(|check| result(check, examiner, rubric))
        .collect();
    let crowd = examiner.crowd().ok();
    let kind = crowd.and_then(kind::of);
    let cost = examiner.with_cost.then(|| examiner.cost(kind));
    let (cost, cost_missing) = match cost {
        Some(Ok(cost)) => (Some(cost), None),
        Some(Err(reason)) => (None, Some(reason)),
        None => (None, None),
    };
    Ok(Examination {
        schema_version: SCHEMA_VERSION,
        server: examiner.starter.server().to_string(),
        sandbox: examiner.starter.sandbox().cloned(),
        reached_limits: examiner.starter.reached_limits(),
        kind,
        serves_at_once: crowd.and_then(|crowd| crowd.served_at_once),
        tried_at_once: crowd::CLIENTS,
        points: checks.iter().map(|check| check.points).sum(),
        points_max: checks.iter().map(|check| check.points_max).sum(),
        checks,
        cost,
        cost_missing,
    })
}

fn result(check: &ConductCheck, examiner: &Examiner, rubric: &Rubric) -> CheckResult {
    let (state, seen) = if check.needs_processes && !examiner.starter.has_processes() {
        const ELSEWHERE: Text = text(
            "not examined: the server was not started here",
            "no examinado: el servidor no se inició aquí",
        );
        (CheckState::NotExamined, ELSEWHERE.into())
    } else if check.id == "kind" && examiner.expected_kind.is_none() {
        const NOT_ASKED: Text = text(
            "not examined: no kind was expected",
            "no examinado: no se esperaba ningún tipo",
        );
        (CheckState::NotExamined, NOT_ASKED.into())
    } else {
        match (check.examine)(examiner) {
            Ok(seen) => (CheckState::Passed, seen),
            Err(seen) => (CheckState::Failed, seen),
        }
    };
    let most = rubric.points(check.id);
    let (points, points_max) = match state {
        CheckState::Passed => (most, most),
        CheckState::Failed => (0.0, most),
        CheckState::NotExamined => (0.0, 0.0),
    };
    CheckResult {
        id: check.id.into(),
        state,
        expected: check.expected.into(),
        seen,
        sent: check.sent.escape_ascii().to_string(),
        reproduce: check.reproduce(&examiner.starter.shown_port()),
        points,
        points_max,
    }
}

/// What was seen, as a pass or a failure.
fn observed(is_as_expected: bool, seen: StoredText) -> Observation {
    if is_as_expected { Ok(seen) } else { Err(seen) }
}

/// A text in both languages.
fn both(en: impl Into<String>, es: impl Into<String>) -> StoredText {
    StoredText {
        en: en.into(),
        es: es.into(),
    }
}
