//! A section for each experiment: its question, one chart, one table, and what would change our mind. Also the map.

use hola_base::{Language, Text, text};
use hola_lab::metric::{Metric, Scale};
use hola_lab::plan::{Design, Level, Load, LoadPace, Stage};
use hola_verdict::analysis::Word;
use hola_verdict::{At, Estimate};

use crate::charts::Drawing;
use crate::charts::dots::{DotChart, Row};
use crate::charts::map::{MapChart, Tile};
use crate::document::{Chart, Details, Section, SectionItem, Table, TableCell};
use crate::facts::{self, Facts, GRID, Judged, MissingReasons};
use crate::{first_screen, numbers, words};

/// A section for each experiment of the run.
pub(crate) fn sections(facts: &Facts<'_>, language: Language) -> Vec<Section> {
    facts
        .run
        .designs
        .iter()
        .map(|design| section(facts, design, language))
        .collect()
}

fn section(facts: &Facts<'_>, design: &Design, language: Language) -> Section {
    let known = facts::experiment(&design.experiment);
    let mut parts = Vec::new();
    parts.extend(known.map(|known| SectionItem::Text(language.of(known.question).into())));
    let metrics = metrics(facts, design);
    if let Some(metric) = metrics.first() {
        parts.extend(line(facts, design, *metric, language).map(SectionItem::Text));
        parts.extend(chart(facts, design, *metric, language).map(SectionItem::Chart));
    }
    parts.push(figures(
        design,
        table(facts, design, &metrics, language),
        language,
    ));
    parts.extend(known.map(|known| {
        let mind = language.choose(
            || "What would change our mind: ",
            || "Lo que nos haría cambiar de idea: ",
        );
        SectionItem::Text(format!("{mind}{}", language.of(known.changes_mind)))
    }));
    Section {
        anchor: design.experiment.clone(),
        title: design.experiment.clone(),
        parts,
    }
}

/// The table, folded if it is longer than a screen.
fn figures(design: &Design, table: Table, language: Language) -> SectionItem {
    const SCREEN: usize = 16;
    if table.rows.len() <= SCREEN {
        return SectionItem::Table(table);
    }
    SectionItem::Details(Details {
        anchor: format!("{}-figures", design.experiment),
        title: language
            .choose(|| "All figures", || "Todas las cifras")
            .into(),
        word: None,
        parts: vec![SectionItem::Table(table)],
    })
}

/// Metrics of an experiment that have a value, the headline metric first.
fn metrics(facts: &Facts<'_>, design: &Design) -> Vec<Metric> {
    let declared = facts::experiment(&design.experiment).map_or(Metric::ALL, |known| known.metrics);
    let has_value = |metric: &&Metric| {
        design.levels().any(|(_, level)| {
            let at = at(design, level);
            level
                .participants
                .iter()
                .any(|name| facts.value(at, name, **metric).is_some())
        })
    };
    declared.iter().filter(has_value).copied().collect()
}

pub(crate) fn at<'a>(design: &'a Design, level: &'a Level) -> At<'a> {
    At {
        experiment: &design.experiment,
        level: &level.name,
    }
}

/// Levels; those for which the experiment asks for precision come first.
pub(crate) fn levels_by_weight(design: &Design) -> impl Iterator<Item = &Level> {
    let precise = design
        .precision
        .iter()
        .flat_map(|precision| &precision.levels);
    let precise = precise.filter_map(|name| design.level(name));
    precise.chain(design.levels()).map(|(_, level)| level)
}

