//! Bugs that load generators have had, as changes to this one: the suite must catch each of them, and
//! `cargo run -p hola-loadgen --example mutants` shows that it does.
#![allow(dead_code)] // the test looks for their places, the program plants them

/// One bug: where this text stands in `src`, this other text would be it.
pub(crate) struct Bug {
    pub(crate) name: &'static str,
    /// Below `loadgen/src`.
    pub(crate) file: &'static str,
    pub(crate) original: &'static str,
    pub(crate) replacement: &'static str,
    /// The test that must notice: its file below `loadgen/tests`, and its name.
    pub(crate) caught_by: &'static str,
}

pub(crate) const BUGS: &[Bug] = &[
    Bug {
        name: "the send is stamped after the sleep before it, not when it was meant",
        file: "engine/worker.rs",
        original: "self.begin(index, due, counted);",
        replacement: "self.begin(index, self.now.max(due), counted);",
        caught_by: "loads/loops::open_loop_queues_with_the_intended_time_when_connections_run_out",
    },
    Bug {
        name: "response time begins when the generator gets round to it",
        file: "recorder.rs",
        original: "let response = since(times.end, times.intended);",
        replacement: "let response = since(times.end, times.start);",
        caught_by: "loads/loops::open_loop_queues_with_the_intended_time_when_connections_run_out",
    },
    Bug {
        name: "failures are left out of the distribution",
        file: "recorder.rs",
        original: "enter(&mut histograms.response, response);",
        replacement: "if outcome == RequestOutcome::Ok { enter(&mut histograms.response, response); }",
        caught_by: "proof::every_fault_is_counted_exactly",
    },
    Bug {
        name: "failures are not told apart as censored",
        file: "recorder.rs",
        original: "enter(&mut histograms.failed, response);",
        replacement: "",
        caught_by: "proof::every_fault_is_counted_exactly",
    },
    Bug {
        name: "service time leaves connecting out",
        file: "recorder.rs",
        original: "enter(&mut histograms.service, since(times.end, times.start));",
        replacement: "enter(&mut histograms.service, since(times.end, times.start.max(times.connected)));",
        caught_by: "proof::a_starved_generator_names_what_it_lacks",
    },
    Bug {
        name: "response time leaves connecting out",
        file: "recorder.rs",
        original: "let response = since(times.end, times.intended);",
        replacement: "let response = since(times.end, times.intended.max(times.connected));",
        caught_by: "proof::a_starved_generator_names_what_it_lacks",
    },
    Bug {
        name: "sends are paced in whole milliseconds",
        file: "engine/worker.rs",
        original: "until.saturating_sub(self.now)\n",
        replacement: "until.saturating_sub(self.now).div_ceil(1_000_000) * 1_000_000\n",
        caught_by: "proof::requests_reach_the_server_at_the_planned_instants",
    },
    Bug {
        name: "samples are invented for requests that might have been sent",
        file: "recorder.rs",
        original: "enter(&mut histograms.response, response);",
        replacement: "let _ = histograms.response.record_correct(response.max(1), 1_000_000);",
        caught_by: "proof::percentiles_of_a_constant_delay_are_the_servers",
    },
    Bug {
        name: "a percentile is one rank too low",
        file: "histograms.rs",
        original: "u64::try_from((u128::from(count) * u128::from(permille)).div_ceil(1000))",
        replacement: "u64::try_from(u128::from(count) * u128::from(permille) / 1000)",
        caught_by: "proof::percentiles_are_order_statistics_and_shards_merge_without_loss",
    },
    Bug {
        name: "a percentile is printed that no sample supports",
        file: "histograms.rs",
        original: ">= u128::from(MIN_BEYOND) * 1000",
        replacement: ">= u128::from(MIN_BEYOND)",
        caught_by: "histograms::a_percentile_needs_ten_samples_beyond_it",
    },
    Bug {
        name: "merging threads forgets a distribution",
        file: "histograms.rs",
        original: "self.named_mut().into_iter().zip(other.named())",
        replacement: "self.named_mut().into_iter().zip(other.named()).take(5)",
        caught_by: "proof::percentiles_are_order_statistics_and_shards_merge_without_loss",
    },
    Bug {
        name: "merging threads keeps the last one's failures",
        file: "recorder.rs",
        original: "*self.failed.entry(*key).or_default() += count;",
        replacement: "self.failed.insert(*key, *count);",
        caught_by: "proof::every_fault_is_counted_exactly",
    },
    Bug {
        name: "bodies are measured, not compared",
        file: "response.rs",
        original: "self.body_differs |= here != Some(bytes);",
        replacement: "self.body_differs |= here.is_none();",
        caught_by: "loads/hostile::every_class_of_failure_is_counted_exactly",
    },
    Bug {
        name: "arrivals are evenly spaced and called Poisson",
        file: "schedule.rs",
        original: "round_ns(-(-uniform(self.seed, index)).ln_1p() / self.rate_per_s * 1e9)",
        replacement: "round_ns(1e9 / self.rate_per_s)",
        caught_by: "proof::a_single_worker_makes_the_queue_that_theory_knows",
    },
    Bug {
        name: "every thread follows a clock of its own",
        file: "schedule.rs",
        original: "instants.advance(self.rank.index());",
        replacement: "instants.at_ns += self.rank.index();",
        caught_by: "proof::requests_reach_the_server_at_the_planned_instants",
    },
    Bug {
        name: "requests under way at the end are forgotten",
        file: "engine/worker/phases.rs",
        original: "self.window_counts.in_flight_at_end += 1;",
        replacement: "",
        caught_by: "proof::rate_times_response_time_is_the_number_of_clients",
    },
    Bug {
        name: "a generator that was stopped does not notice",
        file: "engine/worker/phases.rs",
        original: "self.window_counts.away_ns += away_ns;",
        replacement: "",
        caught_by: "checks::a_generator_that_was_stopped_for_a_while_says_so",
    },
    Bug {
        name: "clients that wait to try again count as clients that ask",
        file: "engine/exchange.rs",
        original: "self.window_counts.backoff_ns += length;",
        replacement: "",
        caught_by: "checks::a_server_that_is_gone_for_most_of_the_window_is_named_though_few_requests_fail",
    },
    Bug {
        name: "a request that may change something is sent a second time",
        file: "engine/exchange.rs",
        original: "was_kept && was_closed && self.job.is_repeatable()",
        replacement: "was_kept && was_closed",
        caught_by: "command_line/requests::only_idempotent_requests_are_sent_again_when_the_server_closes_a_kept_connection",
    },
    Bug {
        name: "a request follows half of another on its connection",
        file: "engine/exchange.rs",
        original: "let is_written = slot.times.written > 0;",
        replacement: "let is_written = true;",
        caught_by: "command_line/requests::an_answer_before_the_end_of_the_body_never_mixes_two_requests",
    },
];

#[test]
fn every_seeded_bug_still_has_its_place_in_the_source() {
    let read = |path: String| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    for bug in BUGS {
        let (name, original) = (bug.name, bug.original);
        let places = read(format!("src/{}", bug.file)).matches(original).count();
        assert_eq!(places, 1, "{name}: {original:?} in {}", bug.file);
        let (tests, test) = bug.caught_by.split_once("::").expect("a file and a test");
        let tests = read(format!("tests/{tests}.rs"));
        assert!(tests.contains(&format!("fn {test}(")), "{name}: {test}");
    }
}
