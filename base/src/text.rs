//! The two languages of the reports, and texts in both.
//!
//! A text is either a [`Text`] constant or a function that chooses by [`Language`]: a sentence that one of the
//! languages lacks does not compile.

use serde::Serialize;

/// One text in English and in Spanish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Text {
    /// English.
    pub en: &'static str,
    /// Spanish.
    pub es: &'static str,
}

/// A language of the reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Spanish.
    Spanish,
}

/// Every language; the first one is the default.
pub const LANGUAGES: [Language; 2] = [Language::English, Language::Spanish];

impl Language {
    /// The text in this language.
    pub fn of(self, text: Text) -> &'static str {
        match self {
            Language::English => text.en,
            Language::Spanish => text.es,
        }
    }

    /// Calls the function of this language only, and returns its value.
    pub fn choose<T>(self, en: impl FnOnce() -> T, es: impl FnOnce() -> T) -> T {
        match self {
            Language::English => en(),
            Language::Spanish => es(),
        }
    }

    /// Its language tag (BCP 47): `en`, `es`.
    pub fn tag(self) -> &'static str {
        self.of(Text { en: "en", es: "es" })
    }

    /// Its name, in the language itself.
    pub fn name(self) -> &'static str {
        self.of(Text {
            en: "English",
            es: "Español",
        })
    }

    /// The decimal separator.
    pub fn decimal_mark(self) -> char {
        self.choose(|| '.', || ',')
    }

    /// The separator of numbers in a list; it differs from the decimal separator.
    pub fn between_numbers(self) -> &'static str {
        self.choose(|| ",", || ";")
    }
}

/// A text in both languages.
pub const fn text(en: &'static str, es: &'static str) -> Text {
    Text { en, es }
}
