//! Reports, rebuilt from what a run recorded: the same records give the same bytes.
//!
//! `view` holds a report free of any format, with every number already written by `numbers` and every sentence by
//! `words`, both in one [`Language`]; `markdown`, `html`, `csv` and `plain` only lay it out. `exports` is the data beside it.
mod answer;
mod brief;
mod charts;
mod csv;
pub mod difference;
mod evidence;
pub mod exports;
mod html;
mod markdown;
mod method;
mod model_pages;
pub mod numbers;
mod picture_file;
mod pictures;
mod plain;
mod row;
mod tables;
mod verdicts;
pub mod view;
mod words;

use crate::analysis::{self, Analysis};
use crate::claims::decide::Decision;
use crate::claims::of_run;
use crate::lab::record::{Run, SCHEMA_VERSION, Trial};
use crate::language::{LANGUAGES, Language};

use view::{Part, Report};

/// Name of the picture that goes with the answer, without its ending.
pub const PICTURE: &str = "answer";

/// The reports of a run: analysed and decided once, laid out in any language and format.
#[derive(Clone, Debug)]
pub struct Reports<'a> {
    run: &'a Run,
    trials: &'a [Trial],
    analyses: Vec<Analysis<'a>>,
    decisions: Vec<Decision>,
}

impl<'a> Reports<'a> {
    /// Analyses the trials of a run and decides the claims.
    pub fn of(run: &'a Run, trials: &'a [Trial]) -> Self {
        let analyses = analysis::of_run(run, trials);
        let decisions = of_run::decisions_of(run, &analyses);
        Self {
            run,
            trials,
            analyses,
            decisions,
        }
    }

    /// What became of the claims.
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// Every file of the run's folder that is rebuilt from its records: name and text.
    pub fn files(&self) -> Vec<(String, String)> {
        let mut files = vec![
            ("report.html".to_owned(), self.html()),
            ("trials.csv".to_owned(), self.csv()),
        ];
        for language in LANGUAGES {
            let report = self.report(language);
            let suffix = language.choose(|| "", || ".es");
            let text = markdown::page(&report, language);
            files.push((format!("report{suffix}.md"), text));
            files.extend(report.answer_chart.map(|chart| {
                let name = format!("{PICTURE}{suffix}.svg");
                (name, picture_file::of(&chart.drawings[0]))
            }));
        }
        let exports = exports::of_analyses(self.run, &self.analyses).into_iter();
        files.extend(exports.map(|export| (export.path, export.text)));
        files
    }

    /// The report as Markdown: `report.md`, `report.es.md`.
    pub fn markdown(&self, language: Language) -> String {
        markdown::page(&self.report(language), language)
    }

    /// The report as one self-contained HTML page in both languages: `report.html`.
    pub fn html(&self) -> String {
        let reports = LANGUAGES.map(|language| (language, self.report(language)));
        html::page(&reports)
    }

    /// Every trial as a row of CSV, figures in full precision: `trials.csv`.
    pub fn csv(&self) -> String {
        csv::rows(self.run, self.trials)
    }

    /// The answer and its table in Markdown, naming the results folder and the commit: what README shows.
    pub fn readme_table(&self, language: Language) -> String {
        let answer = self.answer(language);
        let mut blocks: Vec<String> = answer.iter().map(|one| markdown::escape(one)).collect();
        // The first experiment is the one the project is about.
        if let Some(analysis) = self.analyses.first() {
            let table = tables::compact(self.run, analysis, language);
            blocks.extend(table.map(|table| markdown::table(&table)));
        }
        let version = method::version(self.run, language);
        let source = words::readme_source(&self.run.name, &version, language);
        blocks.push(format!("*{}*", markdown::escape(&source)));
        blocks.join("\n\n") + "\n"
    }

    /// The same under the picture that is at `picture`.
    pub fn readme(&self, picture: &str, language: Language) -> String {
        let title = language.of(words::COST_CHART);
        let table = self.readme_table(language);
        format!("![{title}]({picture})\n\n{table}")
    }

    /// Everything a report shows, free of any format.
    pub fn report(&self, language: Language) -> Report {
        let (run, analyses) = (self.run, &self.analyses);
        Report {
            title: words::title(run, language),
            question: words::question(run, language),
            warnings: self.warnings(language),
            answer: self.answer(language),
            answer_chart: analyses
                .first()
                .and_then(|first| pictures::answer(run, first, language)),
            map: pictures::map(run, analyses, language),
            verdicts: verdicts::verdicts(&self.decisions, language),
            experiments: analyses
                .iter()
                .map(|one| part(run, one, language))
                .collect(),
            models: model_pages::pages(run, analyses, language),
            validity: evidence::validity(run, self.trials, analyses, language),
            reading: method::reading(run, language),
            method: method::method(run, language),
        }
    }

    /// Over all loads where the run has several, and of its first experiment otherwise.
    fn answer(&self, language: Language) -> Vec<String> {
        let brief = brief::sentences(self.run, &self.analyses, language);
        match (brief.is_empty(), self.analyses.first()) {
            (false, _) => brief,
            (true, Some(first)) => answer::sentences(self.run, first, language),
            (true, None) => vec![language.of(words::NOTHING_RANKED).to_owned()],
        }
    }

    fn warnings(&self, language: Language) -> Vec<String> {
        let run = self.run;
        let mut warnings = Vec::new();
        if run.schema_version > SCHEMA_VERSION {
            let found = run.schema_version;
            warnings.push(words::newer_schema(found, SCHEMA_VERSION, language));
        }
        warnings.extend(words::status_warning(
            run.status,
            self.trials.len(),
            language,
        ));
        if run.environment.build == "debug" {
            warnings.push(language.of(words::DEBUG_BUILD).to_owned());
        }
        if run.environment.dirty == Some(true) {
            warnings.push(language.of(words::DIRTY_BUILD).to_owned());
        }
        warnings
    }
}

fn part(run: &Run, analysis: &Analysis<'_>, language: Language) -> Part {
    let design = analysis.design;
    let changes_mind = words::recorded(&design.changes_mind, language);
    Part {
        name: design.experiment.clone(),
        question: words::recorded(&design.question, language).to_owned(),
        answer: answer::sentences(run, analysis, language),
        headline: tables::headline(run, analysis, language),
        charts: pictures::charts(run, analysis, language),
        levels: tables::levels(run, analysis, language),
        turning_points: verdicts::turning_points(run, analysis, language),
        changes_mind: words::changes_mind(changes_mind, language),
    }
}
