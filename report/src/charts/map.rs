//! The map: for each combination of loads, which model is cheapest, which cost the same, and which are undecided.

use super::Hue;
use super::svg::{Drawing, fitted};

const TILE: (f64, f64) = (250.0, 108.0);
const GAP: f64 = 10.0;
const LEFT: f64 = 210.0;
const TOP: f64 = 30.0;

/// A map.
pub(crate) struct MapChart {
    /// Description for readers who cannot see the map.
    pub(crate) label: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<(String, Vec<Option<Tile>>)>,
}

/// One cell of the map.
pub(crate) struct Tile {
    /// The cheapest model; `None` if no model could be compared.
    pub(crate) cheapest: Option<(String, Hue)>,
    /// Lines below: models that cost the same, models that are undecided.
    pub(crate) lines: Vec<String>,
    /// Whether the cheapest model is known: all others cost more, or the same within the margin.
    pub(crate) is_decided: bool,
}

impl MapChart {
    /// Draws the map; `None` without rows or columns.
    pub(crate) fn draw(&self) -> Option<Drawing> {
        if self.rows.is_empty() || self.columns.is_empty() {
            return None;
        }
        let width = LEFT + self.columns.len() as f64 * (TILE.0 + GAP);
        let height = TOP + self.rows.len() as f64 * (TILE.1 + GAP);
        let mut drawing = Drawing::new(width, height, &self.label);
        for (column, name) in self.columns.iter().enumerate() {
            let x = LEFT + column as f64 * (TILE.0 + GAP) + TILE.0 / 2.0;
            drawing.text("h m", (x, 20.0), name);
        }
        for (row, (name, tiles)) in self.rows.iter().enumerate() {
            let y = TOP + row as f64 * (TILE.1 + GAP);
            let name = fitted(name, LEFT - 40.0);
            drawing.text("h e", (LEFT - 12.0, y + TILE.1 / 2.0), &name);
            for (column, tile) in tiles.iter().enumerate() {
                let x = LEFT + column as f64 * (TILE.0 + GAP);
                if let Some(tile) = tile {
                    tile.draw(&mut drawing, (x, y));
                }
            }
        }
        Some(drawing)
    }
}

impl Tile {
    fn draw(&self, drawing: &mut Drawing, (x, y): (f64, f64)) {
        let (name, hue) = match &self.cheapest {
            Some((name, hue)) => (name.as_str(), *hue),
            None => ("—", Hue::Target),
        };
        let open = if self.is_decided { "" } else { " open" };
        drawing.rect(&format!("tile {}{open}", hue.class()), (x, y), TILE);
        drawing.text("i h", (x + 12.0, y + 24.0), &fitted(name, TILE.0 - 24.0));
        for (number, line) in self.lines.iter().take(4).enumerate() {
            let y = y + 46.0 + 18.0 * number as f64;
            drawing.text("i q", (x + 12.0, y), &fitted(line, TILE.0 - 20.0));
        }
    }
}
