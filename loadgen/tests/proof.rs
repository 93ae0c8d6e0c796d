//! The generator's figures agree with the logs of the servers. The bench `proof` measures longer. A program of its own,
//! since each proof needs a quiet machine.

mod claims;
mod truth;

use std::sync::{Mutex, PoisonError};

use claims::{CLAIMS, Scale, repeatedly};

/// One measurement at a time: parallel ones would disturb each other.
static QUIET: Mutex<()> = Mutex::new(());

fn holds(id: &str) {
    let _quiet = QUIET.lock().unwrap_or_else(PoisonError::into_inner);
    let mut claims = CLAIMS.iter().filter(|(name, ..)| *name == id);
    let (_, truth, check) = claims.next().expect("the claim is in the table");
    let finding = repeatedly(|| check(Scale::Quick));
    let (wrong, seen) = (&finding.wrong, &finding.seen);
    assert!(finding.holds(), "{id}, {truth}: {wrong:?} among {seen:?}");
}

/// A test for each claim by its number.
macro_rules! tests_of_claims {
    ($(fn $name:ident() { $claim:ident })*) => {
        $(
            #[test]
            fn $name() {
                holds(stringify!($claim));
            }
        )*
    };
}

tests_of_claims! {
    fn percentiles_of_a_constant_delay_are_the_servers() { V1 }
    fn a_jump_in_the_distribution_is_where_the_server_has_it() { V2 }
    fn an_open_loop_sees_the_stall_that_a_closed_one_hides() { V3 }
    fn requests_reach_the_server_at_the_planned_instants() { V4 }
    fn a_single_worker_makes_the_queue_that_theory_knows() { V5 }
    fn every_fault_is_counted_exactly() { V6 }
    fn rate_times_response_time_is_the_number_of_clients() { V8 }
    fn intervals_hold_the_truth_as_often_as_they_say() { V9 }
    fn a_starved_generator_names_what_it_lacks() { V10 }
    fn percentiles_are_order_statistics_and_shards_merge_without_loss() { V11 }
}
