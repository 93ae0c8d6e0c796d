//! The page of a client: people without a terminal take part in a chat with it.
//!
//! Each page that is open is one TCP client of the server. This process connects it, and closes the connection when the page
//! leaves. The server and the operator see a client like any other.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::sse::{Event as SentEvent, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{StreamExt, stream};
use hola_base::visible;
use hola_servers::conversation::messages::MESSAGE_BYTES_MAX;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::guard::PageToken;
use super::stream::sent;
use super::{PageState, document, icon, language, script, style};
use crate::console::history::now_ms;
use crate::line::next_line;

/// Most pages that are open at once.
const PAGES_MAX: usize = 64;
/// Most bytes of a line before its end: with the end, the server reads it as one message.
const TEXT_BYTES_MAX: usize = MESSAGE_BYTES_MAX - 1;
/// Longest wait for a server that does not read.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a page writes to; `None` once a line could not be sent whole.
type Connection = AsyncMutex<Option<OwnedWriteHalf>>;

/// The clients that have a page.
#[derive(Debug)]
pub(super) struct PageClients {
    /// A place for each page that is open.
    places: Arc<Semaphore>,
    /// The connection of each page, by a key that only this page has.
    connections: Mutex<HashMap<PageToken, Arc<Connection>>>,
}

/// What happens to a client, as its page is told.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum ClientEvent {
    /// It is connected.
    Joined {
        /// With this, the page writes.
        key: PageToken,
        /// Its own address, which the operator sees.
        address: String,
        time_ms: u64,
    },
    /// The operator wrote a line.
    Line { text: String, time_ms: u64 },
    /// The server has closed the connection.
    Closed { time_ms: u64 },
}

/// A line that is written on a page.
#[derive(Deserialize)]
struct WrittenLine {
    key: PageToken,
    text: String,
}

/// A page that is open. Its client leaves when it is dropped.
struct OpenPage {
    state: PageState,
    key: PageToken,
    from: BufReader<OwnedReadHalf>,
    _place: OwnedSemaphorePermit,
}

/// All that the page can ask for.
pub(super) fn router() -> Router<PageState> {
    Router::new()
        .route("/client/", get(page))
        .route("/client/page.css", get(style))
        .route("/client/page.js", get(page_script))
        .route("/client/icon.svg", get(icon))
        .route("/client/events", get(events))
        .route("/client/say", post(say))
}

async fn page(State(state): State<PageState>, request: Request) -> Html<String> {
    Html(document::for_client(&state, language::of(&request)))
}

async fn page_script() -> impl IntoResponse {
    script(include_str!("../../../templates/client.js"))
}

/// Connects a client, and answers with what it reads.
async fn events(State(state): State<PageState>) -> Response {
    let Ok(place) = Arc::clone(&state.clients.places).try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many pages are open\n").into_response();
    };
    let (page, joined) = match OpenPage::connect(state, place).await {
        Ok(opened) => opened,
        Err(error) => return (StatusCode::BAD_GATEWAY, format!("{error}\n")).into_response(),
    };
    let lines = stream::unfold(page, OpenPage::next);
    let closed = stream::once(async { ClientEvent::Closed { time_ms: now_ms() } });
    let events = stream::iter([joined]).chain(lines).chain(closed);
    Sse::new(events.map(|event| Ok::<SentEvent, Infallible>(sent(&event))))
        .keep_alive(KeepAlive::default())
        .into_response()
}

impl OpenPage {
    async fn connect(
        state: PageState,
        place: OwnedSemaphorePermit,
    ) -> io::Result<(Self, ClientEvent)> {
        let connection = TcpStream::connect(state.served.local_address()).await?;
        connection.set_nodelay(true)?;
        let key = PageToken::random()?;
        let joined = ClientEvent::Joined {
            key: key.clone(),
            address: connection.local_addr()?.to_string(),
            time_ms: now_ms(),
        };
        let (from, to) = connection.into_split();
        let connection = Arc::new(AsyncMutex::new(Some(to)));
        state.clients.connections().insert(key.clone(), connection);
        let page = OpenPage {
            state,
            key,
            from: BufReader::new(from),
            _place: place,
        };
        Ok((page, joined))
    }

    /// The next line of the operator; `None` once the connection has ended, or is broken.
    async fn next(mut self) -> Option<(ClientEvent, Self)> {
        let line = next_line(&mut self.from).await.ok()??;
        let line = ClientEvent::Line {
            text: visible::one_line(&String::from_utf8_lossy(&line)),
            time_ms: now_ms(),
        };
        Some((line, self))
    }
}

impl Drop for OpenPage {
    fn drop(&mut self) {
        self.state.clients.connections().remove(&self.key);
    }
}

async fn say(State(state): State<PageState>, Json(line): Json<WrittenLine>) -> StatusCode {
    let text = line.text.trim_end();
    if text.len() > TEXT_BYTES_MAX {
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    if text.is_empty() || text.contains('\n') {
        return StatusCode::BAD_REQUEST;
    }
    state.clients.write(&line.key, &format!("{text}\n")).await
}

impl PageClients {
    /// No client yet.
    pub(super) fn new() -> Self {
        PageClients {
            places: Arc::new(Semaphore::new(PAGES_MAX)),
            connections: Mutex::default(),
        }
    }

    async fn write(&self, key: &PageToken, line: &str) -> StatusCode {
        let Some(connection) = self.connections().get(key).cloned() else {
            return StatusCode::NOT_FOUND;
        };
        let mut connection = connection.lock().await;
        let Some(to) = connection.as_mut() else {
            return StatusCode::NOT_FOUND;
        };
        match timeout(WRITE_TIMEOUT, to.write_all(line.as_bytes())).await {
            Ok(Ok(())) => StatusCode::ACCEPTED,
            _ => {
                // A part of the line may have been sent, so that nothing can follow it.
                *connection = None;
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<PageToken, Arc<Connection>>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