/// The result in one sentence: the lowest and the highest value at the first level with a difference; if there is none,
/// at the first level with a comparison.
pub(crate) fn line(
    facts: &Facts<'_>,
    design: &Design,
    metric: Metric,
    language: Language,
) -> Option<String> {
    let lines = levels_by_weight(design).filter_map(|level| {
        let judged = facts.judged(at(design, level), metric);
        let mut judged: Vec<(&String, &Judged)> = judged.iter().collect();
        judged.sort_by(|(_, (one, _)), (_, (other, _))| one.value.total_cmp(&other.value));
        let write = |(name, (estimate, word)): &(&String, &Judged)| {
            let ratio = numbers::comparison(metric, estimate, language);
            format!("{name} {ratio}, {}", words::word(*word, metric, language).0)
        };
        let ends = match judged.as_slice() {
            [] => return None,
            [one] => write(one),
            [first, .., last] => format!("{}; {}", write(first), write(last)),
        };
        let differs = judged
            .iter()
            .any(|(_, (_, word))| matches!(word, Word::Better | Word::Worse));
        let title = language.of(metric.definition().title);
        let against = language.choose(|| "against", || "frente a");
        Some((
            differs,
            format!(
                "{}: {title} {against} {}: {ends}.",
                level.name, level.control
            ),
        ))
    });
    let lines: Vec<(bool, String)> = lines.collect();
    let telling = lines.iter().find(|(differs, _)| *differs).or(lines.first());
    telling
        .map(|(_, line)| line.clone())
        .or_else(|| control_line(facts, design, metric, language))
}

/// The same for an experiment that has only its control.
fn control_line(
    facts: &Facts<'_>,
    design: &Design,
    metric: Metric,
    language: Language,
) -> Option<String> {
    levels_by_weight(design).find_map(|level| {
        let value = facts.value(at(design, level), &level.control, metric)?;
        let value = numbers::value(metric, &value, language);
        let title = words::metric(metric, language);
        Some(format!(
            "{}: {title}: {} {value}.",
            level.name, level.control
        ))
    })
}

/// The chart of the section: lines over the rates if there are rates, otherwise dots for each level.
fn chart(facts: &Facts<'_>, design: &Design, metric: Metric, language: Language) -> Option<Chart> {
    let title = words::metric(metric, language);
    if design.experiment == GRID {
        let drawings = map(facts, design, metric, language).into_iter();
        return chart_of(
            language
                .choose(
                    || "Who is cheapest where",
                    || "Cuál es el más barato en cada caso",
                )
                .into(),
            map_caption(language),
            drawings,
        );
    }
    if metric == Metric::CpuPerRequest {
        let stages = design.stages.iter();
        let lines: Vec<Drawing> = stages
            .filter_map(|stage| {
                first_screen::rates(facts, &design.experiment, &stage.name, false, language)
            })
            .collect();
        if !lines.is_empty() {
            let caption = language.choose(
                || "A line for each participant, bands are 95 % intervals; lower is cheaper. One drawing for each stage.",
                || "Una línea por participante, las bandas son intervalos del 95 %; más bajo es más barato. Un dibujo por etapa.",
            );
            return chart_of(title, caption, lines.into_iter());
        }
    }
    let drawings = design
        .levels()
        .filter_map(|(stage, level)| dots(facts, design, (stage, level), metric, language));
    let caption = match metric.definition().scale {
        Scale::Ratio => language.choose(
            || "Each participant's ratio to the control with its 95 % interval; the line is the control.",
            || "La razón de cada participante con el control y su intervalo del 95 %; la línea es el control.",
        ),
        Scale::Plain => language.choose(
            || "Each participant's value with its 95 % interval.",
            || "El valor de cada participante con su intervalo del 95 %.",
        ),
    };
    chart_of(title, caption, drawings)
}

fn chart_of(
    title: String,
    caption: &str,
    drawings: impl Iterator<Item = Drawing>,
) -> Option<Chart> {
    let drawings: Vec<String> = drawings.map(|one| one.inline()).collect();
    (!drawings.is_empty()).then(|| Chart {
        title,
        caption: caption.into(),
        drawings,
    })
}

