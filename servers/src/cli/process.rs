//! Where this process runs, and for how long.

use std::str::FromStr;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getppid};

/// A set of CPUs, as `0,2-3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cpus(Vec<usize>);

impl Cpus {
    /// Keeps this thread, and whoever it starts, on these CPUs.
    ///
    /// # Errors
    /// What is wrong with them, in one plain clause.
    pub fn run_on(&self) -> Result<(), String> {
        let mut set = CpuSet::new();
        for &cpu in &self.0 {
            set.set(cpu).map_err(|errno| errno.desc().to_owned())?;
        }
        sched_setaffinity(Pid::from_raw(0), &set)
            .map_err(|_| "names no CPU that this process may use".to_owned())
    }
}

impl From<&[usize]> for Cpus {
    fn from(cpus: &[usize]) -> Self {
        Cpus(cpus.to_vec())
    }
}

impl FromStr for Cpus {
    type Err = String;

    fn from_str(list: &str) -> Result<Self, String> {
        let number = |text: &str| {
            text.parse::<usize>()
                .ok()
                .filter(|&cpu| cpu < CpuSet::count())
                .ok_or_else(|| {
                    format!("`{text}` is not a CPU number; write a list such as 0 or 0,2-3")
                })
        };
        let mut cpus = Vec::new();
        for part in list.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(format!("`{part}` counts down; write {last}-{first}"));
            }
            cpus.extend(first..=last);
        }
        Ok(Cpus(cpus))
    }
}

/// Has the kernel kill this process when `parent`, which started it, ends in whatever way.
///
/// # Errors
/// Why that cannot be had, in one plain line.
pub fn end_with(parent: i32) -> Result<(), String> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)
        .map_err(|errno| format!("prctl: {}", errno.desc()))?;
    // It may have died before the kernel was told.
    if getppid() != Pid::from_raw(parent) {
        return Err(format!("its starter, process {parent}, is gone"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Cpus;

    #[test]
    fn reads_lists_of_cpus() {
        assert_eq!("0".parse(), Ok(Cpus(vec![0])));
        assert_eq!("0,2-4".parse(), Ok(Cpus(vec![0, 2, 3, 4])));
        for bad in ["", "x", "1-", "3-1", "0,,1", "999999"] {
            assert!(bad.parse::<Cpus>().is_err(), "{bad:?}");
        }
    }
}
