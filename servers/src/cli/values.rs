//! Values of arguments: models, sizes, deadlines, addresses.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::ops::RangeInclusive;

use clap::builder::{PossibleValue, TypedValueParser};

use crate::conversation::http::decimal;
use crate::drive::Timeouts;
use crate::models::{self, MODELS, Model};

/// A model's name as an argument, whose values a shell can complete.
#[derive(Clone, Copy, Debug)]
pub struct ModelName;

impl TypedValueParser for ModelName {
    type Value = &'static Model;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        model_named.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let value = |model: &Model| PossibleValue::new(model.name).help(model.summary.en);
        Some(Box::new(MODELS.iter().map(value)))
    }
}

/// The model of that name; the error names all models.
fn model_named(name: &str) -> Result<&'static Model, String> {
    models::find(name).ok_or_else(|| {
        let names: Vec<_> = MODELS.iter().map(|model| model.name).collect();
        format!("no such model; there are {}", names.join(", "))
    })
}

/// A size in bytes, such as `4096`, `64K`, `500M` or `2G`, as an argument.
///
/// # Errors
/// Returns examples of a size if `text` is none.
pub fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.split_at_checked(text.len().saturating_sub(1)) {
        Some((digits, "K")) => (digits, 1 << 10),
        Some((digits, "M")) => (digits, 1 << 20),
        Some((digits, "G")) => (digits, 1 << 30),
        _ => (text, 1),
    };
    decimal(digits.as_bytes())
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| format!("`{text}` is not a size; write one such as 64K, 500M or 2G"))
}

/// The size of a stack in bytes, as an argument.
pub(super) fn stack(text: &str) -> Result<u64, String> {
    const STACKS: RangeInclusive<u64> = 16 << 10..=64 << 20;
    let bytes = size(text)?;
    if STACKS.contains(&bytes) {
        return Ok(bytes);
    }
    Err(format!("`{text}` is not a size from 16K to 64M"))
}

/// One deadline for everything, such as `30`, or `off`, as an argument.
pub(super) fn deadlines(text: &str) -> Result<Timeouts, String> {
    if text == "off" {
        return Ok(Timeouts::with_all(None));
    }
    let seconds = text.parse::<u32>().ok().filter(|&seconds| seconds > 0);
    seconds
        .and_then(|seconds| seconds.checked_mul(1_000))
        .map(|timeout_ms| Timeouts::with_all(Some(timeout_ms)))
        .ok_or_else(|| format!("`{text}` is not a deadline; write whole seconds from 1 on, or off"))
}

/// Where to listen, as an argument: at least one address, of which the server takes the first that it can bind. A name
/// such as `localhost` may have several.
pub(super) fn addresses(text: &str) -> Result<Box<[SocketAddr]>, String> {
    const FORMS: &str =
        "write an address and a port, such as 127.0.0.1:8080, localhost:0, [::1]:8080 or 8080";
    // A port alone means loopback, which other machines cannot reach.
    if let Ok(port) = text.strip_prefix(':').unwrap_or(text).parse() {
        return Ok([(Ipv4Addr::LOCALHOST, port).into()].into());
    }
    let found = text.to_socket_addrs();
    let found = found.map_err(|error| format!("{error}; {FORMS}"))?;
    let mut addresses: Vec<SocketAddr> = found.collect();
    addresses.dedup();
    if addresses.is_empty() {
        return Err(FORMS.to_owned());
    }
    Ok(addresses.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_names_and_ports_alone() {
        for (text, address) in [
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("[::1]:8080", "[::1]:8080"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("8080", "127.0.0.1:8080"),
            (":8080", "127.0.0.1:8080"),
            ("0", "127.0.0.1:0"),
        ] {
            let expected = [address.parse().expect("an address")];
            assert_eq!(addresses(text).as_deref(), Ok(&expected[..]), "{text}");
        }
        let by_name = addresses("localhost:0").expect("a name");
        assert!(by_name.iter().all(|address| address.ip().is_loopback()));
        // Separated by commas; the first one is empty.
        for bad in ",:,127.0.0.1,localhost,localhost:,65536,a b:1,::1:x".split(',') {
            let error = addresses(bad).expect_err(bad);
            assert!(error.contains("such as 127.0.0.1:8080"), "{bad}: {error}");
        }
    }
}
