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
    let scale = if arguments.iter().any(|argument| argument == "--bench") {
        Scale::Full
    } else {
        Scale::Quick
    };
    if arguments.iter().any(|argument| argument == "--completion") {
        truth::ENGINE.get_or_init(|| Engine::Completion);
    }
    let asked: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let mut all_hold = true;
    println!("| id | truth | holds | seen (truth) |\n| --- | --- | --- | --- |");
    for claim in CLAIMS {
        let wanted = asked.is_empty() || asked.iter().any(|id| *id == claim.id);
        // A quick run checks only the claim that takes no time.
        if !wanted || (scale == Scale::Quick && asked.is_empty() && claim.id != "V11") {
            continue;
        }
        let began = Instant::now();
        let finding = repeatedly(|| (claim.check)(scale));
        all_hold &= finding.holds();
        println!(
            "| {} | {} | {} | {} |",
            claim.id,
            claim.truth,
            if finding.holds() { "yes" } else { "**no**" },
            finding.seen.join("; ")
        );
        for wrong in &finding.wrong {
            println!("|  |  | wrong | {wrong} |");
        }
        eprintln!("{} took {:.0} s", claim.id, began.elapsed().as_secs_f64());
    }
    ExitCode::from(u8::from(!all_hold))
}
