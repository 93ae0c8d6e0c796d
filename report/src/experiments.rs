//! A section for each experiment: its question, one chart, one table, and what would change our mind. Also the map.

use hola_base::{Language, Text, text};
use hola_lab::experiments;
use hola_lab::metric::{Metric, Scale};
use hola_lab::plan::{Design, Level, Load, LoadPace, Stage};
use hola_verdict::LevelKey;
use hola_verdict::analysis::Word;

use crate::charts::Drawing;
use crate::charts::dots::{DotChart, Row};
use crate::charts::map::{MapChart, Tile};
use crate::document::{Chart, Section, SectionItem, Table, TableCell};
use crate::facts::{self, Facts, GRID, Judged, MissingReasons};
use crate::{first_screen, labels, numbers};

const LINES_CAPTION: Text = text(
    "A line for each participant, bands are 95 % intervals; lower is cheaper. One drawing for each stage.",
    "Una línea por participante, las bandas son intervalos del 95 %; más bajo es más barato. Un dibujo por etapa.",
);
const RATIOS_CAPTION: Text = text(
    "Each participant's ratio to the control with its 95 % interval; the line is the control.",
    "La razón de cada participante con el control y su intervalo del 95 %; la línea es el control.",
);
const VALUES_CAPTION: Text = text(
    "Each participant's value with its 95 % interval.",
    "El valor de cada participante con su intervalo del 95 %.",
);
const MAP_CAPTION: Text = text(
    "Each place names the participant with the lowest CPU per request, those that cost the same within the margin, and those \
     of whom this run cannot tell. A broken frame: it is undecided who is cheapest. All others cost more.",
    "Cada casilla nombra al participante con menos CPU por petición, a los que cuestan lo mismo dentro del margen y a los que \
     esta ejecución no puede distinguir. Marco discontinuo: está sin decidir cuál es el más barato. Los demás cuestan más.",
);

/// A section for each experiment of the run.
pub(crate) fn sections(facts: &Facts<'_>, language: Language) -> Vec<Section> {
    let designs = facts.run.designs.iter();
    let results = designs.map(|design| Results::new(facts, design, language));
    results.map(|results| results.section()).collect()
}

/// A line for each experiment.
pub(crate) fn lines(facts: &Facts<'_>, language: Language) -> Vec<String> {
    let nothing = language.choose(|| "no comparison.", || "ninguna comparación.");
    let line = |design: &Design| {
        let results = Results::new(facts, design, language);
        let metric = results.metrics.first();
        let line = metric.and_then(|metric| results.line(*metric));
        let line = line.as_deref().unwrap_or(nothing);
        format!("{}, {line}", design.experiment)
    };
    facts.run.designs.iter().map(line).collect()
}

/// Levels; those for which the experiment asks for precision come first.
pub(crate) fn levels_by_weight(design: &Design) -> impl Iterator<Item = &Level> {
    let precision = design.precision.iter();
    let precise = precision.flat_map(|precision| &precision.levels);
    let precise = precise.filter_map(|name| design.level(name));
    precise.chain(design.levels()).map(|(_, level)| level)
}

/// What a run found in one experiment.
struct Results<'f, 'r> {
    facts: &'f Facts<'r>,
    design: &'f Design,
    /// Metrics that have a value, the headline metric first.
    metrics: Vec<Metric>,
    language: Language,
}

impl<'f, 'r> Results<'f, 'r> {
    fn new(facts: &'f Facts<'r>, design: &'f Design, language: Language) -> Self {
        let known = experiments::find(&design.experiment);
        let mut metrics = known.map_or(Metric::ALL, |known| known.metrics).to_vec();
        metrics.retain(|metric| {
            design.levels().any(|(_, level)| {
                let at = LevelKey::new(&design.experiment, &level.name);
                let mut names = level.participants.iter();
                names.any(|name| facts.value(at, name, *metric).is_ok())
            })
        });
        Results {
            facts,
            design,
            metrics,
            language,
        }
    }

