//! The claims about the generator's figures, checked at full length, as a table. Takes about six minutes:
//!
//! `cargo bench -p hola-loadgen --bench proof [-- V1 V3] [-- --completion]`
//!
//! A bench and not a test, because it needs an optimised build and a quiet machine; a bench and not an example, because
//! one of the claims needs the built program.

#[path = "../tests/claims/mod.rs"]
mod claims;
#[path = "../tests/truth/mod.rs"]
mod truth;

use std::process::ExitCode;
use std::time::Instant;

use claims::{CLAIMS, Scale, repeatedly};
use hola_loadgen::Engine;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Cargo passes `--bench` when it runs the bench, and not when it only tests that the bench works.
    let has = |option: &str| arguments.iter().any(|argument| argument == option);
    let scale = if has("--bench") {
        Scale::Full
    } else {
        Scale::Quick
    };
    if has("--completion") {
        truth::ENGINE.get_or_init(|| Engine::Completion);
    }
    let asked = arguments.iter().filter(|name| !name.starts_with('-'));
    let asked: Vec<&String> = asked.collect();
    let mut all_hold = true;
    println!("| id | truth | holds | seen (truth) |\n| --- | --- | --- | --- |");
    for (id, truth, check) in CLAIMS {
        let wanted = asked.is_empty() || asked.iter().any(|asked| asked == id);
        // A quick run checks only the claim that takes no time.
        if !wanted || (scale == Scale::Quick && asked.is_empty() && *id != "V11") {
            continue;
        }
        let began = Instant::now();
        let finding = repeatedly(|| check(scale));
        all_hold &= finding.holds();
        let holds = if finding.holds() { "yes" } else { "**no**" };
        println!("| {id} | {truth} | {holds} | {} |", finding.seen.join("; "));
        for wrong in &finding.wrong {
            println!("|  |  | wrong | {wrong} |");
        }
        eprintln!("{id} took {:.0} s", began.elapsed().as_secs_f64());
    }
    ExitCode::from(u8::from(!all_hold))
}
