//! Bugs that load generators have had, as changes to this one: the suite must catch each of them.
#![allow(dead_code)] // the test looks for their places, the program plants them

/// One bug: where this text stands in `src`, this other text would be it.
pub(crate) struct Bug {
    pub(crate) name: &'static str,
    /// Below `loadgen/src`.
    pub(crate) file: &'static str,
    pub(crate) original: &'static str,
    pub(crate) replacement: &'static str,
}

pub(crate) const BUGS: &[Bug] = &[
    Bug {
        name: "the send is stamped after the sleep before it, not when it was meant",
        file: "engine/worker.rs",
        original: "self.begin(index, due, counted);",
        replacement: "self.begin(index, self.now.max(due), counted);",
    },
    Bug {
        name: "response time begins when the generator gets round to it",
        file: "recorder.rs",
        original: "let response = since(times.end, times.intended);",
        replacement: "let response = since(times.end, times.start);",
    },
    Bug {
        name: "failures are left out of the distribution",
        file: "recorder.rs",
        original: "enter(&mut histograms.response, response);",
        replacement: "if outcome == Outcome::Ok { enter(&mut histograms.response, response); }",
    },
    Bug {
        name: "failures are not told apart as censored",
        file: "recorder.rs",
        original: "enter(&mut histograms.failed, response);",
        replacement: "",
    },
    Bug {
        name: "service time leaves connecting out",
        file: "recorder.rs",
        original: "enter(&mut histograms.service, since(times.end, times.start));",
        replacement: "enter(&mut histograms.service, since(times.end, times.start.max(times.connected)));",
    },
    Bug {
        name: "response time leaves connecting out",
        file: "recorder.rs",
        original: "let response = since(times.end, times.intended);",
        replacement: "let response = since(times.end, times.intended.max(times.connected));",
    },
    Bug {
        name: "sends are paced in whole milliseconds",
        file: "engine/worker.rs",
        original: "until.saturating_sub(self.now)\n",
        replacement: "until.saturating_sub(self.now).div_ceil(1_000_000) * 1_000_000\n",
    },
    Bug {
        name: "samples are invented for requests that might have been sent",
        file: "recorder.rs",
        original: "enter(&mut histograms.response, response);",
        replacement: "let _ = histograms.response.record_correct(response.max(1), 1_000_000);",
    },
    Bug {
        name: "a percentile is one rank too low",
        file: "histograms.rs",
        original: "u64::try_from((u128::from(count) * u128::from(permille)).div_ceil(1000))",
        replacement: "u64::try_from(u128::from(count) * u128::from(permille) / 1000)",
    },
    Bug {
        name: "a percentile is printed that no sample supports",
        file: "histograms.rs",
        original: ">= u128::from(MIN_BEYOND) * 1000",
        replacement: ">= u128::from(MIN_BEYOND)",
    },
    Bug {
        name: "merging threads forgets a distribution",
        file: "histograms.rs",
        original: "(&mut self.failed, &other.failed),",
        replacement: "",
    },
    Bug {
        name: "merging threads keeps the last one's failures",
        file: "recorder.rs",
        original: "*self.failed.entry(*key).or_default() += count;",
        replacement: "self.failed.insert(*key, *count);",
    },
    Bug {
        name: "bodies are measured, not compared",
        file: "response.rs",
        original: "self.body_differs |= here != Some(bytes);",
        replacement: "self.body_differs |= here.is_none();",
    },
    Bug {
        name: "arrivals are evenly spaced and called Poisson",
        file: "schedule.rs",
        original: "round_ns(-(-uniform(self.seed, index)).ln_1p() / self.rate_per_s * 1e9)",
        replacement: "round_ns(1e9 / self.rate_per_s)",
    },
    Bug {
        name: "every thread follows a clock of its own",
        file: "schedule.rs",
        original: "instants.advance(u64::from(thread));",
        replacement: "instants.at_ns += u64::from(thread);",
    },
    Bug {
        name: "requests under way at the end are forgotten",
        file: "engine/worker.rs",
        original: "self.ledger.in_flight_at_end += 1;",
        replacement: "",
    },
];
