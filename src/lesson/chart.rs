//! The figures of a lesson as bars of text.

use std::io::{self, IsTerminal};
use std::ops::RangeInclusive;

use hola_base::Language;
use hola_base::output::wants_colours;
use hola_lab::metric::Scale;
use hola_verdict::Estimate;
use terminal_size::{Width, terminal_size};

use super::result::LessonResult;
use super::wrap::wrapped;
use super::{LessonFigure, in_language};

/// Columns where there is no terminal.
const COLUMNS: u16 = 80;
/// Most columns of text: longer lines are hard to read.
const COLUMNS_MAX: u16 = 100;
/// Fewest columns of text.
const COLUMNS_MIN: u16 = 40;
/// Columns of a bar.
const BAR: RangeInclusive<usize> = 8..=48;
/// What each line of the chart begins with.
const INDENT: &str = "  ";

/// What a lesson is printed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canvas {
    /// Columns.
    pub width: usize,
    /// Whether colours are wanted.
    pub is_coloured: bool,
}

impl Canvas {
    /// Standard output.
    pub fn stdout() -> Self {
        let columns = terminal_size().map_or(COLUMNS, |(Width(columns), _)| columns);
        Canvas {
            width: columns.clamp(COLUMNS_MIN, COLUMNS_MAX).into(),
            is_coloured: io::stdout().is_terminal() && wants_colours(),
        }
    }

    /// The text in a colour, if colours are wanted.
    fn coloured(self, text: &str) -> String {
        match self.is_coloured {
            true => format!("\x1b[36m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}

/// Every figure with its interval. A bar is full up to the lower end of the interval, and shaded to the upper end; in
/// comparisons a line stands at 1, which is no difference.
pub(super) fn chart(result: &LessonResult<'_>, canvas: Canvas, language: Language) -> String {
    let figures = &result.lesson.figures;
    let mut text = String::new();
    for (number, figure) in figures.iter().enumerate() {
        let is_same_group = number > 0 && same_scale(&figures[number - 1], figure);
        if !is_same_group {
            text += &wrapped(&title(figure, language), "", canvas.width);
        }
        let label = in_language(&figure.text, language);
        text += &wrapped(label, INDENT, canvas.width);
        let shown = result.shown(number, language);
        let Ok(estimate) = &result.figures[number] else {
            text += &wrapped(&shown, INDENT, canvas.width);
            continue;
        };
        let rest = canvas
            .width
            .saturating_sub(shown.chars().count() + 2 * INDENT.len());
        let bar = bar(
            estimate,
            longest(result, figure),
            rest.clamp(*BAR.start(), *BAR.end()),
            figure.is_comparison() && estimate.scale == Scale::Ratio,
        );
        text += &format!("{INDENT}{}{INDENT}{shown}\n", canvas.coloured(&bar));
    }
    text
}

/// What the bars of a figure show.
pub(super) fn title(figure: &LessonFigure, language: Language) -> String {
    if !figure.is_comparison() {
        return hola_report::metric_title(figure.metric, language);
    }
    let title = language.of(figure.metric.definition().title);
    let compared = language.choose(|| "compared, × times", || "comparación, × veces");
    format!("{title}: {compared}")
}

/// Whether the bars of both figures have the same scale.
fn same_scale(one: &LessonFigure, other: &LessonFigure) -> bool {
    (one.metric, one.is_comparison()) == (other.metric, other.is_comparison())
}

/// The value of a full bar: the highest end of an interval on the same scale.
fn longest(result: &LessonResult<'_>, figure: &LessonFigure) -> f64 {
    let all = result.lesson.figures.iter().zip(&result.figures);
    let same = all.filter(|(other, _)| same_scale(figure, other));
    let highs = same.filter_map(|(_, estimate)| Some(estimate.as_ref().ok()?.high));
    // A comparison has room for the line at 1.
    highs.fold(f64::from(u8::from(figure.is_comparison())), f64::max)
}

/// A bar of so many columns, whose full length stands for `longest`.
fn bar(estimate: &Estimate, longest: f64, columns: usize, has_line_at_1: bool) -> String {
    let column = longest / columns as f64;
    let letter = |index: usize| {
        let (left, middle) = (index as f64 * column, (index as f64 + 0.5) * column);
        match middle {
            _ if has_line_at_1 && left < 1.0 && 1.0 <= left + column => '│',
            _ if estimate.high <= 0.0 => ' ',
            _ if middle <= estimate.low => '█',
            _ if middle <= estimate.high => '▒',
            // Whatever is not nothing can be seen.
            _ if index == 0 => '▏',
            _ => ' ',
        }
    };
    (0..columns).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(value: f64, low: f64, high: f64) -> Estimate {
        Estimate {
            value,
            low,
            high,
            blocks: 5,
            between_sd: 0.0,
            within_sd: None,
            scale: Scale::Ratio,
            standard_error: 0.0,
            freedom: 4.0,
        }
    }

    #[test]
    fn a_bar_is_full_to_the_lower_end_and_shaded_to_the_upper_end() {
        assert_eq!(bar(&estimate(6.0, 4.0, 8.0), 8.0, 8, false), "████▒▒▒▒");
        assert_eq!(bar(&estimate(2.0, 2.0, 2.0), 8.0, 8, false), "██      ");
        assert_eq!(bar(&estimate(0.1, 0.0, 0.1), 8.0, 8, false), "▏       ");
        assert_eq!(bar(&estimate(0.0, 0.0, 0.0), 0.0, 8, false), "        ");
    }

    #[test]
    fn a_comparison_has_a_line_at_1() {
        assert_eq!(bar(&estimate(3.5, 3.0, 4.0), 4.0, 8, true), "█│████▒▒");
        assert_eq!(bar(&estimate(0.5, 0.5, 0.5), 1.0, 8, true), "████   │");
    }
}
