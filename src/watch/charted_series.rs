//! A quantity of the last two minutes as a chart.

use hola_base::Text;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{RenderDirection, Sparkline, Widget};

use super::look::ViewLook;
use super::server_history::SAMPLES_MAX;

/// The height of a full bar.
const FULL: u64 = 1_000;

/// A quantity over time.
#[derive(Debug)]
pub(super) struct ChartedSeries {
    /// Its name.
    pub(super) name: Text,
    /// Its values, the oldest first; `None` where it is not known.
    pub(super) values: Vec<Option<f64>>,
}

impl ChartedSeries {
    /// Draws a line that says what it is and how high, and bars of which the right one is the newest.
    pub(super) fn draw(&self, look: ViewLook, area: Rect, buffer: &mut Buffer) {
        let known = self.values.iter().flatten().copied();
        let highest = known.reduce(f64::max);
        let [title, bars] =
            Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        let name = look.language.of(self.name);
        let words = match highest {
            Some(highest) => format!("{name} ≤ {}", look.number(highest)),
            None => name.to_owned(),
        };
        Line::styled(words, look.title()).render(title, buffer);
        Sparkline::default()
            .data(columns(&self.values, bars.width, highest.unwrap_or(0.0)))
            .max(FULL)
            .direction(RenderDirection::RightToLeft)
            .style(look.bars())
            .render(bars, buffer);
    }
}

/// Heights of the bars of two minutes in so many columns, the newest first. Where a bar stands for several samples, it
/// shows the highest of them: a peak of one second must not disappear.
fn columns(values: &[Option<f64>], columns: u16, highest: f64) -> Vec<Option<u64>> {
    let samples = SAMPLES_MAX.div_ceil(usize::from(columns.max(1)));
    let height = |value: f64| if highest > 0.0 { value / highest } else { 0.0 };
    let newest_first = values.rchunks(samples);
    newest_first
        .map(|values| {
            let known = values.iter().flatten().copied();
            known.reduce(f64::max).map(|value| level(height(value)))
        })
        .collect()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a full bar"
)]
fn level(share: f64) -> u64 {
    (share.clamp(0.0, 1.0) * FULL as f64).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_two_minutes_in_any_width_and_no_peak_is_lost() {
        let mut values: Vec<Option<f64>> = (1..=SAMPLES_MAX).map(|one| Some(one as f64)).collect();
        values[0] = Some(240.0);
        values[60] = None;
        assert_eq!(columns(&values, 120, 240.0).len(), 120);
        assert_eq!(columns(&values, 120, 240.0)[59], None);
        let narrow = columns(&values, 26, 240.0);
        assert_eq!(narrow.len(), 24);
        assert_eq!((narrow[0], narrow[23]), (Some(500), Some(1_000)));
        assert!(columns(&[], 26, 0.0).is_empty());
        assert_eq!(columns(&[Some(0.0)], 0, 0.0), [Some(0)]);
    }
}
