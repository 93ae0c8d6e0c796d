//! The newest events, bounded, for pages that are opened later or read slowly.
//!
//! A page has no queue of its own: it asks for what follows the last event that it has got. So a page that reads slowly costs no
//! memory, and loses the oldest lines once they are no longer kept.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tokio::sync::watch;

use super::event::{ConsoleEvent, EventSource};

/// Lines that are kept of one client, or of the operator.
const LINES_OF_ONE_MAX: usize = 1_000;
/// Lines that are kept in all.
const LINES_MAX: usize = 10_000;
/// Samples that are kept: two minutes.
const SAMPLES_MAX: usize = 120;
/// Events that a page gets at once.
const BATCH_MAX: usize = 256;

/// A place in the history: the event after which a page goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct HistoryCursor {
    /// Number of the event; the first one is 1.
    pub(super) number: u64,
    /// Lines up to it.
    lines: u64,
}

impl fmt::Display for HistoryCursor {
    /// As [`HistoryCursor::from_str`] reads it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.number, self.lines)
    }
}

impl FromStr for HistoryCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (number, lines) = text.split_once('-').ok_or(())?;
        let parse = |text: &str| text.parse().map_err(drop);
        Ok(HistoryCursor {
            number: parse(number)?,
            lines: parse(lines)?,
        })
    }
}

/// An event, with its place and time.
#[derive(Debug, Serialize)]
pub(super) struct RecordedEvent {
    #[serde(skip)]
    pub(super) cursor: HistoryCursor,
    number: u64,
    /// When it happened, in milliseconds since 1970.
    time_ms: u64,
    #[serde(flatten)]
    event: ConsoleEvent,
}

/// Events that follow a cursor.
#[derive(Debug)]
pub(super) struct HistoryBatch {
    /// The oldest first; empty if there are none.
    pub(super) events: Vec<Arc<RecordedEvent>>,
    /// Lines before the last of them that are no longer kept.
    pub(super) missing: u64,
}

/// The newest events.
#[derive(Debug)]
pub(super) struct History {
    kept: Mutex<KeptEvents>,
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct KeptEvents {
    by_number: BTreeMap<u64, Arc<RecordedEvent>>,
    /// Numbers of the events of each source, the oldest first.
    by_source: HashMap<EventSource, VecDeque<u64>>,
    last: HistoryCursor,
}

impl History {
    pub(super) fn new() -> Self {
        History {
            kept: Mutex::default(),
            newest: watch::Sender::new(0),
        }
    }

    /// Adds an event, and wakes the pages that wait for one.
    pub(super) fn push(&self, event: ConsoleEvent) {
        let number = self.kept().push(event);
        self.newest.send_replace(number);
    }

    /// What follows `cursor`, up to a limit.
    pub(super) fn after(&self, cursor: HistoryCursor) -> HistoryBatch {
        self.kept().after(cursor)
    }

    /// The place of the newest event.
    pub(super) fn last(&self) -> HistoryCursor {
        self.kept().last
    }

    /// Changes with each event.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    fn kept(&self) -> MutexGuard<'_, KeptEvents> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeptEvents {
    fn push(&mut self, event: ConsoleEvent) -> u64 {
        let source = event.source();
        let is_line = source != EventSource::Samples;
        self.last.number += 1;
        self.last.lines += u64::from(is_line);
        let number = self.last.number;
        let recorded = RecordedEvent {
            cursor: self.last,
            number,
            time_ms: now_ms(),
            event,
        };
        self.by_number.insert(number, Arc::new(recorded));
        let numbers = self.by_source.entry(source).or_default();
        numbers.push_back(number);
        let most = if is_line {
            LINES_OF_ONE_MAX
        } else {
            SAMPLES_MAX
        };
        if numbers.len() > most {
            self.remove_oldest(source);
        }
        if self.lines() > LINES_MAX
            && let Some(source) = self.source_of_oldest_line()
        {
            self.remove_oldest(source);
        }
        number
    }

    fn lines(&self) -> usize {
        let samples = self.by_source.get(&EventSource::Samples);
        self.by_number.len() - samples.map_or(0, VecDeque::len)
    }

    fn source_of_oldest_line(&self) -> Option<EventSource> {
        let mut sources = self.by_number.values().map(|one| one.event.source());
        sources.find(|source| *source != EventSource::Samples)
    }

