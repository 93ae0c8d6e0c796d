//! V3: a server that stalls, in an open and in a closed loop.

use std::thread;
use std::time::Duration;

use hola_loadgen::summary::LoopKind;
use hola_loadgen::{Stop, percentile_ns};

use super::{Finding, Scale, Within, unrest_us, us};
use crate::truth::plan::{Plan, Stall, Work};
use crate::truth::planned::Planned;
use crate::truth::{constant, load, measure};

/// Open loop, with stalls of length P in every period T and load ρ: a request that comes u after the stall began waits
/// P − u(1 − ρ), for the stall and for those before it. So the response time exceeds x for a share (P − x) / ((1 − ρ)T)
/// of all, and its q-quantile is P − (1 − q)(1 − ρ)T. A closed loop meets each stall once per client.
pub(crate) fn stall(scale: Scale) -> Finding {
    let stall = Stall {
        length: scale.pick(Duration::from_millis(200), Duration::from_secs(1)),
        period: scale.pick(Duration::from_secs(2), Duration::from_secs(10)),
    };
    let work = Duration::from_micros(250);
    let rho = 0.1;
    let plan = Plan {
        stall: Some(stall),
        ..Plan::queue(Work::Constant(work))
    };
    let closed = thread::spawn(move || {
        let server = Planned::start(plan);
        let mut workload = load(server.address, 1, 1);
        workload.stop = Stop::After(stall.period * 2);
        measure(&workload)
    });
    let server = Planned::start(plan);
    let mut workload = load(server.address, 1, 1);
    // Equal gaps: how many requests meet the stall is then known exactly.
    workload.pace = constant(rho / work.as_secs_f64());
    workload.stop = Stop::After(stall.period * 2);
    let open = measure(&workload);
    let log = server.stop();
    let closed = closed.join().expect("a measurement");

    let mut finding = Finding::default();
    let (p, t) = (stall.length.as_secs_f64(), stall.period.as_secs_f64());
    let within = Within {
        share: scale.pick(0.05, 0.02),
        us: 2000.0 + unrest_us(scale, &log),
    };
    for (permille, beyond) in [(950, 0.05), (990, 0.01)] {
        let truth_s = p - beyond * (1.0 - rho) * t;
        let seen = percentile_ns(&open.histograms.response, permille).expect("enough samples");
        let name = format!("open {permille} ‰");
        finding.compare(&name, us(seen), truth_s * 1e6, within);
    }
    let hidden = percentile_ns(&closed.histograms.response, 990).map_or(f64::INFINITY, us);
    finding.expect(
        hidden < p * 1e6 / 20.0 && closed.summary.plan.loop_kind == LoopKind::Closed,
        format!("closed 990 ‰ {:.2} ms", hidden / 1e3),
    );
    let longest = closed.summary.latency_us.response.max.unwrap_or(0.0);
    finding.require(
        longest > p * 0.9e6,
        format!("the closed loop's longest {:.1} ms", longest / 1e3),
    );
    finding
}
