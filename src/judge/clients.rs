//! Checks of several clients at once.

use std::io::Write;
use std::thread;
use std::time::Duration;

use hola_base::text;
use hola_lab::record::StoredText;

use super::client::{ANSWER_MAX, ASK_AND_CLOSE, connect, greet};
use super::crowd::{CLIENTS, WAITS};
use super::examiner::Examiner;
use super::kind::{self, ServerKind};
use super::{Observation, both, observed};

/// Clients that ask at once.
const FIFTY: usize = 50;
/// Longest wait for the answers of fifty clients: a connection that found the queue full is tried again after a second,
/// then after two more.
const FIFTY_MAX: Duration = Duration::from_secs(10);

pub(super) fn silent_client(examiner: &Examiner) -> Observation {
    let server = examiner.start()?;
    let silent = connect(server.address)?;
    let mut other = connect(server.address)?;
    let _ = other.write_all(ASK_AND_CLOSE);
    if server.answer_on(&other, WAITS).is_err() {
        drop(silent);
        server.answer_on(&other, ANSWER_MAX)?;
    }
    Ok(match examiner.crowd().map(|crowd| crowd.served_at_once) {
        Ok(Some(1)) => both(
            "serves one client at a time: the others wait",
            "atiende a un cliente a la vez: los demás esperan",
        ),
        Ok(Some(count)) => both(
            format!("serves {count} clients at once: the others wait"),
            format!("atiende a {count} clientes a la vez: los demás esperan"),
        ),
        Ok(None) => both(
            format!("serves more than {CLIENTS} clients at once"),
            format!("atiende a más de {CLIENTS} clientes a la vez"),
        ),
        Err(seen) => seen,
    })
}

pub(super) fn fifty_clients(examiner: &Examiner) -> Observation {
    let server = examiner.start()?;
    let (address, body) = (server.address, &*server.body);
    let wrong: Vec<StoredText> = thread::scope(|scope| {
        let ask = |_| scope.spawn(move || greet(address, body, FIFTY_MAX));
        let clients: Vec<_> = (0..FIFTY).map(ask).collect();
        let answers = clients.into_iter().filter_map(|client| client.join().ok());
        answers.filter_map(Result::err).collect()
    });
    let count = wrong.len();
    match wrong.first() {
        None => Ok(both(
            format!("{FIFTY} greetings came"),
            format!("llegaron {FIFTY} saludos"),
        )),
        Some(StoredText { en, es }) => Err(both(
            format!("{count} of {FIFTY} got no greeting; one of them: {en}"),
            format!("{count} de {FIFTY} no recibieron el saludo; uno de ellos: {es}"),
        )),
    }
}

pub(super) fn as_expected(examiner: &Examiner) -> Observation {
    let kind = kind::of(examiner.crowd()?);
    let seen = kind.map_or(text("unknown", "desconocido"), ServerKind::title);
    let wanted = examiner.expected_kind.map_or(seen, ServerKind::title);
    let seen = both(
        format!("expected: {}; seen: {}", wanted.en, seen.en),
        format!("esperado: {}; visto: {}", wanted.es, seen.es),
    );
    observed(kind == examiner.expected_kind, seen)
}
