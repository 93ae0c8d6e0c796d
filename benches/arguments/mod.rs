//! `cargo bench` passes the same arguments to every target, criterion's among them. A target without criterion uses
//! only those that apply to it: a filter, `--list`, and test mode (no `--bench`, or `--test`).

/// Options of criterion and of the standard harness that are followed by a value.
const TAKE_A_VALUE: &[&str] = &[
    "--baseline",
    "--baseline-lenient",
    "--color",
    "--colour",
    "--confidence-level",
    "--format",
    "--load-baseline",
    "--measurement-time",
    "--noise-threshold",
    "--nresamples",
    "--output-format",
    "--plotting-backend",
    "--profile-time",
    "--sample-size",
    "--save",
    "--save-baseline",
    "--significance-level",
    "--test-threads",
    "--warm-up-time",
];

/// What a target is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Nothing: the filter is for another target, or the list was asked for (and has been printed).
    Nothing,
    /// Run the full measurement.
    Measure,
    /// Check quickly that it works.
    TryOut,
}

impl Asked {
    /// What `arguments` ask of the target of this name.
    pub fn of(name: &str, mut arguments: impl Iterator<Item = String>) -> Self {
        let (mut bench, mut test, mut list, mut other) = (false, false, false, false);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bench" => bench = true,
                "--test" => test = true,
                "--list" => list = true,
                option if TAKE_A_VALUE.contains(&option) => drop(arguments.next()),
                option if option.starts_with('-') => {}
                filter => other |= !name.contains(filter),
            }
        }
        if other {
            return Asked::Nothing;
        }
        if list {
            println!("{name}: benchmark");
            return Asked::Nothing;
        }
        if bench && !test {
            Asked::Measure
        } else {
            Asked::TryOut
        }
    }
}
