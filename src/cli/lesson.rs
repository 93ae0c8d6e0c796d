//! `hola lesson`: asks a question, measures what answers it, and puts the prediction beside the result.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use hola_base::Language;
use hola_base::output::{print, say};
use hola_lab::block::Lab;
use hola_lab::pinned_program::PinnedProgram;
use hola_lab::record::{Block, Run, RunStatus};
use hola_lab::target::Targets;
use hola_lab::{run, store};
use hola_verdict::precision_reached;

use super::compare::{begin, time};
use super::{INVALID, Interruption, Lang, REGRESSION, usage_error};
use crate::lesson::{
    Canvas, HandIn, LESSONS, Lesson, LessonResult, check, conclusion, designs, introduction,
    lessons, list,
};
use crate::toml_error;

/// Arguments of `lesson`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola lesson                                  the eight lessons
  hola lesson 1                                take the first: a question, a measurement, a reason
  hola lesson 1 --lang es                      the same in Spanish
  hola lesson 2 --blocks 30                    measure for longer: narrower intervals
  hola lesson 3 --hand-in work --name Ada      write work/lesson-3.json, .md and .csv
  hola lesson --check work/lesson-3.json       compute a hand-in's figures from its records again
  hola lesson --answers answers.toml           take the lessons that the file answers, unattended

A file of answers has a line for each lesson, such as 3 = \"b\". A lesson measures for two minutes at
most, unless --blocks asks for more. docs/lessons/ has exercises, and the teacher's key.

