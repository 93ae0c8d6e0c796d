//! Results of each interval of the measured window, while the window is still open.
//!
//! A worker hands over its recorder at each interval boundary and continues with an empty one, so that a request costs
//! the same with and without intervals. The calling thread merges the parts. Every sample is in exactly one recorder,
//! so the intervals add up to the whole. A worker that finds the channel full keeps its recorder until the next
//! boundary: the number of waiting recorders is bounded, and no sample is lost.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, SystemTime};

use crate::histograms::Histograms;
use crate::recorder::Recorder;
use crate::summary::{IntervalSummary, SCHEMA_VERSION};
use crate::units::nanoseconds;

/// Recorders of each worker thread that may wait for the calling thread.
const WAITING_MAX: usize = 2;

/// One interval of the measured window, or of the time after it in which the run waits for late answers.
///
/// A sample belongs to the interval in which its request ended, apart from the few events that a worker handles at
/// once.
#[derive(Clone, Debug)]
pub struct Interval {
    /// Start, from the opening of the measured window.
    pub start: Duration,
    /// Start, by the wall clock.
    pub started_at: SystemTime,
    /// Length.
    pub length: Duration,
    /// Requests begun.
    pub sent: u64,
    /// Requests answered with the right status and body.
    pub ok: u64,
    /// Failures by cause and phase.
    pub failed: BTreeMap<String, BTreeMap<String, u64>>,
    /// Requests under way at its end.
    pub in_flight: u64,
    /// Distributions of the requests that ended in it, in nanoseconds.
    pub histograms: Histograms,
}

impl Interval {
    /// The published form of this interval.
    pub fn summary(&self) -> IntervalSummary {
        IntervalSummary {
            schema_version: SCHEMA_VERSION,
            start_s: self.start.as_secs_f64(),
            length_s: self.length.as_secs_f64(),
            sent: self.sent,
            ok: self.ok,
            failed: self.failed.clone(),
            in_flight: self.in_flight,
            latency_us: self.histograms.latencies(),
        }
    }
}

/// What a worker hands over: all it recorded up to the end of interval `index`.
#[derive(Debug)]
struct Part {
    thread: usize,
    index: u64,
    sent: u64,
    recorder: Recorder,
}

/// A worker's end of the channel.
#[derive(Debug)]
pub(crate) struct IntervalSender {
    thread: usize,
    every_ns: u64,
    /// First interval not handed over yet.
    next: AtomicU64,
    /// Requests begun that were handed over.
    sent: AtomicU64,
    parts: SyncSender<Part>,
}

impl IntervalSender {
    /// Hands over `recorder` if an interval has ended by `now`, in a window that opened at `open`; `sent` counts the
    /// requests begun since then. Returns the end of the current interval.
    pub(crate) fn offer(&self, now: u64, open: u64, sent: u64, recorder: &mut Recorder) -> u64 {
        let Some(elapsed) = now.checked_sub(open) else {
            return open;
        };
        let index = elapsed / self.every_ns;
        if index >= self.next.load(Ordering::Relaxed).max(1) {
            let handed = self.sent.load(Ordering::Relaxed);
            let part = Part {
                thread: self.thread,
                index: index - 1,
                sent: sent - handed,
                recorder: recorder.take(),
            };
            match self.parts.try_send(part) {
                Ok(()) => {
                    self.sent.store(sent, Ordering::Relaxed);
                    self.next.store(index + 1, Ordering::Relaxed);
                }
                Err(TrySendError::Full(part) | TrySendError::Disconnected(part)) => {
                    recorder.merge(&part.recorder);
                }
            }
        }
        open.saturating_add((index + 1).saturating_mul(self.every_ns))
    }
}

/// What is known of one interval so far.
#[derive(Debug, Default)]
struct PartialInterval {
    sent: u64,
    recorder: Option<Recorder>,
}

impl PartialInterval {
    fn add(&mut self, sent: u64, recorder: Recorder) {
        self.sent += sent;
        match &mut self.recorder {
            Some(mine) => mine.merge(&recorder),
            None => self.recorder = Some(recorder),
        }
    }

