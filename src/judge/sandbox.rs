//! What keeps a server under examination from the rest of the machine, and why it is not more.

use clap::ValueEnum;
use hola_lab::record::StoredText;
use hola_lab::target::sandbox;
use schemars::JsonSchema;
use serde::Serialize;

use super::both;

/// What is wanted to keep a server from the rest of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SandboxChoice {
    /// A sandbox of bwrap where that works, otherwise none
    Auto,
    /// Nothing: the server can do what its user can
    None,
    /// A sandbox of bwrap, or no examination
    Bwrap,
}

/// What keeps a server from the rest of the machine.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UsedSandbox {
    /// Whether it runs in a sandbox of bwrap(1).
    pub is_sandboxed: bool,
    /// Whether it has a network of its own, which it shares with the judge alone.
    pub has_own_network: bool,
    /// Why it lacks one of them; `null` if it has both.
    pub why_not: Option<StoredText>,
}

impl UsedSandbox {
    /// A sandbox and a network of its own.
    pub const COMPLETE: Self = UsedSandbox {
        is_sandboxed: true,
        has_own_network: true,
        why_not: None,
    };

    /// The most of `choice` that works here for that command.
    ///
    /// # Errors
    /// Returns the reason if a sandbox is demanded and does not work.
    pub fn find(choice: SandboxChoice, command: &[String]) -> Result<Self, String> {
        let without = |why_not| UsedSandbox {
            is_sandboxed: false,
            has_own_network: false,
            why_not: Some(why_not),
        };
        if choice == SandboxChoice::None {
            return Ok(without(both("none was wanted", "no se pidió")));
        }
        let Err(no_network) = sandbox::check(command, true) else {
            return Ok(Self::COMPLETE);
        };
        match sandbox::check(command, false) {
            Ok(()) => Ok(UsedSandbox {
                has_own_network: false,
                why_not: Some(both(&*no_network, &*no_network)),
                ..Self::COMPLETE
            }),
            Err(reason) if choice == SandboxChoice::Bwrap => Err(reason),
            Err(reason) => Ok(without(both(&*reason, &*reason))),
        }
    }

    /// It in one line, for people.
    pub fn told(&self) -> StoredText {
        let (en, es) = match (self.is_sandboxed, self.has_own_network) {
            (false, _) => ("sandbox: none", "aislamiento: ninguno"),
            (true, false) => (
                "sandbox: bwrap; network: that of the machine",
                "aislamiento: bwrap; red: la de la máquina",
            ),
            (true, true) => (
                "sandbox: bwrap; network: loopback only",
                "aislamiento: bwrap; red: solo loopback",
            ),
        };
        match &self.why_not {
            None => both(en, es),
            Some(why_not) => both(
                format!("{en} ({})", why_not.en),
                format!("{es} ({})", why_not.es),
            ),
        }
    }
}
