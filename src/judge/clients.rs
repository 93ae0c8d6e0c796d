//! Checks of several clients at once.

use std::io::Write;
use std::thread;
use std::time::Duration;

use hola_base::text;
use hola_lab::record::StoredText;

use super::client::{ANSWER_MAX, ASK_AND_CLOSE, connect, greet, read};
use super::crowd::{CLIENTS, WAITS};
use super::examiner::Examiner;
use super::kind::{self, ServerKind};
use super::{Observation, both};

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
    let answer = read(&other, WAITS, |bytes| server.has_body(bytes));
    if !answer.is_answer(&server.body) {
        drop(silent);
        let answer = read(&other, ANSWER_MAX, |bytes| server.has_body(bytes));
        if !answer.is_answer(&server.body) {
            return Err(answer.shown());
        }
    }
    Ok(
        match examiner.crowd().as_ref().map(|crowd| crowd.served_at_once) {
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
            Err(seen) => seen.clone(),
        },
    )
}

pub(super) fn fifty_clients(examiner: &Examiner) -> Observation {
    let server = examiner.start()?;
    let (address, body) = (server.address, &*server.body);
    let answers: Vec<_> = thread::scope(|scope| {
        let clients: Vec<_> = (0..FIFTY)
            .map(|_| scope.spawn(move || greet(address, body, FIFTY_MAX)))
            .collect();
        clients
            .into_iter()
            .filter_map(|client| client.join().ok())
            .collect()
    });
    let wrong: Vec<&StoredText> = answers
        .iter()
        .filter_map(|answer| answer.as_ref().err())
        .collect();
    match wrong.first() {
        None => Ok(both(
            format!("{FIFTY} greetings came"),
            format!("llegaron {FIFTY} saludos"),
        )),
        Some(first) => Err(both(
            format!(
                "{} of {FIFTY} got no greeting; one of them: {}",
                wrong.len(),
                first.en
            ),
            format!(
                "{} de {FIFTY} no recibieron el saludo; uno de ellos: {}",
                wrong.len(),
                first.es
            ),
        )),
    }
}

pub(super) fn as_expected(examiner: &Examiner) -> Observation {
    let crowd = examiner.crowd().as_ref().map_err(Clone::clone)?;
    let kind = kind::of(crowd);
    let seen = kind.map_or(text("unknown", "desconocido"), ServerKind::title);
    let wanted = examiner.expected_kind.map_or(seen, ServerKind::title);
    let seen = both(
        format!("expected: {}; seen: {}", wanted.en, seen.en),
        format!("esperado: {}; visto: {}", wanted.es, seen.es),
    );
    match kind == examiner.expected_kind {
        true => Ok(seen),
        false => Err(seen),
    }
}
