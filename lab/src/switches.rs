//! Context switches of whole CPUs, by any thread or process. The kernel counts them at almost no cost.

use std::io;

use perf_event::events::Software;
use perf_event::{Builder, Counter};

/// A counter on each of a few CPUs (perf_event_open(2), `PERF_COUNT_SW_CONTEXT_SWITCHES`).
#[derive(Debug)]
pub struct Switches {
    counters: Vec<Counter>,
}

impl Switches {
    /// Counts on `cpus` from now on. Most systems allow it to root alone.
    pub fn new(cpus: &[usize]) -> io::Result<Self> {
        let open = |&cpu: &usize| {
            let mut counter = Builder::new(Software::CONTEXT_SWITCHES)
                .any_pid()
                .one_cpu(cpu)
                .include_kernel()
                .include_hv()
                .build()?;
            counter.enable()?;
            Ok(counter)
        };
        let counters = cpus.iter().map(open).collect::<io::Result<_>>()?;
        Ok(Switches { counters })
    }

    /// Switches so far.
    pub fn so_far(&mut self) -> io::Result<u64> {
        self.counters.iter_mut().map(Counter::read).sum()
    }
}
