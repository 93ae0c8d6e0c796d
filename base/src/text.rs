//! The two languages of the reports, and texts in both.
//!
//! A text is either a [`Text`] constant or a function that chooses by [`Language`]: a sentence that one of the languages
//! lacks does not compile.

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

/// Every language, the first the one that is shown unless another is asked for.
pub const LANGUAGES: [Language; 2] = [Language::English, Language::Spanish];

impl Language {
    /// The text in this language.
    pub fn of(self, text: Text) -> &'static str {
        match self {
            Language::English => text.en,
            Language::Spanish => text.es,
        }
    }

    /// One of two texts that are made as they are needed.
    pub fn choose<T>(self, en: impl FnOnce() -> T, es: impl FnOnce() -> T) -> T {
        match self {
            Language::English => en(),
            Language::Spanish => es(),
        }
    }

    /// Its name for programs (BCP 47): `en`, `es`.
    pub fn tag(self) -> &'static str {
        self.of(Text { en: "en", es: "es" })
    }

    /// Its name for people, in the language itself.
    pub fn name(self) -> &'static str {
        self.of(Text {
            en: "English",
            es: "Español",
        })
    }

    /// What stands between the whole and the decimals of a number.
    pub fn decimal_mark(self) -> char {
        self.choose(|| '.', || ',')
    }

    /// What stands between numbers in a row: not what stands within one.
    pub fn between_numbers(self) -> &'static str {
        self.choose(|| ",", || ";")
    }
}

/// A text in both languages.
pub const fn text(en: &'static str, es: &'static str) -> Text {
    Text { en, es }
}
