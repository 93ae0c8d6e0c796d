//! What every crate of Hola needs, and nothing more.

pub mod text;

pub use text::{LANGUAGES, Language, Text, text};
