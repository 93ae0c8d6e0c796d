//! How views are drawn: their language, their colours, their numbers.

use hola_base::Language;
use ratatui::style::{Color, Modifier, Style};

/// What is shown in place of a figure that is not known.
pub(super) const UNKNOWN: &str = "–";

/// How a view is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ViewLook {
    /// Language of its words and numbers.
    pub(crate) language: Language,
    /// Whether colours are wanted.
    pub(crate) is_coloured: bool,
}

impl ViewLook {
    /// A title.
    pub(super) fn title(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is less important than the rest.
    pub(super) fn note(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// Bars and charts.
    pub(super) fn bars(self) -> Style {
        self.coloured(Color::Cyan)
    }

    /// A figure; what should be 0, and is not, stands out.
    pub(super) fn figure(self, is_bad: bool) -> Style {
        match is_bad {
            true => self.title().patch(self.coloured(Color::Red)),
            false => self.title(),
        }
    }

    fn coloured(self, colour: Color) -> Style {
        match self.is_coloured {
            true => Style::new().fg(colour),
            false => Style::new(),
        }
    }

    /// A number that is not negative, with at most two decimals and about three digits.
    pub(super) fn number(self, value: f64) -> String {
        let decimals = match value {
            // Its decimals would all be 0.
            _ if value.fract() == 0.0 => 0,
            _ if value < 10.0 => 2,
            _ if value < 100.0 => 1,
            _ => 0,
        };
        let text = format!("{value:.decimals$}");
        text.replace('.', &self.language.decimal_mark().to_string())
    }
}

/// A bar of so many columns at most, whose full length stands for `longest`.
pub(super) fn bar(value: f64, longest: f64, columns: usize) -> String {
    let column = longest / columns as f64;
    let is_full = |index: &usize| (*index as f64 + 0.5) * column <= value;
    let full = (0..columns).filter(is_full).count();
    match (full, value > 0.0 && columns > 0) {
        // Whatever is not nothing can be seen.
        (0, true) => "▏".into(),
        (full, _) if longest > 0.0 => "█".repeat(full),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_have_the_decimal_mark_of_their_language() {
        let numbers = |language| {
            let look = ViewLook {
                language,
                is_coloured: false,
            };
            [0.0, 0.123, 12.0, 12.34, 1_234.6].map(|value| look.number(value))
        };
        assert_eq!(
            numbers(Language::English),
            ["0", "0.12", "12", "12.3", "1235"]
        );
        assert_eq!(
            numbers(Language::Spanish),
            ["0", "0,12", "12", "12,3", "1235"]
        );
    }

    #[test]
    fn a_bar_is_as_long_as_its_share_and_whatever_is_not_nothing_is_seen() {
        assert_eq!(bar(4.0, 8.0, 4), "██");
        assert_eq!(bar(8.0, 8.0, 4), "████");
        assert_eq!(bar(0.1, 8.0, 4), "▏");
        assert_eq!(bar(0.0, 8.0, 4), "");
        assert_eq!(bar(0.0, 0.0, 4), "");
        assert_eq!(bar(1.0, 8.0, 0), "");
    }
}
