//! What happened in each interval of the measured window, while it is still open.
//!
//! A worker hands its recorder over at each boundary and goes on with an empty one, so that a request costs the same
//! whether anybody asked for intervals or not. The watching thread puts the parts together. Every sample is in exactly one
//! recorder, so the intervals add up to the whole. A worker that finds the channel full keeps its recorder until the next
//! boundary: what waits is bounded, and nothing is lost.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, SystemTime};

use crate::histograms::Histograms;
use crate::recorder::Recorder;
use crate::summary::{IntervalSummary, SCHEMA_VERSION};

/// Recorders that may wait for the watching thread, for each worker thread.
const WAITING_MOST: usize = 2;

/// One interval of the measured window, or the time after it in which late answers were awaited.
///
/// A sample belongs to the interval in which its request ended, give or take what a worker handles at once.
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
    /// What is published of it.
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

    /// Adds the interval that follows this one.
    pub fn append(&mut self, next: &Self) {
        self.length += next.length;
        self.sent += next.sent;
        self.ok += next.ok;
        for (cause, phases) in &next.failed {
            let known = self.failed.entry(cause.clone()).or_default();
            for (phase, count) in phases {
                *known.entry(phase.clone()).or_default() += count;
            }
        }
        self.in_flight = next.in_flight;
        self.histograms.merge(&next.histograms);
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
pub(crate) struct Handover {
    thread: usize,
    every_ns: u64,
    /// First interval not handed over yet.
    next: AtomicU64,
    /// Requests begun that were handed over.
    sent: AtomicU64,
    parts: SyncSender<Part>,
}

impl Handover {
    /// Hands `recorder` over if an interval has ended at `now` in a window open since `open`; `sent` counts the requests
    /// begun since then. Returns the end of the interval under way.
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
                    recorder.put_back(&part.recorder);
                }
            }
        }
        open.saturating_add((index + 1).saturating_mul(self.every_ns))
    }
}

/// What is known of one interval so far.
#[derive(Debug, Default)]
struct Pile {
    sent: u64,
    recorder: Option<Recorder>,
}

impl Pile {
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

/// The watching thread's end of the channel: puts the parts of all workers together.
#[derive(Debug)]
pub(crate) struct Collector {
    every_ns: u64,
    parts: Receiver<Part>,
    /// Intervals each worker has handed over, and requests begun in them.
    done: Vec<u64>,
    sent: Vec<u64>,
    /// The interval that is put together now, and the one after it.
    index: u64,
    current: Pile,
    next: Pile,
    whole: Recorder,
}

/// One [`Handover`] for each of `threads`, and the [`Collector`] of their parts.
pub(crate) fn channel(every: Duration, threads: usize) -> (Vec<Handover>, Collector) {
    let every_ns = u64::try_from(every.as_nanos()).unwrap_or(u64::MAX).max(1);
    let (sender, parts) = sync_channel(WAITING_MOST * threads.max(1));
    let handovers = (0..threads).map(|thread| Handover {
        thread,
        every_ns,
        next: AtomicU64::new(0),
        sent: AtomicU64::new(0),
        parts: sender.clone(),
    });
    let collector = Collector {
        every_ns,
        parts,
        done: vec![0; threads],
        sent: vec![0; threads],
        index: 0,
        current: Pile::default(),
        next: Pile::default(),
        whole: Recorder::new(),
    };
    (handovers.collect(), collector)
}

/// When an interval is told of: since the window opened, and by how many requests under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Time since the measured window opened.
    pub(crate) elapsed_ns: u64,
    /// Requests under way.
    pub(crate) in_flight: u64,
}

impl Collector {
    /// Takes what the workers have handed over, and tells of each interval that is complete.
    pub(crate) fn collect(&mut self, moment: Moment, tell: &mut dyn FnMut(&Interval, &Histograms)) {
        while let Ok(part) = self.parts.try_recv() {
            self.done[part.thread] = part.index + 1;
            self.sent[part.thread] += part.sent;
            self.place(part.index, part.sent, part.recorder, moment, tell);
            while self.done.iter().all(|done| *done > self.index) {
                self.tell(moment, tell);
            }
        }
    }