Exit codes: 0 ok, 1 error while running, 2 usage, 4 nothing could be measured, 99 a line of a
hand-in does not fit its records, 130 interrupted (143 by SIGTERM).")]
pub(super) struct LessonArgs {
    /// Number of the lesson [default: list them; with --answers, each that the file answers]
    #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(LESSONS)))]
    number: Option<u32>,
    /// Language
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
    /// File of answers, instead of asking at the terminal
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Blocks of each measurement; more of them make intervals narrower [default: the lesson's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(3..=1_000))]
    blocks: Option<u32>,
    /// Folder that gets a hand-in: name, prediction, figures and all records
    #[arg(long, value_name = "DIR", requires = "name")]
    hand_in: Option<PathBuf>,
    /// Name of the student
    #[arg(long, requires = "hand_in")]
    name: Option<String>,
    /// Hand-in to check: a file `lesson-N.json`; the files beside it are checked, too
    #[arg(long, value_name = "FILE", conflicts_with_all = ["number", "answers", "blocks", "hand_in"])]
    check: Option<PathBuf>,
}

/// Lists lessons, takes them, or checks a hand-in.
pub(super) fn run(args: &LessonArgs) -> Result<ExitCode> {
    if let Some(path) = &args.check {
        return check_hand_in(path);
    }
    let lessons = lessons()?;
    let (canvas, language) = (Canvas::stdout(), args.lang.into());
    if let Some(file) = &args.answers {
        let answered = answers(file, &lessons, args.number);
        let answered = answered.unwrap_or_else(|why_not| {
            usage_error(&format!("--answers {}: {why_not}", file.display()))
        });
        return take(args, &answered);
    }
    let Some(lesson) = lessons.iter().find(|one| Some(one.number) == args.number) else {
        if args.hand_in.is_some() {
            usage_error("--hand-in: say which lesson, or give --answers FILE");
        }
        print(list(&lessons, language))?;
        return Ok(ExitCode::SUCCESS);
    };
    if !io::stdin().is_terminal() {
        usage_error(&format!(
            "lesson {} asks a question before it measures: take it at a terminal, or give --answers FILE",
            lesson.number
        ));
    }
    print(introduction(lesson, canvas, language))?;
    let predicted = ask(lesson, language)?;
    take(args, &[(lesson, predicted)])
}

/// Computes a hand-in again, and says what does not fit.
fn check_hand_in(path: &Path) -> Result<ExitCode> {
    let misfits = check(path)?;
    for misfit in &misfits {
        say(misfit);
    }
    if !misfits.is_empty() {
        return Ok(ExitCode::from(REGRESSION));
    }
    print(format!(
        "{}: every figure follows from its records\n",
        path.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// The lessons that a file answers, with the number of the choice; only lesson `number`, if there is one.
///
/// # Errors
/// Returns the line at fault, and the reason.
fn answers<'l>(
    file: &Path,
    lessons: &'l [Lesson],
    number: Option<u32>,
) -> Result<Vec<(&'l Lesson, usize)>, String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let answers: BTreeMap<String, String> =
        toml::from_str(&text).map_err(|error| toml_error(&error))?;
    let mut answered = Vec::new();
    for (key, letter) in &answers {
        let lesson = lessons.iter().find(|one| one.number.to_string() == *key);
        let lesson =
            lesson.ok_or_else(|| format!("there is no lesson {key}; there are 1 to {LESSONS}"))?;
        let choice = lesson.choice(letter).ok_or_else(|| {
            let letters = lesson.letters();
            format!("lesson {key} has no choice {letter}; there are {letters}")
        })?;
        answered.push((lesson, choice));
    }
    answered.retain(|(lesson, _)| number.is_none_or(|number| lesson.number == number));
    match (answered.is_empty(), number) {
        (false, _) => Ok(answered),
        (true, Some(number)) => Err(format!("it has no answer to lesson {number}")),
        (true, None) => Err("it has no answers".into()),
    }
}

/// Asks for a choice until there is one.
fn ask(lesson: &Lesson, language: Language) -> Result<usize> {
    let letters = lesson.letters();
    let mut lines = io::stdin().lines();
    loop {
        print(language.choose(
            || format!("\nYour prediction ({letters}): "),
            || format!("\nTu predicción ({letters}): "),
        ))?;
        let line = lines.next().context("no prediction was made")?;
        let line = line.context("cannot read the prediction")?;
        if let Some(choice) = lesson.choice(&line.trim().to_lowercase()) {
            return Ok(choice);
        }
    }
}

/// Measures each lesson, prints what came out, and writes the hand-ins.
fn take(args: &LessonArgs, answered: &[(&Lesson, usize)]) -> Result<ExitCode> {
    let interruption = Interruption::watch()?;
    let (canvas, language) = (Canvas::stdout(), args.lang.into());
    let mut is_measured = true;
    for &(lesson, predicted) in answered {
        if args.answers.is_some() {
            print(introduction(lesson, canvas, language))?;
        }
        let (run, blocks) = measure(lesson, args, &interruption)?;
        if run.status == RunStatus::Interrupted {
            return Ok(interruption.exit_code());
        }
        let result = LessonResult::new(lesson, &run, &blocks);
        print(format!(
            "\n{}\n",
            conclusion(&result, predicted, canvas, language)
        ))?;
        is_measured &= result.is_measured();
        if let (Some(folder), Some(name)) = (&args.hand_in, &args.name) {
            let hand_in = HandIn::new(lesson, name, language, predicted, run, blocks);
            write(folder, &hand_in, lesson)?;
        }
    }
    Ok(match is_measured {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(INVALID),
    })
}

/// Has the lab measure what a lesson asks for.
fn measure(
    lesson: &Lesson,
    args: &LessonArgs,
    interruption: &Interruption,
) -> Result<(Run, Vec<Block>)> {
    let hola = Path::new("/proc/self/exe");
    let program = PinnedProgram::open(hola).context("cannot open this program's own file")?;
    let targets = Targets::with_no_targets(hola);
    let (designs, skipped) = designs(lesson, &targets, args.blocks)?;
    let budget_s: f64 = designs.iter().map(|design| design.budget_s).sum();
    let longest = time(budget_s);
    say(Language::from(args.lang).choose(
        || format!("\nmeasuring: about {longest}; Ctrl-C ends it"),
        || format!("\nmidiendo: unos {longest}; Ctrl-C lo termina"),
    ));
    let mut run = Run {
        command: command(lesson, args),
        skipped,
        ..begin(&format!("lesson-{}", lesson.number), designs, &targets)
    };
    let lab = Lab {
        program: &program,
        targets: &targets,
        seed: run.seed,
        planted_percent: run.planted_percent,
        interrupted: &interruption.asked,
    };
    let mut blocks = Vec::new();
    // The records are kept in the hand-in, if there is one.
    let mut keep = |_: &Block| Ok(());
    run::make(&lab, &mut run, &mut keep, &mut blocks, &precision_reached)?;
    Ok((run, blocks))
}

/// The command that takes the lesson again.
fn command(lesson: &Lesson, args: &LessonArgs) -> Vec<String> {
    let blocks = args.blocks.map(|blocks| format!("--blocks={blocks}"));
    let words = ["hola".into(), "lesson".into(), lesson.number.to_string()];
    words.into_iter().chain(blocks).collect()
}

fn write(folder: &Path, hand_in: &HandIn, lesson: &Lesson) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let files = hand_in.files(lesson)?;
    store::write_reports(folder, &files)?;
    for (name, _) in &files {
        print(format!("{}\n", folder.join(name).display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::lessons;
    use crate::cli::Arguments;

    #[test]
    fn every_command_that_a_lesson_names_is_understood() {
        for lesson in lessons().expect("lessons") {
            let words = lesson.change.command.split_whitespace();
            let parsed = Arguments::try_parse_from(words);
            assert!(parsed.is_ok(), "{}: {:?}", lesson.name, parsed.err());
        }
    }
}