    fn is_empty(&self) -> bool {
        self.sent == 0 && self.recorder.as_ref().is_none_or(Recorder::is_empty)
    }
}

/// The calling thread's end of the channel: merges the parts of all workers.
#[derive(Debug)]
pub(crate) struct IntervalCollector {
    every_ns: u64,
    parts: Receiver<Part>,
    /// Intervals each worker has handed over, and requests begun in them.
    done: Vec<u64>,
    sent: Vec<u64>,
    /// Index of the interval that is being collected; its parts, and those of the next one.
    index: u64,
    current: PartialInterval,
    next: PartialInterval,
    whole: Recorder,
}

/// One [`IntervalSender`] for each of `threads`, and the [`IntervalCollector`] of their parts.
pub(crate) fn channel(every: Duration, threads: usize) -> (Vec<IntervalSender>, IntervalCollector) {
    let every_ns = nanoseconds(every).max(1);
    let (sender, parts) = sync_channel(WAITING_MAX * threads.max(1));
    let handovers = (0..threads).map(|thread| IntervalSender {
        thread,
        every_ns,
        next: AtomicU64::new(0),
        sent: AtomicU64::new(0),
        parts: sender.clone(),
    });
    let collector = IntervalCollector {
        every_ns,
        parts,
        done: vec![0; threads],
        sent: vec![0; threads],
        index: 0,
        current: PartialInterval::default(),
        next: PartialInterval::default(),
        whole: Recorder::new(),
    };
    (handovers.collect(), collector)
}

/// The moment at which an interval is reported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IntervalEnd {
    /// Time since the measured window opened.
    pub(crate) elapsed_ns: u64,
    /// Requests under way.
    pub(crate) in_flight: u64,
}

impl IntervalCollector {
    /// Receives what the workers have handed over, and reports each interval that is complete.
    pub(crate) fn collect(
        &mut self,
        moment: IntervalEnd,
        tell: &mut dyn FnMut(&Interval, &Histograms),
    ) {
        while let Ok(part) = self.parts.try_recv() {
            self.done[part.thread] = part.index + 1;
            self.sent[part.thread] += part.sent;
            self.place(part.index, part.sent, part.recorder, moment, tell);
            while self.done.iter().all(|done| *done > self.index) {
                self.tell(moment, tell);
            }
        }
    }

    /// Adds what the workers still had when they ended, and returns the whole. `rest` has the requests sent and the
    /// last recorder of each worker.
    pub(crate) fn finish(
        mut self,
        rest: impl Iterator<Item = (u64, Recorder)>,
        moment: IntervalEnd,
        tell: &mut dyn FnMut(&Interval, &Histograms),
    ) -> Recorder {
        self.collect(moment, tell);
        for (thread, (sent, recorder)) in rest.enumerate() {
            let unsaid = sent - self.sent[thread];
            if unsaid > 0 || !recorder.is_empty() {
                self.place(self.done[thread], unsaid, recorder, moment, tell);
            }
        }
        while !self.current.is_empty() || !self.next.is_empty() {
            self.tell(moment, tell);
        }
        self.whole
    }

    /// Adds a part to its interval. The collector does not wait for a worker that is a whole interval behind: a late
    /// part is added to the current interval.
    fn place(
        &mut self,
        index: u64,
        sent: u64,
        recorder: Recorder,
        moment: IntervalEnd,
        tell: &mut dyn FnMut(&Interval, &Histograms),
    ) {
        while index > self.index + 1 {
            self.tell(moment, tell);
        }
        if index <= self.index {
            self.current.add(sent, recorder);
        } else {
            self.next.add(sent, recorder);
        }
    }