fn dots(
    facts: &Facts<'_>,
    design: &Design,
    (stage, level): (&Stage, &Level),
    metric: Metric,
    language: Language,
) -> Option<Drawing> {
    let at = at(design, level);
    let is_log = metric.definition().scale == Scale::Ratio;
    let row = |name: &&str| {
        let name = *name;
        let (estimate, figure): (Estimate, String) = if is_log {
            if name == level.control {
                return None;
            }
            let ratio = facts.to_control(at, name, metric)?;
            (ratio, numbers::times(ratio.value, language))
        } else {
            let value = facts.value(at, name, metric)?;
            (value, numbers::figure(metric, value.value, language))
        };
        let Estimate {
            value, low, high, ..
        } = estimate;
        Some(Row {
            name: name.into(),
            hue: facts.hue(stage, name),
            value,
            low,
            high,
            figure,
        })
    };
    let ratio_to = language.choose(|| "ratio to", || "razón con");
    DotChart {
        label: format!("{}: {}", level.name, words::metric(metric, language)),
        title: level.name.clone(),
        across: if is_log {
            format!("{ratio_to} {}", level.control)
        } else {
            words::metric(metric, language)
        },
        is_log,
        line: if is_log { 1.0 } else { 0.0 },
        write: &|value| match is_log {
            true => format!("{}×", numbers::round(value, language)),
            false => numbers::tick(metric, value, language),
        },
        rows: facts
            .participants(at, level)
            .iter()
            .filter_map(row)
            .collect(),
    }
    .draw()
}

/// A row for each level and participant: its values, and its comparison with the control.
fn table(facts: &Facts<'_>, design: &Design, metrics: &[Metric], language: Language) -> Table {
    const COLUMNS: [Text; 3] = [
        text("Participant", "Participante"),
        text("Level", "Nivel"),
        text("Verdict", "Veredicto"),
    ];
    let mut columns: Vec<String> = COLUMNS
        .iter()
        .map(|column| language.of(*column).into())
        .collect();
    if let Some(metric) = metrics.first() {
        let title = language.of(metric.definition().title);
        columns.push(match metric.definition().scale {
            Scale::Ratio => language.choose(
                || format!("{title}, × control [95 %]"),
                || format!("{title}, × control [95 %]"),
            ),
            Scale::Plain => language.choose(
                || format!("{title}, less the control's [95 %]"),
                || format!("{title}, menos la del control [95 %]"),
            ),
        });
    }
    columns.extend(
        metrics
            .iter()
            .map(|metric| words::metric(*metric, language)),
    );
    let titles: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table = Table::new("", 3, &titles);
    let mut reasons = MissingReasons::default();
    for (_, level) in design.levels() {
        let at = at(design, level);
        let judged = metrics
            .first()
            .map(|metric| facts.judged(at, *metric))
            .unwrap_or_default();
        for name in facts.participants(at, level) {
            let mut row: Vec<TableCell> = vec![name.into(), level.name.as_str().into()];
            if let Some(metric) = metrics.first() {
                row.extend(judgement(
                    judged.get(name),
                    name == level.control,
                    *metric,
                    language,
                ));
            } else {
                row.push(numbers::NONE.into());
            }
            for (number, metric) in metrics.iter().enumerate() {
                let value = facts.value(at, name, *metric);
                row.push(value.map_or(numbers::NONE.into(), |value| {
                    let text = match number {
                        0 => numbers::value(*metric, &value, language),
                        _ => numbers::figure(*metric, value.value, language),
                    };
                    TableCell::number(text, value.value)
                }));
                if value.is_none() && number == 0 {
                    let why = facts.analysis.missing(at, name, *metric);
                    reasons.add(&why, name, &level.name, language);
                }
            }
            table.rows.push(row);
        }
    }
    table.notes = reasons.notes(language);
    table
}

/// The word and the comparison.
fn judgement(
    judged: Option<&Judged>,
    is_control: bool,
    metric: Metric,
    language: Language,
) -> [TableCell; 2] {
    match judged {
        _ if is_control => [
            language.choose(|| "the control", || "el control").into(),
            TableCell::default(),
        ],
        Some((estimate, word)) => {
            let (word, tone) = words::word(*word, metric, language);
            let text = numbers::comparison(metric, estimate, language);
            [
                TableCell::word(word, tone),
                TableCell::number(text, estimate.value),
            ]
        }
        None => [numbers::NONE.into(), numbers::NONE.into()],
    }
}

