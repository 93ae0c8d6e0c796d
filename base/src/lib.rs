//! What every crate of Hola needs, and nothing more.

pub mod junit;
pub mod output;
pub mod process;
pub mod text;
pub mod visible;

pub use text::{LANGUAGES, Language, Text, text};
