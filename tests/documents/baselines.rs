//! The tables of METHODOLOGY.md, from the files under `results/baselines/`.

use std::fmt::Write;

use serde_json::Value;

/// Each model beside a bare server of its kind.
pub fn servers(stored: &Value) -> String {
    table(
        "| model | model, µs/request | bare, µs/request | ratio |\n| --- | ---: | ---: | ---: |\n",
        stored,
        |row| {
            format!(
                "| `{}` | {} | {} | {} |",
                text(&row["model"]),
                number(&row["model_cpu_us_per_request"], 1),
                number(&row["bare_cpu_us_per_request"], 1),
                number(&row["ratio"], 2)
            )
        },
    )
}

/// The generator beside others, on the same server.
pub fn generators(stored: &Value) -> String {
    table(
        "| generator | requests per connection | requests/s | CPU, µs/request | rate ÷ wrk's | CPU ÷ wrk's |\n\
         | --- | --- | ---: | ---: | ---: | ---: |\n",
        stored,
        |row| {
            format!(
                "| {} | {} | {} | {} | {} | {} |",
                text(&row["generator"]),
                row["requests_per_connection"].to_string().replace('"', ""),
                number(&row["requests_per_s"], 0),
                number(&row["cpu_us_per_request"], 1),
                number(&row["rate_over_wrk"], 2),
                number(&row["cpu_over_wrk"], 2)
            )
        },
    )
}

/// Whose figures are true: a line per generator, a column per claim.
pub fn proof(stored: &Value) -> String {
    let rows = stored["rows"].as_array().expect("rows");
    let claims: Vec<&String> = rows
        .first()
        .and_then(|row| row["claims"].as_object())
        .expect("claims")
        .keys()
        .collect();
    let mut head = String::from("| generator |");
    let mut rule = String::from("| --- |");
    for claim in &claims {
        let _ = write!(head, " {claim} |");
        rule.push_str(" --- |");
    }
    table(&format!("{head}\n{rule}\n"), stored, |row| {
        let version = row["version"].as_str().unwrap_or_default();
        let name = format!("{} {version}", text(&row["generator"]));
        let cells = claims.iter().map(|claim| {
            let claim = &row["claims"][claim.as_str()];
            let why = text(&claim["why"]);
            let holds = text(&claim["holds"]);
            if why.is_empty() {
                holds.to_owned()
            } else {
                format!("{holds}: {why}")
            }
        });
        let cells: Vec<String> = cells.collect();
        format!("| {} | {} |", name.trim(), cells.join(" | "))
    })
}

/// The models beside nginx and Apache.
pub fn reference(stored: &Value) -> String {
    table(
        "| server | requests per connection | CPU, µs/request | requests per CPU second | CPU ÷ nginx's | CPU ÷ Apache worker's |\n\
         | --- | --- | ---: | ---: | ---: | ---: |\n",
        stored,
        |row| {
            format!(
                "| {} | {} | {} | {} | {} | {} |",
                text(&row["server"]),
                text(&row["requests_per_connection"]),
                number(&row["cpu_us_per_request"], 1),
                number(&row["requests_per_cpu_second"], 0),
                number(&row["ratio_to_nginx"], 2),
                number(&row["ratio_to_apache_worker"], 2)
            )
        },
    )
}

/// What a client that has said half of something takes.
pub fn idle(stored: &Value) -> String {
    table(
        "| server | KiB per idle client | lowest … highest | without clients, KiB | most clients |\n\
         | --- | ---: | ---: | ---: | ---: |\n",
        stored,
        |row| {
            format!(
                "| {} | {} | {} … {} | {} | {} |",
                text(&row["server"]),
                number(&row["kib_per_client"], 2),
                number(&row["lowest"], 2),
                number(&row["highest"], 2),
                number(&row["without_clients_kib"], 0),
                number(&row["clients_max"], 0)
            )
        },
    )
}

/// What comparisons show when a knob is left where it happens to be, and when it is set equal.
pub fn confounders(stored: &Value) -> String {
    let settings = &stored["settings"];
    table(
        "| knob | clients | model | figure | left as it is | | set equal | |\n\
         | --- | ---: | --- | --- | --- | ---: | --- | ---: |\n",
        stored,
        |row| {
            let setting = &settings[text(&row["knob"])];
            format!(
                "| {} | {} | `{}` | {} | {} | {} | {} | {} |",
                text(&row["knob"]),
                number(&row["clients"], 0),
                text(&row["model"]),
                text(&row["figure"]).replace('_', " "),
                text(&setting["published"]),
                number(&row["published"], 1),
                text(&setting["equal"]),
                number(&row["equal"], 1)
            )
        },
    )
}

/// System calls per request: one client at a time, many at once, and what they are.
pub fn syscalls(stored: &Value) -> String {
    let rows = stored["rows"].as_array().expect("rows");
    let mut table = String::from(
        "| model | 1 client | 64 clients | of which, with 64 |\n| --- | ---: | ---: | --- |\n",
    );
    for alone in rows.iter().filter(|row| row["clients"] == 1) {
        let is_crowd = |row: &&Value| row["clients"] == 64 && row["model"] == alone["model"];
        let Some(crowd) = rows.iter().find(is_crowd) else {
            continue;
        };
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | {} |",
            text(&alone["model"]),
            number(&alone["total"], 1),
            number(&crowd["total"], 1),
            calls(&crowd["calls"])
        );
    }
    table
}

/// The calls made in at least one request of twenty, most frequent first.
fn calls(counts: &Value) -> String {
    let counts = counts.as_object().into_iter().flatten();
    let mut counts: Vec<_> = counts
        .filter_map(|(name, count)| Some((name, count.as_f64()?)))
        .filter(|(_, count)| *count >= 0.05)
        .collect();
    counts.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(other.0)));
    let words: Vec<_> = counts
        .iter()
        .map(|(name, count)| match format!("{count:.1}").as_str() {
            "1.0" => (*name).clone(),
            often => format!("{often} × {name}"),
        })
        .collect();
    words.join(", ")
}

fn table(head: &str, stored: &Value, line: impl Fn(&Value) -> String) -> String {
    let rows = stored["rows"].as_array().expect("rows");
    let lines = rows.iter().map(|row| line(row) + "\n");
    head.to_owned() + &lines.collect::<String>()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// A number with that many decimals, a dash where there is none.
fn number(value: &Value, decimals: usize) -> String {
    value
        .as_f64()
        .map_or("–".into(), |number| format!("{number:.decimals$}"))
}
