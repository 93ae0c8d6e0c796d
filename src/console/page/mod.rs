//! The pages in the browser: what they are made of, what they are told, and what they may ask for. One is for the operator; in
//! a chat, another is for clients.
//!
//! All of it is in this program, and nothing is loaded from elsewhere. Texts of others reach a page as data.

mod client;
mod document;
mod guard;
mod language;
mod stream;
mod words;

use std::net::{SocketAddr, TcpListener};
use std::ops::Deref;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use axum::{Json, Router};
use hola_base::output::say;
use hola_servers::conversation::Protocol;
use serde::Deserialize;
use tokio::runtime;
use tokio::sync::Semaphore;

use self::client::PageClients;
use self::guard::PageToken;
use super::chat::Chat;
use super::load::TrialLoad;
use super::served::ServedModel;

/// Path of the page for clients, and of all that it asks for.
const CLIENT_PATH: &str = "/client/";
/// Most bytes of what a page sends.
const REQUEST_BYTES_MAX: usize = 64 * 1024;
/// Most bytes of a line of the operator: with this, the history stays small.
const ANSWER_BYTES_MAX: usize = 4 * 1024;
/// Most pages of the operator that are open at once.
const PAGES_MAX: usize = 32;

/// Pages that listen and are not served yet.
#[derive(Debug)]
pub(super) struct ConsolePage {
    listener: TcpListener,
    address: SocketAddr,
    token: PageToken,
    client_token: PageToken,
}

impl ConsolePage {
    /// Listens at a loopback address.
    ///
    /// # Errors
    /// Returns an error that names the address if it cannot be bound, or that of reading random bytes.
    pub(super) fn bind(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address)
            .with_context(|| format!("cannot serve the page at {address}"))?;
        listener.set_nonblocking(true)?;
        let token = || PageToken::random().context("cannot make a token for the page");
        Ok(ConsolePage {
            address: listener.local_addr()?,
            listener,
            token: token()?,
            client_token: token()?,
        })
    }

    /// The address that the operator opens, with its token.
    pub(super) fn url(&self) -> String {
        format!("http://{}/?token={}", self.address, self.token.digits())
    }

    /// The address that clients of a chat open, with their token.
    pub(super) fn client_url(&self) -> String {
        let (address, token) = (self.address, self.client_token.digits());
        format!("http://{address}{CLIENT_PATH}?token={token}")
    }

    /// Serves the pages on a thread of its own, as long as this process.
    pub(super) fn serve(self, served: ServedModel, chat: Arc<Chat>, load: Option<Arc<TrialLoad>>) {
        let state = PageState(Arc::new(PageParts {
            token: self.token,
            client_token: self.client_token,
            clients: PageClients::new(),
            served,
            chat,
            load,
            places: Arc::new(Semaphore::new(PAGES_MAX)),
        }));
        let listener = self.listener;
        thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            let ended = runtime.and_then(|runtime| {
                runtime.block_on(async {
                    let listener = tokio::net::TcpListener::from_std(listener)?;
                    axum::serve(listener, router(state)).await
                })
            });
            if let Err(error) = ended {
                say(format_args!("the page has ended: {error}"));
            }
        });
    }
}

/// What all requests share.
#[derive(Clone, Debug)]
struct PageState(Arc<PageParts>);

#[derive(Debug)]
struct PageParts {
    /// Of the operator's page.
    token: PageToken,
    /// Of the page for clients.
    client_token: PageToken,
    clients: PageClients,
    served: ServedModel,
    chat: Arc<Chat>,
    /// `None` in a chat.
    load: Option<Arc<TrialLoad>>,
    /// A place for each page of the operator that is open.
    places: Arc<Semaphore>,
}

impl Deref for PageState {
    type Target = PageParts;

    fn deref(&self) -> &PageParts {
        &self.0
    }
}

fn router(state: PageState) -> Router {
    let mut router = Router::new()
        .route("/", get(operators_page))
        .route("/page.css", get(style))
        .route("/page.js", get(operators_script))
        .route("/icon.svg", get(icon))
        .route("/events", get(stream::events))
        .route("/answer", post(answer))
        .route("/load", post(load));
    if state.served.conversation == Protocol::Chat {
        router = router.merge(client::router());
    }
    router
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .layer(from_fn_with_state(state.clone(), guard::guard))
        .with_state(state)
}

async fn operators_page(State(state): State<PageState>, request: Request) -> Html<String> {
    Html(document::for_operator(&state, language::of(&request)))
}

async fn style() -> impl IntoResponse {
    let style = [
        hola_report::COLOURS,
        include_str!("../../../templates/console.css"),
    ]
    .concat();
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], style)
}

async fn operators_script() -> impl IntoResponse {
    script(include_str!("../../../templates/console.js"))
}

/// The script of a page, after what all of them share.
fn script(own: &str) -> impl IntoResponse {
    let script = [include_str!("../../../templates/page.js"), own].concat();
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], script)
}

async fn icon() -> impl IntoResponse {
    let icon = include_str!("../../../templates/console.svg");
    ([(CONTENT_TYPE, "image/svg+xml")], icon)
}

/// What the operator says.
#[derive(Deserialize)]
struct OperatorAnswer {
    /// Number of the client; `null` means all.
    to: Option<u64>,
    text: String,
}

async fn answer(State(state): State<PageState>, Json(answer): Json<OperatorAnswer>) -> StatusCode {
    let text = answer.text.trim_end();
    if text.is_empty() || text.len() > ANSWER_BYTES_MAX {
        return StatusCode::BAD_REQUEST;
    }
    match state.chat.answer(answer.to, text) {
        0 => StatusCode::NOT_FOUND,
        _ => StatusCode::ACCEPTED,
    }
}

async fn load(State(state): State<PageState>) -> StatusCode {
    match &state.load {
        None => StatusCode::NOT_FOUND,
        Some(load) if load.start() => StatusCode::ACCEPTED,
        Some(_) => StatusCode::CONFLICT,
    }
}