    fn tell(&mut self, moment: IntervalEnd, tell: &mut dyn FnMut(&Interval, &Histograms)) {
        let partial = std::mem::replace(&mut self.current, std::mem::take(&mut self.next));
        let recorder = partial.recorder.unwrap_or_else(Recorder::new);
        self.whole.merge(&recorder);
        let start_ns = self.index.saturating_mul(self.every_ns);
        let ago_ns = moment.elapsed_ns.saturating_sub(start_ns);
        self.index += 1;
        let interval = Interval {
            start: Duration::from_nanos(start_ns),
            started_at: SystemTime::now() - Duration::from_nanos(ago_ns),
            length: Duration::from_nanos(ago_ns.min(self.every_ns)),
            sent: partial.sent,
            ok: recorder.ok,
            failed: recorder.failures(),
            in_flight: moment.in_flight,
            histograms: recorder.histograms,
        };
        tell(&interval, &self.whole.histograms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Cause, Phase, RequestOutcome, RequestTimes};

    const MOMENT: IntervalEnd = IntervalEnd {
        elapsed_ns: u64::MAX,
        in_flight: 0,
    };

    fn record(recorder: &mut Recorder, outcome: RequestOutcome) {
        let times = RequestTimes {
            intended: 1,
            start: 2,
            end: 1_000,
            ..RequestTimes::default()
        };
        recorder.record(&times, outcome);
    }

    fn with_one() -> Recorder {
        let mut recorder = Recorder::new();
        record(&mut recorder, RequestOutcome::Ok);
        recorder
    }

    /// Workers whose window opens at 100 and whose intervals are 10 long.
    fn workers(count: usize) -> (Vec<IntervalSender>, IntervalCollector) {
        channel(Duration::from_nanos(10), count)
    }

    #[test]
    fn an_interval_is_told_when_every_worker_has_handed_over() {
        let (workers, mut collector) = workers(2);
        let mut recorder = with_one();
        let mut told = Vec::new();
        for (now, sent, boundary, kept) in [(99, 0, 100, 1), (109, 1, 110, 1), (110, 2, 120, 0)] {
            let next = workers[0].offer(now, 100, sent, &mut recorder);
            assert_eq!((next, recorder.ok), (boundary, kept), "at {now}");
        }
        collector.collect(MOMENT, &mut |interval, _| told.push(interval.clone()));
        assert!(told.is_empty());
        let timeout = RequestOutcome::Failed(Cause::Timeout, Phase::Connect);
        record(&mut recorder, timeout);
        workers[1].offer(113, 100, 5, &mut recorder);
        collector.collect(MOMENT, &mut |interval, _| told.push(interval.clone()));
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].sent, told[0].ok), (7, 1));
        assert_eq!(told[0].failed["timeout"]["connect"], 1);
        let length = Duration::from_nanos(10);
        assert_eq!((told[0].start, told[0].length), (Duration::ZERO, length));
    }

    #[test]
    fn nobody_waits_for_a_worker_that_is_an_interval_behind_and_nothing_is_lost() {
        let (workers, mut collector) = workers(2);
        let mut told = 0;
        let mut sum = Histograms::new();
        for now in [110, 120, 130, 140] {
            workers[0].offer(now, 100, now, &mut with_one());
            collector.collect(MOMENT, &mut |interval, _| {
                told += 1;
                sum.merge(&interval.histograms);
            });
        }
        assert_eq!(told, 2);
        workers[1].offer(145, 100, 1, &mut with_one());
        let rest = [(141, with_one()), (1, Recorder::new())].into_iter();
        let whole = collector.finish(rest, MOMENT, &mut |interval, _| {
            sum.merge(&interval.histograms);
        });
        assert_eq!(whole.ok, 6);
        assert_eq!(whole.histograms, sum);
    }

    #[test]
    fn a_worker_keeps_its_recorder_while_nobody_takes_it() {
        let (workers, collector) = workers(1);
        let mut recorder = Recorder::new();
        for now in [110, 120, 130, 140, 150] {
            record(&mut recorder, RequestOutcome::Ok);
            workers[0].offer(now, 100, now, &mut recorder);
        }
        assert_eq!(recorder.ok, 3, "two wait, the rest is kept");
        let mut sent = Vec::new();
        let rest = [(150, recorder)].into_iter();
        let whole = collector.finish(rest, MOMENT, &mut |interval, _| sent.push(interval.sent));
        assert_eq!((whole.ok, sent), (5, vec![110, 10, 30]));
    }
}