    fn at(&self, level: &'f Level) -> LevelKey<'f> {
        LevelKey::new(&self.design.experiment, &level.name)
    }

    fn section(&self) -> Section {
        let (name, language) = (&self.design.experiment, self.language);
        let known = experiments::find(name);
        let mut parts = Vec::new();
        parts.extend(known.map(|known| SectionItem::Text(language.of(known.question).into())));
        if let Some(metric) = self.metrics.first() {
            parts.extend(self.line(*metric).map(SectionItem::Text));
            parts.extend(self.chart(*metric).map(SectionItem::Chart));
        }
        parts.push(self.figures());
        parts.extend(known.map(|known| {
            let mind = language.choose(
                || "What would change our mind",
                || "Lo que nos haría cambiar de idea",
            );
            SectionItem::Text(format!("{mind}: {}", language.of(known.changes_mind)))
        }));
        Section::new(name, name, parts)
    }

    /// The table, folded if it is longer than a screen.
    fn figures(&self) -> SectionItem {
        const SCREEN: usize = 16;
        let table = self.table();
        if table.rows.len() <= SCREEN {
            return SectionItem::Table(table);
        }
        let anchor = format!("{}-figures", self.design.experiment);
        let title = self
            .language
            .choose(|| "All figures", || "Todas las cifras");
        SectionItem::folded(&anchor, title, vec![SectionItem::Table(table)])
    }

    /// The result in one sentence: the lowest and the highest value at the first level with a difference; if there is
    /// none, at the first level with a comparison; if there is only the control, its value.
    fn line(&self, metric: Metric) -> Option<String> {
        let levels = levels_by_weight(self.design);
        let lines = levels.filter_map(|level| self.level_line(level, metric));
        let lines: Vec<(String, bool)> = lines.collect();
        let telling = lines.iter().find(|(_, differs)| *differs).or(lines.first());
        let telling = telling.map(|(line, _)| line.clone());
        telling.or_else(|| self.control_line(metric))
    }

    /// The lowest and the highest value of a level, and whether any participant differs from the control.
    fn level_line(&self, level: &'f Level, metric: Metric) -> Option<(String, bool)> {
        let language = self.language;
        let judged = self.facts.judged(self.at(level), metric);
        let mut judged: Vec<(&String, &Judged)> = judged.iter().collect();
        judged.sort_by(|(_, (one, _)), (_, (other, _))| one.value.total_cmp(&other.value));
        let write = |(name, (estimate, word)): &(&String, &Judged)| {
            let ratio = numbers::comparison(metric, estimate, language);
            let (word, _) = labels::word(*word, metric, language);
            format!("{name} {ratio}, {word}")
        };
        let ends = match judged.as_slice() {
            [] => return None,
            [one] => write(one),
            [first, .., last] => format!("{}; {}", write(first), write(last)),
        };
        let is_different = |word| matches!(word, Word::Better | Word::Worse);
        let differs = judged.iter().any(|(_, (_, word))| is_different(*word));
        let title = language.of(metric.definition().title);
        let against = language.choose(|| "against", || "frente a");
        let Level { name, control, .. } = level;
        Some((
            format!("{name}: {title} {against} {control}: {ends}."),
            differs,
        ))
    }

    fn control_line(&self, metric: Metric) -> Option<String> {
        levels_by_weight(self.design).find_map(|level| {
            let Level { name, control, .. } = level;
            let value = self.facts.value(self.at(level), control, metric).ok()?;
            let value = numbers::value(metric, &value, self.language);
            let title = labels::metric(metric, self.language);
            Some(format!("{name}: {title}: {control} {value}."))
        })
    }

    /// The chart of the section: lines over the rates if there are rates, otherwise dots for each level.
    fn chart(&self, metric: Metric) -> Option<Chart> {
        let (design, language) = (self.design, self.language);
        let title = labels::metric(metric, language);
        if design.experiment == GRID {
            let title = language.choose(
                || "Who is cheapest where",
                || "Cuál es el más barato en cada caso",
            );
            return Chart::new(title.into(), language.of(MAP_CAPTION), self.map(metric));
        }
        let rates = |stage: &Stage| {
            first_screen::rates(self.facts, &design.experiment, &stage.name, false, language)
        };
        let stages = design.stages.iter();
        let stages = stages.filter(|_| metric == Metric::CpuPerRequest);
        let lines = stages.filter_map(rates);
        if let Some(chart) = Chart::new(title.clone(), language.of(LINES_CAPTION), lines) {
            return Some(chart);
        }
        let caption = match metric.definition().scale {
            Scale::Ratio => RATIOS_CAPTION,
            Scale::Plain => VALUES_CAPTION,
        };
        let levels = design.levels();
        let dots = levels.filter_map(|(stage, level)| self.dots(stage, level, metric));
        Chart::new(title, language.of(caption), dots)
    }

    fn dots(&self, stage: &Stage, level: &'f Level, metric: Metric) -> Option<Drawing> {
        let (at, facts, language) = (self.at(level), self.facts, self.language);
        let is_log = metric.definition().scale == Scale::Ratio;
        let row = |name: &&str| {
            let (estimate, figure) = if !is_log {
                let value = facts.value(at, name, metric).ok()?;
                (value, numbers::figure(metric, value.value, language))
            } else if *name != level.control {
                let ratio = facts.to_control(at, name, metric)?;
                (ratio, numbers::times(ratio.value, language))
            } else {
                return None;
            };
            Some(Row {
                name: (*name).into(),
                hue: facts.hue(stage, name),
                estimate,
                figure,
            })
        };
        let title = labels::metric(metric, language);
        let ratio_to = language.choose(|| "ratio to", || "razón con");
        DotChart {
            label: format!("{}: {title}", level.name),
            title: level.name.clone(),
            x_label: match is_log {
                true => format!("{ratio_to} {}", level.control),
                false => title,
            },
            is_log,
            line: if is_log { 1.0 } else { 0.0 },
            write: &|value| match is_log {
                true => format!("{}×", numbers::round(value, language)),
                false => numbers::tick(metric, value, language),
            },
            rows: facts.participants(at).iter().filter_map(row).collect(),
        }
        .draw()
    }

    /// A row for each level and participant: its values, and its comparison with the control.
    fn table(&self) -> Table {
        let (facts, language) = (self.facts, self.language);
        let first = self.metrics.first().copied();
        let mut table = Table::new(3, self.columns());
        let mut reasons = MissingReasons::default();
        for (_, level) in self.design.levels() {
            let at = self.at(level);
            let judged = first
                .map(|metric| facts.judged(at, metric))
                .unwrap_or_default();
            for name in facts.participants(at) {
                let mut row: Vec<TableCell> = vec![name.into(), level.name.as_str().into()];
                row.extend(match first {
                    Some(_) if name == level.control => {
                        vec![first_screen::control_word(language), TableCell::default()]
                    }
                    Some(metric) => {
                        first_screen::judgement(judged.get(name), metric, language).into()
                    }
                    None => vec![numbers::NONE.into()],
                });
                for (index, metric) in self.metrics.iter().copied().enumerate() {
                    row.push(match facts.value(at, name, metric) {
                        Ok(value) if index == 0 => TableCell::estimate(metric, &value, language),
                        Ok(value) => TableCell::figure(metric, value.value, language),
                        Err(why) => {
                            if index == 0 {
                                reasons.add(&why, name, &level.name, language);
                            }
                            numbers::NONE.into()
                        }
                    });
                }
                table.rows.push(row);
            }
        }
        table.notes = reasons.notes(language);
        table
    }

    /// Titles of the table's columns.
    fn columns(&self) -> Vec<String> {
        let language = self.language;
        let names = language.choose(
            || ["Participant", "Level", "Verdict"],
            || ["Participante", "Nivel", "Veredicto"],
        );
        let comparison = self.metrics.first().map(|metric| {
            let title = language.of(metric.definition().title);
            let compared = match metric.definition().scale {
                Scale::Ratio => "× control",
                Scale::Plain => language.choose(|| "less the control's", || "menos la del control"),
            };
            format!("{title}, {compared} [95 %]")
        });
        let metrics = self.metrics.iter();
        let metrics = metrics.map(|metric| labels::metric(*metric, language));
        let columns = names.map(str::to_owned).into_iter();
        columns.chain(comparison).chain(metrics).collect()
    }

    fn map(&self, metric: Metric) -> Option<Drawing> {
        let mut map = MapChart {
            label: self.language.of(MAP_CAPTION).into(),
            columns: Vec::new(),
            rows: Vec::new(),
        };
        for (stage, level) in self.design.levels() {
            let Some(load) = facts::load(level) else {
                continue;
            };
            let column = map.columns.iter().position(|path| *path == load.path);
            let column = column.unwrap_or_else(|| {
                map.columns.push(load.path.clone());
                map.columns.len() - 1
            });
            let tiles = facts::entry(&mut map.rows, &map_row(stage, load, self.language));
            tiles.resize_with(tiles.len().max(column + 1), || None);
            tiles[column] = Some(self.tile(stage, level, metric));
        }
        map.draw()
    }

    fn tile(&self, stage: &Stage, level: &'f Level, metric: Metric) -> Tile {
        let (at, language) = (self.at(level), self.language);
        let names = self.facts.participants(at);
        let value = |name| self.facts.value(at, name, metric);
        let measured = names
            .iter()
            .filter_map(|name| Some((*name, value(name).ok()?.value)));
        let cheapest = measured.min_by(|(_, one), (_, other)| one.total_cmp(other));
        let Some((cheapest, _)) = cheapest else {
            return Tile {
                cheapest: None,
                lines: Vec::new(),
                is_decided: false,
            };
        };
        let (mut same, mut open) = (Vec::new(), Vec::new());
        let mut margin = String::new();
        for name in names.into_iter().filter(|name| *name != cheapest) {
            let ratio = self.facts.analysis.ratio(at, name, cheapest, metric);
            match ratio.map(|ratio| Word::new(&ratio, metric)) {
                Ok(Word::Same { margin: within }) => {
                    margin = numbers::width(metric, within, language);
                    same.push(name);
                }
                Ok(Word::Undecided { .. }) => open.push(name),
                Ok(Word::Better | Word::Worse) | Err(_) => {}
            }
        }
        let mut lines = Vec::new();
        if !same.is_empty() {
            lines.extend([labels::same(&margin, language) + ":", same.join(", ")]);
        }
        if !open.is_empty() {
            let undecided = language.choose(|| "undecided:", || "sin decidir:");
            lines.extend([undecided.to_owned(), open.join(", ")]);
        }
        Tile {
            cheapest: Some((cheapest.into(), self.facts.hue(stage, cheapest))),
            lines,
            is_decided: open.is_empty(),
        }
    }
}

/// The row of a load in the map: its stage and whether clients stay.
fn map_row(stage: &Stage, load: &Load, language: Language) -> String {
    let is_kept = matches!(
        load.pace,
        LoadPace::Open {
            connections: Some(_),
            ..
        }
    );
    let stays = match is_kept {
        true => language.choose(|| "kept", || "se quedan"),
        false => language.choose(|| "new", || "nuevos"),
    };
    format!("{}, {stays}", stage.name)
}