fn map_caption(language: Language) -> &'static str {
    language.choose(
        || "Each place names the participant with the lowest CPU per request, those that cost the same within the margin, and those \
            of whom this run cannot tell. A broken frame: it is undecided who is cheapest. All others cost more.",
        || "Cada casilla nombra al participante con menos CPU por petición, a los que cuestan lo mismo dentro del margen y a los que \
            esta ejecución no puede distinguir. Marco discontinuo: está sin decidir cuál es el más barato. Los demás cuestan más.",
    )
}

fn map(facts: &Facts<'_>, design: &Design, metric: Metric, language: Language) -> Option<Drawing> {
    let mut map = MapChart {
        label: map_caption(language).into(),
        columns: Vec::new(),
        rows: Vec::new(),
    };
    for (stage, level) in design.levels() {
        let Some((row, column)) = facts::load(level).map(|load| place(stage, load, language))
        else {
            continue;
        };
        let column = index(&mut map.columns, column, |name| name);
        let row = index(&mut map.rows, (row, Vec::new()), |(name, _)| name);
        let tiles = &mut map.rows[row].1;
        tiles.resize_with(tiles.len().max(column + 1), || None);
        tiles[column] = Some(tile(
            facts,
            at(design, level),
            (stage, level),
            metric,
            language,
        ));
    }
    map.draw()
}

/// Row and column of a load in the map: its stage and whether clients stay; the path that they request.
fn place(stage: &Stage, load: &Load, language: Language) -> (String, String) {
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
    (format!("{}, {stays}", stage.name), load.path.clone())
}

/// Index of the item with that key; adds the item if it is absent.
fn index<T>(items: &mut Vec<T>, item: T, key: impl Fn(&T) -> &String) -> usize {
    items
        .iter()
        .position(|one| key(one) == key(&item))
        .unwrap_or_else(|| {
            items.push(item);
            items.len() - 1
        })
}

fn tile(
    facts: &Facts<'_>,
    at: At<'_>,
    (stage, level): (&Stage, &Level),
    metric: Metric,
    language: Language,
) -> Tile {
    let names = facts.participants(at, level);
    let values = names
        .iter()
        .filter_map(|name| Some((*name, facts.value(at, name, metric)?.value)));
    let cheapest = values
        .min_by(|(_, one), (_, other)| one.total_cmp(other))
        .map(|(name, _)| name);
    let Some(cheapest) = cheapest else {
        return Tile {
            cheapest: None,
            lines: Vec::new(),
            is_decided: false,
        };
    };
    let (mut same, mut open) = (Vec::new(), Vec::new());
    let mut margin = String::new();
    for name in names.into_iter().filter(|name| *name != cheapest) {
        let ratio = facts.analysis.ratio(at, name, cheapest, metric);
        match ratio.map(|ratio| Word::new(&ratio, metric)) {
            Some(Word::Same { margin: within }) => {
                margin = numbers::width(metric, within, language);
                same.push(name.to_owned());
            }
            Some(Word::Undecided { .. }) => open.push(name.to_owned()),
            Some(Word::Better | Word::Worse) | None => {}
        }
    }
    let mut lines = Vec::new();
    if !same.is_empty() {
        let names = same.join(", ");
        lines.push(language.choose(
            || format!("the same within ±{margin}:"),
            || format!("lo mismo, a menos de ±{margin}:"),
        ));
        lines.push(names);
    }
    if !open.is_empty() {
        lines.push(language.choose(|| "undecided:", || "sin decidir:").into());
        lines.push(open.join(", "));
    }
    Tile {
        cheapest: Some((cheapest.into(), facts.hue(stage, cheapest))),
        lines,
        is_decided: open.is_empty(),
    }
}

/// A line for each experiment.
pub(crate) fn lines(facts: &Facts<'_>, language: Language) -> Vec<String> {
    let line_of = |design: &Design| {
        let metric = metrics(facts, design).first().copied();
        let line = metric.and_then(|metric| line(facts, design, metric, language));
        let nothing = || {
            language
                .choose(|| "no comparison.", || "ninguna comparación.")
                .to_owned()
        };
        format!("{}, {}", design.experiment, line.unwrap_or_else(nothing))
    };
    facts.run.designs.iter().map(line_of).collect()
}
