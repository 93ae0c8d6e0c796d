//! Every model by itself: what it is, what it costs, where it stops gaining, where its source is.

use hola_servers::models;

use crate::analysis::Analysis;
use crate::claims::rising;
use crate::claims::words::card;
use crate::experiments::level_name;
use crate::lab::record::{ModelCard, Run};
use crate::language::Language;

use super::answer::load;
use super::row::ModelRow;
use super::view::{ModelPage, Table};
use super::words;

/// From a run's folder, `results/NAME/`, to the models' pages.
const SOURCES: &str = "../../servers/src/models";

/// A page for each model and reference target, in the run's order.
pub(super) fn pages(run: &Run, analyses: &[Analysis<'_>], language: Language) -> Vec<ModelPage> {
    let page = |model: &ModelCard| ModelPage {
        name: model.name.clone(),
        title: words::title_of(model, language).to_owned(),
        paragraphs: paragraphs(run, analyses, model, language),
        source: source(&model.name, language),
        costs: costs(run, analyses, &model.name, language),
    };
    run.models.iter().map(page).collect()
}

fn paragraphs(
    run: &Run,
    analyses: &[Analysis<'_>],
    model: &ModelCard,
    language: Language,
) -> Vec<String> {
    let mut paragraphs = vec![words::recorded(&model.summary, language).to_owned()];
    paragraphs.extend(words::attention(&model.attention, language).map(str::to_owned));
    for analysis in analyses {
        let turns = rising::turns(analysis, &run.models);
        let own = turns.into_iter().find(|turn| turn.model == model.name);
        paragraphs.extend(own.and_then(|turn| turn.point).map(|point| {
            words::turns(
                &analysis.design.experiment,
                &level_name(&point.level, language),
                &card::causes(&point, language),
                language,
            )
        }));
    }
    paragraphs.retain(|text| !text.is_empty());
    paragraphs
}

fn source(name: &str, language: Language) -> Option<(String, String)> {
    let model = models::find(name)?;
    let file = format!("{}.rs", model.name.replace('-', "_"));
    let label = words::source_link(&format!("servers/src/models/{file}"), language);
    Some((label, format!("{SOURCES}/{file}")))
}

/// The figure that headlines each experiment, at its headline level.
fn costs(run: &Run, analyses: &[Analysis<'_>], model: &str, language: Language) -> Table {
    let columns = [
        words::EXPERIMENT,
        words::LOAD,
        words::METRIC,
        words::VALUE,
        words::TIMES_CONTROL,
        words::VERDICT,
    ]
    .map(|text| language.of(text));
    let mut table = Table::new(language.of(words::COSTS), 3, &columns);
    table.columns[5].numeric = false;
    for analysis in analyses {
        let lead = analysis.lead();
        let Some(level) = analysis.headline(lead) else {
            continue;
        };
        for cell in analysis.level(level).filter(|cell| cell.model == model) {
            let row = ModelRow {
                run,
                analysis,
                cell,
                language,
            };
            let cells = vec![
                analysis.design.experiment.as_str().into(),
                load(analysis, level, language).into(),
                words::metric(lead, language).into(),
                row.estimate(lead),
                row.ratio(lead),
                row.verdict(lead),
            ];
            row.push_to(&mut table, cells);
        }
    }
    table
}