    /// Takes what the workers still had when they ended, `rest` of each with all it ever sent, and returns the whole.
    pub(crate) fn finish(
        mut self,
        rest: impl Iterator<Item = (u64, Recorder)>,
        moment: Moment,
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

    /// Adds a part to its interval. Nobody waits for a worker that is a whole interval behind: what it brings later
    /// belongs to the interval under way.
    fn place(
        &mut self,
        index: u64,
        sent: u64,
        recorder: Recorder,
        moment: Moment,
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

    fn tell(&mut self, moment: Moment, tell: &mut dyn FnMut(&Interval, &Histograms)) {
        let pile = std::mem::replace(&mut self.current, std::mem::take(&mut self.next));
        let recorder = pile.recorder.unwrap_or_else(Recorder::new);
        self.whole.merge(&recorder);
        let start_ns = self.index.saturating_mul(self.every_ns);
        let ago_ns = moment.elapsed_ns.saturating_sub(start_ns);
        self.index += 1;
        let interval = Interval {
            start: Duration::from_nanos(start_ns),
            started_at: SystemTime::now() - Duration::from_nanos(ago_ns),
            length: Duration::from_nanos(ago_ns.min(self.every_ns)),
            sent: pile.sent,
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
    use crate::recorder::{Cause, Outcome, Phase, Times};

    const MOMENT: Moment = Moment {
        elapsed_ns: u64::MAX,
        in_flight: 0,
    };

    fn record(recorder: &mut Recorder, outcome: Outcome) {
        let times = Times {
            intended: 1,
            start: 2,
            end: 1_000,
            ..Times::default()
        };
        recorder.record(&times, outcome);
    }

    /// Two workers whose window opens at 100 and whose intervals are 10 long.
    fn two() -> (Vec<Handover>, Collector) {
        channel(Duration::from_nanos(10), 2)
    }

    #[test]
    fn an_interval_is_told_when_every_worker_has_handed_over() {
        let (workers, mut collector) = two();
        let mut recorder = Recorder::new();
        let mut told = Vec::new();
        record(&mut recorder, Outcome::Ok);
        assert_eq!(workers[0].offer(99, 100, 0, &mut recorder), 100);
        assert_eq!(workers[0].offer(109, 100, 1, &mut recorder), 110);
        assert_eq!(recorder.ok, 1, "the interval is not over");
        assert_eq!(workers[0].offer(110, 100, 2, &mut recorder), 120);
        assert!(recorder.is_empty());
        assert_eq!(
            recorder.ended(),
            [1, 0],
            "what was handed over still counts"
        );
        collector.collect(MOMENT, &mut |interval, _| told.push(interval.clone()));
        assert!(told.is_empty());
        record(
            &mut recorder,
            Outcome::Failed(Cause::Timeout, Phase::Connect),
        );
        workers[1].offer(113, 100, 5, &mut recorder);
        collector.collect(MOMENT, &mut |interval, _| told.push(interval.clone()));
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].sent, told[0].ok), (7, 1));
        assert_eq!(told[0].failed["timeout"]["connect"], 1);
        assert_eq!(
            (told[0].start, told[0].length),
            (Duration::ZERO, Duration::from_nanos(10))
        );
    }

    #[test]
    fn nobody_waits_for_a_worker_that_is_an_interval_behind_and_nothing_is_lost() {
        let (workers, mut collector) = two();
        let mut told = 0;
        let mut sum = Histograms::new();
        for now in [110, 120, 130, 140] {
            let mut recorder = Recorder::new();
            record(&mut recorder, Outcome::Ok);
            workers[0].offer(now, 100, now, &mut recorder);
            collector.collect(MOMENT, &mut |interval, _| {
                told += 1;
                sum.merge(&interval.histograms);
            });
        }
        assert_eq!(told, 2);
        let mut late = Recorder::new();
        record(&mut late, Outcome::Ok);
        workers[1].offer(145, 100, 1, &mut late);
        let mut last = Recorder::new();
        record(&mut last, Outcome::Ok);
        let rest = [(141, last), (1, Recorder::new())].into_iter();
        let whole = collector.finish(rest, MOMENT, &mut |interval, _| {
            sum.merge(&interval.histograms);
        });
        assert_eq!(whole.ok, 6);
        assert_eq!(whole.histograms, sum);
    }

    #[test]
    fn a_worker_keeps_its_recorder_while_nobody_takes_it() {
        let (workers, collector) = channel(Duration::from_nanos(10), 1);
        let mut recorder = Recorder::new();
        for now in [110, 120, 130, 140, 150] {
            record(&mut recorder, Outcome::Ok);
            workers[0].offer(now, 100, now, &mut recorder);
        }
        assert_eq!(recorder.ok, 3, "two wait, the rest is kept");
        assert_eq!(recorder.ended(), [5, 0]);
        let mut sent = Vec::new();
        let rest = [(150, recorder)].into_iter();
        let whole = collector.finish(rest, MOMENT, &mut |interval, _| sent.push(interval.sent));
        assert_eq!((whole.ok, sent), (5, vec![110, 10, 30]));
    }
}
