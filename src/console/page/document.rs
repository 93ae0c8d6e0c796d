//! The document of the page. It has no text of a client: those come later, as data.

use std::collections::BTreeMap;

use askama::Template;
use hola_base::{LANGUAGES, Language};
use hola_servers::conversation::Protocol;

use super::words;
use crate::console::served::{ServedModel, name_of};

#[derive(Template)]
#[template(path = "console.html")]
struct ConsoleDocument<'p> {
    served: &'p ServedModel,
    token: &'p str,
    language: Language,
    languages: [Language; 2],
    words: BTreeMap<&'static str, &'static str>,
}

impl ConsoleDocument<'_> {
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

/// The document in a language.
pub(super) fn render(served: &ServedModel, token: &str, language: Language) -> String {
    let document = ConsoleDocument {
        served,
        token,
        language,
        languages: LANGUAGES,
        words: words::all(language),
    };
    let document = document.render();
    document.unwrap_or_else(|error| unreachable!("writing to memory does not fail: {error}"))
}
