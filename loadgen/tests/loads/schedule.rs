//! The schedule is exactly the requested arrival process, for any number of threads and processes.

use hola_loadgen::Rank;
use hola_loadgen::schedule::Schedule;
use hola_loadgen::summary::Arrivals;
use proptest::prelude::*;

#[test]
fn constant_arrivals_are_exact_quotients_and_never_drift() {
    let schedule = Schedule::new(Arrivals::Constant, 3.0, 1);
    let thirds = [0, 333_333_333, 666_666_666, 1_000_000_000, 1_333_333_333];
    assert!(schedule.instants().take(5).eq(thirds));
    let late = Schedule::new(Arrivals::Constant, 30_000.0, 1)
        .instants()
        .nth(3_000_000);
    assert_eq!(late, Some(100_000_000_000));
}

#[test]
fn poisson_arrivals_have_the_mean_and_the_dispersion_of_their_law() {
    for seed in 0..5 {
        let schedule = Schedule::new(Arrivals::Poisson, 1000.0, seed);
        // 200,000 arrivals: the mean gap is within 4 standard errors, 4/√n.
        let last = schedule.instants().nth(199_999).unwrap();
        let mean_ms = last as f64 / 200_000.0 / 1e6;
        let slack = 4.0 / 200_000_f64.sqrt();
        assert!((mean_ms - 1.0).abs() < slack, "{mean_ms}");
        let mut counts = [0.0; 1000];
        let instants = schedule.instants();
        for at in instants.take_while(|at| *at < 50_000_000_000) {
            counts[usize::try_from(at / 50_000_000).unwrap()] += 1.0;
        }
        let mean = counts.iter().sum::<f64>() / 1000.0;
        let squares = counts.iter().map(|count: &f64| (count - mean).powi(2));
        let variance = squares.sum::<f64>() / 999.0;
        assert!((variance / mean - 1.0).abs() < 0.25, "{}", variance / mean);
    }
}

#[test]
fn seeds_give_different_schedules_and_the_same_seed_the_same_one() {
    let first = |seed| {
        Schedule::new(Arrivals::Poisson, 10.0, seed)
            .instants()
            .take(100)
    };
    assert!(first(7).eq(first(7)));
    assert!(first(7).ne(first(8)));
}

/// An arrival was drawn less than a nanosecond after the one before it, so a window that was to hold 482 held 483.
#[test]
fn no_two_arrivals_share_an_instant() {
    let schedule = Schedule::new(
        Arrivals::Poisson,
        88_103.542_162_380_82,
        6_938_341_108_838_935_906,
    );
    let end = schedule.end_of(445_173_264, 482);
    assert_eq!(schedule.count(445_173_264, end), 482);
    assert_eq!(schedule.count(445_173_264, end - 1), 481);
}

/// The first instants of all shares together are those of the whole schedule, bit for bit, and each is in one share.
fn assert_union(shares: &[Schedule], whole: Schedule) -> Result<(), TestCaseError> {
    let mut union: Vec<(u64, u64)> = Vec::new();
    for share in shares {
        let mut instants = share.instants();
        while instants.index() < 300 {
            union.push((instants.index(), instants.peek()));
            instants.next();
        }
    }
    union.sort_unstable();
    let whole: Vec<(u64, u64)> = (0..).zip(whole.instants().take(300)).collect();
    prop_assert_eq!(union, whole);
    Ok(())
}

fn arrivals() -> impl Strategy<Value = Arrivals> {
    prop_oneof![Just(Arrivals::Poisson), Just(Arrivals::Constant)]
}

proptest! {
    #[test]
    fn threads_together_make_the_one_schedule(
        arrivals in arrivals(), rate in 0.5_f64..1e6, seed: u64, threads in 1_u32..9,
    ) {
        let schedule = Schedule::new(arrivals, rate, seed);
        let shares: Vec<Schedule> = Rank::all(threads).map(|thread| schedule.share(thread)).collect();
        assert_union(&shares, schedule)?;
    }

    #[test]
    fn ranks_together_make_the_one_schedule_whatever_threads_each_has(
        arrivals in arrivals(), rate in 0.5_f64..1e6, seed: u64, ramp_ns in 0_u64..2_000_000_000,
        threads in proptest::collection::vec(1_u32..4, 1..70),
    ) {
        let schedule = Schedule::new(arrivals, rate, seed).ramped(ramp_ns);
        let ranks = Rank::all(u32::try_from(threads.len()).unwrap());
        let shares: Vec<Schedule> = ranks
            .zip(&threads)
            .flat_map(|(rank, threads)| {
                Rank::all(*threads).map(move |thread| schedule.share(rank).share(thread))
            })
            .collect();
        assert_union(&shares, schedule)?;
    }

    #[test]
    fn shares_of_a_window_add_up_to_it(
        arrivals in arrivals(), rate in 1.0_f64..1e4, seed: u64, ramp_ns in 0_u64..200_000_000,
        from in 0_u64..200_000_000, length in 0_u64..10_000_000, ranks in 1_u32..70, total: u64,
    ) {
        let schedule = Schedule::new(arrivals, rate, seed).ramped(ramp_ns);
        let count = |rank| schedule.share(rank).count(from, from + length);
        let sum: u64 = Rank::all(ranks).map(count).sum();
        prop_assert_eq!(sum, schedule.count(from, from + length));
        let shares: Vec<u64> = Rank::all(ranks).map(|rank| rank.share(total)).collect();
        prop_assert_eq!(shares.iter().map(|share| u128::from(*share)).sum::<u128>(), u128::from(total));
        prop_assert!(shares[0] - shares[shares.len() - 1] <= 1 && shares.is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn a_window_holds_as_many_instants_as_are_counted(
        arrivals in arrivals(), rate in 1.0_f64..1e5, seed: u64, from in 0_u64..1_000_000_000, count in 1_u64..500,
    ) {
        let schedule = Schedule::new(arrivals, rate, seed);
        let end = schedule.end_of(from, count);
        prop_assert_eq!(schedule.count(from, end), count);
        prop_assert_eq!(schedule.count(from, end - 1), count - 1);
    }
}

#[test]
fn a_ramp_rises_steadily_and_then_keeps_the_asked_rate() {
    const S: u64 = 1_000_000_000;
    for arrivals in [Arrivals::Constant, Arrivals::Poisson] {
        let schedule = Schedule::new(arrivals, 10_000.0, 3).ramped(4 * S);
        // Half of the rate on average over the ramp, and a quarter of that in its first half.
        for (from, to, expected) in [
            (0, 2 * S, 5_000.0),
            (0, 4 * S, 20_000.0),
            (4 * S, 6 * S, 20_000.0),
        ] {
            let count = schedule.count(from, to) as f64;
            assert!(
                (count - expected).abs() < 5.0 * expected.sqrt(),
                "{arrivals:?}: {count} of {expected}"
            );
        }
    }
}
