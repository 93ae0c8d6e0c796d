//! Targets of the user's own: a command (`hola compare --target`), or a list in the format of `scripts/targets.toml`
//! (`--targets`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

use super::files::PORT;
use super::supervisor::ResourceLimits;
use super::{FixedOrPerClient, TargetSpec};
use crate::record::StoredText;

/// Stands for the port in a list.
const LISTED_PORT: &str = "@port@";
/// In a list of the user's, stands for the folder of the list.
const FOLDER_OF_LIST: &str = "@reference@";

impl TargetSpec {
    /// Reads `NAME=COMMAND`. The command is split into words as a shell does it, but no shell runs it. The target is
    /// assumed to answer everything, over connections that stay, until [`TargetSpec::probe`] has asked it.
    ///
    /// # Errors
    /// Returns what is wrong with the name or with the command.
    pub fn from_command(text: &str) -> Result<Self, String> {
        let (name, command) = text
            .split_once('=')
            .ok_or("NAME=COMMAND is wanted, such as mine='./server {port}'")?;
        check_name(name)?;
        let words = shlex::split(command)
            .ok_or("the command has a quote without its end, or a backslash as its end")?;
        let (program, arguments) = words.split_first().ok_or("there is no command")?;
        if !arguments.iter().any(|argument| argument.contains(PORT)) {
            return Err(format!("the command has no argument with {PORT}"));
        }
        let listed = |argument: &String| argument.replace(PORT, LISTED_PORT);
        Ok(TargetSpec {
            name: name.into(),
            title: StoredText {
                en: "A server of the user's own".into(),
                es: "Un servidor propio".into(),
            },
            programs: vec![program.clone()],
            install: format!(
                "there is no program {program}; variables are set by env, as in `env NAME=VALUE {program}`"
            ),
            version: Vec::new(),
            arguments: arguments.iter().map(listed).collect(),
            templates: Vec::new(),
            paths: ["/", "/compute/N", "/wait/N"].map(str::to_owned).into(),
            keep_alive: true,
            one_at_a_time: false,
            processes: FixedOrPerClient::Fixed(1),
            threads: FixedOrPerClient::Fixed(1),
            compiles_while_running: false,
            floor_of: None,
            command: Some(command.into()),
            limits: ResourceLimits::default(),
            not_answered: BTreeMap::new(),
        })
    }

    /// Reads a list of the user's. Its templates, and `@reference@`, are in the folder of the list.
    ///
    /// # Errors
    /// Returns the target and the key at fault, and what is wrong with it.
    pub fn from_list(path: &Path) -> Result<Vec<Self>, String> {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        let path = path.canonicalize().map_err(|error| error.to_string())?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        let entries = entries(&text)?;
        let read = |(entry, number)| from_entry(entry, number, folder);
        entries.iter().zip(1..).map(read).collect()
    }
}

/// The entries of a list, not yet looked into: so that an error can name its target.
fn entries(text: &str) -> Result<Vec<Table>, String> {
    let list: Table = toml::from_str(text).map_err(|error| {
        let before = error.span().map_or("", |span| &text[..span.start]);
        let line = before.matches('\n').count() + 1;
        format!("line {line}: {}", one_line(error.message()))
    })?;
    if let Some(key) = list.keys().find(|key| *key != "target") {
        return Err(format!("key `{key}`: only [[target]] is known"));
    }
    let listed = list.get("target").and_then(Value::as_array);
    let tables = listed.map(|all| all.iter().filter_map(Value::as_table).cloned().collect());
    tables
        .filter(|tables: &Vec<Table>| !tables.is_empty())
        .ok_or_else(|| "there is no [[target]]".into())
}

fn from_entry(entry: &Table, number: u32, folder: &Path) -> Result<TargetSpec, String> {
    let spec = TargetSpec::deserialize(entry.clone());
    let spec = spec.map_err(|error| one_line(&error.to_string()));
    let spec = spec.and_then(|spec| in_folder(spec, folder));
    spec.map_err(|why_not| match entry.get("name").and_then(Value::as_str) {
        Some(name) => format!("target `{}`: {why_not}", name.escape_debug()),
        None => format!("target {number}: {why_not}"),
    })
}

/// Checks a target of a list, and looks for its files in the list's folder.
fn in_folder(mut spec: TargetSpec, folder: &Path) -> Result<TargetSpec, String> {
    check_name(&spec.name).map_err(|why_not| format!("key `name`: {why_not}"))?;
    if spec.floor_of.is_some() {
        return Err("key `floor_of`: only Hola's own bare servers have it".into());
    }
    if !spec.answers("/") {
        return Err("key `paths`: a target answers at least \"/\"".into());
    }
    let has_port = |argument: &String| argument.contains(LISTED_PORT);
    if spec.templates.is_empty() && !spec.arguments.iter().any(has_port) {
        return Err(format!("key `arguments`: none has {LISTED_PORT}"));
    }
    let folder_text = folder.to_string_lossy();
    for text in spec.programs.iter_mut().chain(&mut spec.arguments) {
        *text = text.replace(FOLDER_OF_LIST, &folder_text);
    }
    for template in &mut spec.templates {
        let path = folder.join(&*template);
        if !path.is_file() {
            return Err(format!(
                "key `templates`: there is no file {}",
                path.display()
            ));
        }
        *template = path.to_string_lossy().into_owned();
    }
    Ok(spec)
}

/// Checks that a name can be typed and is safe in reports, lists and names of levels.
fn check_name(name: &str) -> Result<(), String> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(format!(
        "`{}` is no name: lower-case letters, digits and dashes are wanted, a letter first",
        name.escape_debug()
    ))
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_as_a_shell_does_and_keeps_what_a_shell_would_expand() {
        let text = r#"my-1=./a\ b -p{port} 'c "d' "e $HOME \" f" *.py {port}x ';' A=b"#;
        let spec = TargetSpec::from_command(text).expect("a command");
        assert_eq!(
            (&*spec.name, &*spec.programs),
            ("my-1", &["./a b".to_owned()][..])
        );
        let words = [
            "-p@port@",
            "c \"d",
            "e $HOME \" f",
            "*.py",
            "@port@x",
            ";",
            "A=b",
        ];
        assert_eq!(spec.arguments, words);
        assert_eq!(spec.command.as_deref(), text.strip_prefix("my-1="));
    }
}
