//! The tables of METHODOLOGY.md, from the files under `results/baselines/`.

use std::fmt::Write;

use serde_json::Value;

/// This generator and others, on the same server.
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

/// Which generators give true figures: a line per generator, a column per claim.
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
