//! The events of a page, as server-sent events: the clients that are there, then all that has happened, then what happens.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event as SentEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::PageState;
use crate::console::chat::Chat;
use crate::console::history::{HistoryBatch, HistoryCursor};

/// What one page has still to get.
struct PageEvents {
    chat: Arc<Chat>,
    newest: watch::Receiver<u64>,
    /// The last event that it was given.
    cursor: HistoryCursor,
    ready: VecDeque<SentEvent>,
    /// Its place among the pages that are open at once.
    _place: OwnedSemaphorePermit,
}

/// Lines that a page does not get, because they are no longer kept.
#[derive(Serialize)]
#[serde(tag = "kind", rename = "missing")]
struct MissingLines {
    lines: u64,
}

/// Answers with the events that follow the last one that the page has got.
pub(super) async fn events(State(state): State<PageState>, headers: HeaderMap) -> Response {
    let Ok(place) = Arc::clone(&state.places).try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many pages are open\n").into_response();
    };
    // A browser that connects again sends it.
    let last = headers.get("last-event-id");
    let last = last.and_then(|id| id.to_str().ok()?.parse().ok());
    let events = PageEvents {
        newest: state.chat.history().subscribe(),
        cursor: last.unwrap_or_default(),
        ready: VecDeque::from([sent(&state.chat.present())]),
        chat: Arc::clone(&state.chat),
        _place: place,
    };
    let events = stream::unfold(events, PageEvents::next);
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}

impl PageEvents {
    async fn next(mut self) -> Option<(Result<SentEvent, Infallible>, Self)> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some((Ok(event), self));
            }
            let batch = self.chat.history().after(self.cursor);
            if batch.events.is_empty() {
                self.newest.changed().await.ok()?;
            } else {
                self.take(&batch);
            }
        }
    }

    fn take(&mut self, batch: &HistoryBatch) {
        if batch.missing > 0 {
            let lines = batch.missing;
            self.ready.push_back(sent(&MissingLines { lines }));
        }
        for event in &batch.events {
            self.cursor = event.cursor;
            self.ready
                .push_back(sent(&**event).id(event.cursor.to_string()));
        }
    }
}

/// An event for the browser. JSON has no line end outside its texts, and none in them that is not escaped.
pub(super) fn sent(event: &impl Serialize) -> SentEvent {
    let event = SentEvent::default().json_data(event);
    event.unwrap_or_else(|error| unreachable!("plain data can be written: {error}"))
}
