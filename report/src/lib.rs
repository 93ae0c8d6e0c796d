//! Reports (being rebuilt).
use hola_base::Language;
use hola_lab::record::{Block, Run};
/// Files.
pub fn files(_: &Run, _: &[Block]) -> Vec<(String, String)> {
    Vec::new()
}
/// Summary.
pub fn summary(_: &Run, _: &[Block], _: Language) -> String {
    String::new()
}
/// Difference.
pub mod difference {
    use hola_base::Language;
    use hola_verdict::difference::Difference;
    /// Text.
    pub fn text(_: &Difference, _: bool, _: Language) -> String {
        String::new()
    }
    /// Markdown.
    pub fn markdown(_: &Difference, _: bool, _: Language) -> String {
        String::new()
    }
    /// JSON.
    pub fn json(_: &Difference) -> String {
        String::new()
    }
}
