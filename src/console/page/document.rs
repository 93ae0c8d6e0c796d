//! The documents of both pages. They have no text of a client: those come later, as data.

use std::collections::BTreeMap;

use askama::Template;
use hola_base::{LANGUAGES, Language};
use hola_servers::conversation::Protocol;

use super::guard::PageToken;
use super::{PageState, words};
use crate::console::served::{ServedModel, name_of};

/// What both documents have.
struct DocumentParts<'p> {
    served: &'p ServedModel,
    token: &'p PageToken,
    language: Language,
    languages: [Language; 2],
    words: BTreeMap<&'static str, &'static str>,
}

impl DocumentParts<'_> {
    fn word(&self, name: &str) -> &'static str {
        self.words[name]
    }

    /// The texts for the script, as JSON.
    fn words_json(&self) -> String {
        let words = serde_json::to_string(&self.words);
        words.unwrap_or_else(|error| unreachable!("plain data can be written: {error}"))
    }

    fn conversation(&self) -> &'static str {
        name_of(self.served.conversation)
    }

    fn is_chat(&self) -> bool {
        self.served.conversation == Protocol::Chat
    }
}

#[derive(Template)]
#[template(path = "console.html")]
struct ConsoleDocument<'p> {
    page: DocumentParts<'p>,
    client_token: &'p PageToken,
}

#[derive(Template)]
#[template(path = "client.html")]
struct ClientDocument<'p> {
    page: DocumentParts<'p>,
}

/// The operator's document in a language.
pub(super) fn for_operator(state: &PageState, language: Language) -> String {
    written(&ConsoleDocument {
        page: parts(&state.served, &state.token, language),
        client_token: &state.client_token,
    })
}

/// The document of a client in a language.
pub(super) fn for_client(state: &PageState, language: Language) -> String {
    written(&ClientDocument {
        page: parts(&state.served, &state.client_token, language),
    })
}

fn parts<'p>(
    served: &'p ServedModel,
    token: &'p PageToken,
    language: Language,
) -> DocumentParts<'p> {
    DocumentParts {
        served,
        token,
        language,
        languages: LANGUAGES,
        words: words::all(language),
    }
}

fn written(document: &impl Template) -> String {
    let document = document.render();
    document.unwrap_or_else(|error| unreachable!("writing to memory does not fail: {error}"))
}
