//! Every text of both pages, in both languages, by the name under which their templates and scripts use it.
//!
//! Words in braces stand for values that the script puts there.

use std::collections::BTreeMap;

use hola_base::{Language, Text, text};

/// Names and texts.
const WORDS: &[(&str, Text)] = &[
    ("title", text("Console", "Consola")),
    ("language", text("Language", "Idioma")),
    ("server", text("Server", "Servidor")),
    ("connecting", text("connecting", "conectando")),
    ("connected", text("live", "en directo")),
    (
        "disconnected",
        text(
            "no connection to the console: it has ended, or will be asked again",
            "sin conexión con la consola: ha terminado, o se volverá a preguntar",
        ),
    ),
    (
        "refused_page",
        text(
            "refused: too many pages are open, or the server does not answer; load the page again",
            "rechazada: hay demasiadas páginas abiertas, o el servidor no responde; vuelva a cargar la página",
        ),
    ),
    ("live", text("The server now", "El servidor ahora")),
    (
        "live_note",
        text(
            "Once a second, from the server's own counters and from /proc; this costs the server nothing.",
            "Una vez por segundo, de los contadores del propio servidor y de /proc; al servidor no le cuesta nada.",
        ),
    ),
    (
        "probe_note",
        text(
            "Response times are those of 20 small requests per second that this console sends, each on a new connection; the other figures include them. The median is of the last 10 s, the 99th percentile of the last minute.",
            "Los tiempos de respuesta son los de 20 peticiones pequeñas por segundo que envía esta consola, cada una por una conexión nueva; las demás cifras las incluyen. La mediana es de los últimos 10 s, el percentil 99 del último minuto.",
        ),
    ),
    ("clients", text("Clients", "Clientes")),
    (
        "requests",
        text("Requests per second", "Peticiones por segundo"),
    ),
    ("messages", text("Messages", "Mensajes")),
    (
        "accepted",
        text("Accepted per second", "Aceptados por segundo"),
    ),
    ("processes", text("Processes", "Procesos")),
    ("threads", text("Threads", "Hilos")),
    ("cpu", text("CPU, % of one", "CPU, % de una")),
    ("memory", text("Memory, MiB", "Memoria, MiB")),
    ("refused", text("Refused", "Rechazados")),
    (
        "broken",
        text("Broken off by clients", "Cortados por clientes"),
    ),
    ("expired", text("Timed out", "Fuera de plazo")),
    ("crashed", text("Crashed", "Caídos")),
    (
        "probe_failed",
        text(
            "Probes failed, last minute",
            "Sondas fallidas, último minuto",
        ),
    ),
    (
        "response",
        text("Response time, ms", "Tiempo de respuesta, ms"),
    ),
    ("p50", text("median", "mediana")),
    ("p99", text("99th percentile", "percentil 99")),
    ("two_minutes_ago", text("2 min ago", "hace 2 min")),
    ("now", text("now", "ahora")),
    ("unknown", text("not known", "se desconoce")),
    (
        "chart_text",
        text(
            "{series}: now {now}, lowest {lowest}, highest {highest} in the last two minutes.",
            "{series}: ahora {now}, mínimo {lowest}, máximo {highest} en los últimos dos minutos.",
        ),
    ),
    (
        "chart_empty",
        text("{series}: no figures yet.", "{series}: todavía sin cifras."),
    ),
    ("workers", text("Workers", "Trabajadores")),
    (
        "worker_line",
        text(
            "worker {number}: {clients} clients, {rate} requests/s",
            "trabajador {number}: {clients} clientes, {rate} peticiones/s",
        ),
    ),
    ("load", text("Put load on it", "Ponerle carga")),
    (
        "load_button",
        text(
            "2,000 requests per second for 10 s",
            "2.000 peticiones por segundo durante 10 s",
        ),
    ),
    (
        "load_started",
        text(
            "A load of {rate} requests per second runs for {seconds} s.",
            "Una carga de {rate} peticiones por segundo dura {seconds} s.",
        ),
    ),
    (
        "load_ended",
        text(
            "Answered rightly: {good}/s; failed: {failed}; response time: median {p50} ms, 99th percentile {p99} ms, longest {max} ms.",
            "Bien respondidas: {good}/s; fallidas: {failed}; tiempo de respuesta: mediana {p50} ms, percentil 99 {p99} ms, máximo {max} ms.",
        ),
    ),
    (
        "load_doubtful",
        text(
            "These checks of the measurement failed: {checks}.",
            "Fallaron estas comprobaciones de la medida: {checks}.",
        ),
    ),
    (
        "load_failed",
        text("The load failed: {reason}", "La carga falló: {reason}"),
    ),
    (
        "load_busy",
        text("A load runs already.", "Ya hay una carga en marcha."),
    ),
    ("chat", text("Chat", "Chat")),
    ("client", text("Client", "Cliente")),
    ("address", text("Address", "Dirección")),
    ("since", text("Since", "Desde")),
    (
        "nobody",
        text(
            "No client is connected.",
            "No hay ningún cliente conectado.",
        ),
    ),
    ("log", text("What happened", "Lo que ha pasado")),
    ("show", text("Show", "Mostrar")),
    ("everything", text("everything", "todo")),
    ("to", text("To", "Para")),
    ("all", text("all", "todos")),
    ("one", text("client {client}", "cliente {client}")),
    ("answer", text("Answer", "Respuesta")),
    ("send", text("Send", "Enviar")),
    (
        "line_connected",
        text(
            "[{client}] connected from {address}; {here} here",
            "[{client}] conectado desde {address}; hay {here}",
        ),
    ),
    (
        "line_message",
        text("[{client}] {text}", "[{client}] {text}"),
    ),
    (
        "line_answer_one",
        text("to [{client}]: {text}", "para [{client}]: {text}"),
    ),
    (
        "line_answer_all",
        text(
            "to all ({reached}): {text}",
            "para todos ({reached}): {text}",
        ),
    ),
    (
        "line_dropped",
        text(
            "[{client}] does not read, and has lost the oldest message",
            "[{client}] no lee, y ha perdido el mensaje más antiguo",
        ),
    ),
    (
        "line_failed",
        text("[{client}] failed: {reason}", "[{client}] falló: {reason}"),
    ),
    (
        "line_left",
        text(
            "[{client}] left; {here} here",
            "[{client}] se fue; hay {here}",
        ),
    ),
    (
        "line_died",
        text(
            "[{client}] left, because the process that served it died; {here} here",
            "[{client}] se fue, porque murió el proceso que lo atendía; hay {here}",
        ),
    ),
    (
        "line_missing",
        text(
            "{lines} older lines are no longer kept",
            "{lines} líneas anteriores ya no se guardan",
        ),
    ),
    (
        "gone",
        text("That client is no longer here.", "Ese cliente ya no está."),
    ),
    (
        "not_sent",
        text(
            "Not sent: a line has 1 to 4,096 bytes.",
            "No se envió: una línea tiene de 1 a 4.096 bytes.",
        ),
    ),
    (
        "client_page",
        text(
            "Without a terminal, people on this machine take part here, each page as one client:",
            "Sin terminal se participa aquí, desde esta máquina, cada página como un cliente:",
        ),
    ),
    (
        "take_part",
        text("Take part in the chat", "Participar en el chat"),
    ),
    (
        "take_part_note",
        text(
            "The operator reads what is written here, and answers this page alone or everybody. Others do not see it.",
            "El operador lee lo que se escribe aquí, y responde sólo a esta página o a todos. Los demás no lo ven.",
        ),
    ),
    ("said", text("What was said", "Lo que se ha dicho")),
    ("message", text("Message", "Mensaje")),
    ("line_own", text("you: {text}", "yo: {text}")),
    (
        "line_operator",
        text("operator: {text}", "operador: {text}"),
    ),
    (
        "line_joined",
        text(
            "Connected: the operator sees this page as the client at {address}.",
            "Conectada: el operador ve esta página como el cliente en {address}.",
        ),
    ),
    (
        "line_closed",
        text(
            "The server has closed the connection; load the page again to come back.",
            "El servidor ha cerrado la conexión; vuelva a cargar la página para regresar.",
        ),
    ),
    (
        "line_length",
        text(
            "Not sent: a line has 1 to 1,023 bytes, and this one has {bytes}. A letter such as ñ has 2.",
            "No se envió: una línea tiene de 1 a 1.023 bytes, y ésta tiene {bytes}. Una letra como la ñ tiene 2.",
        ),
    ),
    (
        "not_connected",
        text(
            "Not sent: the server does not take it, or this page is not connected to it.",
            "No se envió: el servidor no lo acepta, o esta página no está conectada con él.",
        ),
    ),
];