    fn remove_oldest(&mut self, source: EventSource) {
        let Some(numbers) = self.by_source.get_mut(&source) else {
            return;
        };
        if let Some(oldest) = numbers.pop_front() {
            self.by_number.remove(&oldest);
        }
        if numbers.is_empty() {
            self.by_source.remove(&source);
        }
    }

    fn after(&self, cursor: HistoryCursor) -> HistoryBatch {
        let following = self.by_number.range(cursor.number.saturating_add(1)..);
        let events = following
            .take(BATCH_MAX)
            .map(|(_, event)| Arc::clone(event));
        let events: Vec<Arc<RecordedEvent>> = events.collect();
        let is_line = |one: &&Arc<RecordedEvent>| one.event.source() != EventSource::Samples;
        let lines = events.iter().filter(is_line).count() as u64;
        let last = events.last().map_or(cursor, |last| last.cursor);
        HistoryBatch {
            missing: last.lines.saturating_sub(cursor.lines + lines),
            events,
        }
    }
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    since_1970.map_or(0, |time| {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(client: u64, number: usize) -> ConsoleEvent {
        ConsoleEvent::Message {
            client,
            text: number.to_string(),
        }
    }

    fn sample() -> ConsoleEvent {
        ConsoleEvent::Sample(Box::default())
    }

    /// All that follows `cursor`, batch by batch: the events, and how many lines are missing.
    fn read(history: &History, mut cursor: HistoryCursor) -> (Vec<ConsoleEvent>, u64) {
        let (mut events, mut missing) = (Vec::new(), 0);
        loop {
            let batch = history.after(cursor);
            assert!(batch.events.len() <= BATCH_MAX);
            let Some(last) = batch.events.last() else {
                return (events, missing);
            };
            cursor = last.cursor;
            missing += batch.missing;
            events.extend(batch.events.iter().map(|one| one.event.clone()));
        }
    }

    #[test]
    fn a_page_gets_what_follows_its_cursor_in_order_and_nothing_twice() {
        let history = History::new();
        history.push(message(1, 0));
        history.push(sample());
        let cursor = history.last();
        history.push(message(2, 1));
        history.push(message(1, 2));
        let (events, missing) = read(&history, cursor);
        assert_eq!((events, missing), (vec![message(2, 1), message(1, 2)], 0));
        let (events, missing) = read(&history, HistoryCursor::default());
        assert_eq!((events.len(), missing), (4, 0));
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in ["", "1", "1-", "-1", "a-b"] {
            assert_eq!(bad.parse::<HistoryCursor>(), Err(()), "{bad}");
        }
    }

    #[test]
    fn a_client_that_writes_much_pushes_out_its_own_oldest_lines_alone() {
        let history = History::new();
        history.push(message(7, 0));
        for number in 0..LINES_OF_ONE_MAX + 5 {
            history.push(message(1, number));
        }
        let (events, missing) = read(&history, HistoryCursor::default());
        assert_eq!((events.len(), missing), (LINES_OF_ONE_MAX + 1, 5));
        assert_eq!(events[..2], [message(7, 0), message(1, 5)]);
    }

    #[test]
    fn a_slow_page_loses_the_oldest_lines_and_learns_how_many() {
        let history = History::new();
        let mut written = 0;
        let mut write = |history: &History, lines: usize| {
            for number in 0..lines {
                history.push(message(number as u64 % 50, number));
            }
            written += lines as u64;
            written
        };
        write(&history, 10);
        let cursor = history.last();
        let written = write(&history, LINES_MAX + 300);
        let (events, missing) = read(&history, cursor);
        assert_eq!(events.len(), LINES_MAX);
        assert_eq!(events.len() as u64 + missing, written - 10);
    }

    #[test]
    fn samples_are_bounded_and_no_lines() {
        let history = History::new();
        for _ in 0..SAMPLES_MAX + 30 {
            history.push(sample());
        }
        for number in 0..LINES_MAX + 1 {
            history.push(message(number as u64 % 50, number));
        }
        let (events, missing) = read(&history, HistoryCursor::default());
        assert_eq!((events.len(), missing), (SAMPLES_MAX + LINES_MAX, 1));
    }

    #[test]
    fn nothing_is_kept_of_a_source_without_events() {
        let history = History::new();
        for client in 0..2 * LINES_MAX as u64 {
            history.push(message(client, 0));
        }
        assert_eq!(history.kept().by_source.len(), LINES_MAX);
    }
}