/// All texts in a language, by name.
pub(super) fn all(language: Language) -> BTreeMap<&'static str, &'static str> {
    let words = WORDS.iter();
    words
        .map(|(name, words)| (*name, language.of(*words)))
        .collect()
}

#[cfg(test)]
mod tests {
    use hola_base::LANGUAGES;

    use super::*;

    const TEMPLATES: &str = concat!(
        include_str!("../../../templates/page.html"),
        include_str!("../../../templates/console.html"),
        include_str!("../../../templates/client.html"),
    );
    const SCRIPTS: &str = concat!(
        include_str!("../../../templates/page.js"),
        include_str!("../../../templates/console.js"),
        include_str!("../../../templates/client.js"),
    );

    /// Names that a source uses between `before` and `after`.
    fn names<'s>(source: &'s str, before: &str, after: &str) -> Vec<&'s str> {
        let parts = source.split(before).skip(1);
        parts.filter_map(|part| part.split(after).next()).collect()
    }

    #[test]
    fn every_text_has_one_name_and_is_used_and_none_is_missing() {
        let words = all(Language::English);
        assert_eq!(words.len(), WORDS.len());
        let used = [
            names(TEMPLATES, "page.word(\"", "\""),
            names(SCRIPTS, "say('", "'"),
        ]
        .concat();
        for name in &used {
            assert!(words.contains_key(name), "no text {name}");
        }
        for name in words.keys() {
            assert!(used.contains(name), "{name} is not used");
        }
    }

    #[test]
    fn both_languages_have_the_same_values() {
        for (name, _) in WORDS {
            let values = LANGUAGES.map(|language| {
                let mut values = names(all(language)[name], "{", "}");
                values.sort_unstable();
                values
            });
            assert_eq!(values[0], values[1], "{name}");
        }
    }
}
