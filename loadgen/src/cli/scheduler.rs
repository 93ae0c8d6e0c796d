//! Which rank a process has, as the program that started it says in the environment.

use crate::rank::Rank;

/// A program that starts the processes of a load, by the variables that it sets for each.
struct Scheduler {
    /// Number of the process.
    rank: &'static str,
    /// Number of processes; `None` if there is no variable for it.
    ranks: Option<&'static str>,
    /// Number of the first process, if a variable has it.
    first: Option<&'static str>,
    /// Number of the first process otherwise.
    first_default: u32,
    /// Difference between the numbers of neighbouring processes, if a variable has it.
    step: Option<&'static str>,
}

impl Scheduler {
    const fn new(rank: &'static str, ranks: Option<&'static str>, first_default: u32) -> Self {
        Self {
            rank,
            ranks,
            first: None,
            first_default,
            step: None,
        }
    }
}

const SCHEDULERS: [Scheduler; 7] = [
    // Slurm: a task of a step (srun(1)).
    Scheduler::new("SLURM_PROCID", Some("SLURM_NTASKS"), 0),
    // Slurm: a job of an array (sbatch(1)).
    Scheduler {
        first: Some("SLURM_ARRAY_TASK_MIN"),
        step: Some("SLURM_ARRAY_TASK_STEP"),
        ..Scheduler::new("SLURM_ARRAY_TASK_ID", Some("SLURM_ARRAY_TASK_COUNT"), 0)
    },
    // Open MPI (mpirun(1)).
    Scheduler::new("OMPI_COMM_WORLD_RANK", Some("OMPI_COMM_WORLD_SIZE"), 0),
    // PMI, as of MPICH's mpiexec.
    Scheduler::new("PMI_RANK", Some("PMI_SIZE"), 0),
    // PMIx, which does not put the number of processes into the environment.
    Scheduler::new("PMIX_RANK", None, 0),
    // A pod of an Indexed Job of Kubernetes.
    Scheduler::new("JOB_COMPLETION_INDEX", None, 0),
    // GNU parallel counts its jobs from one.
    Scheduler::new("PARALLEL_SEQ", None, 1),
];

/// What one source says of the process.
#[derive(Debug)]
struct RankSource {
    /// The source in words.
    words: String,
    rank: Option<u32>,
    ranks: Option<u32>,
}

impl RankSource {
    fn contradicts(&self, other: &Self) -> bool {
        let differ = |mine: Option<u32>, theirs: Option<u32>| {
            mine.zip(theirs)
                .is_some_and(|(mine, theirs)| mine != theirs)
        };
        differ(self.rank, other.rank) || differ(self.ranks, other.ranks)
    }
}

/// The rank of this process: with the `rank` and the number of `ranks` that the user gave, and otherwise with those of
/// the environment.
///
/// # Errors
/// Says what is missing, or which two sources say different things.
pub(super) fn rank(
    rank: Option<u32>,
    ranks: Option<u32>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Rank, String> {
    let mut sources = Vec::new();
    for scheduler in &SCHEDULERS {
        sources.extend(read(scheduler, variable)?);
    }
    // A job of one process says nothing of the processes that another program started in it.
    if sources.len() > 1 && sources.iter().any(|source| source.ranks != Some(1)) {
        sources.retain(|source| source.ranks != Some(1));
    }
    sources.extend(arguments(rank, ranks));
    for (place, source) in sources.iter().enumerate() {
        if let Some(other) = sources[..place].iter().find(|one| one.contradicts(source)) {
            return Err(format!(
                "{} and {} say different things: give --rank and --ranks",
                other.words, source.words
            ));
        }
    }
    let Some(rank) = sources.iter().find_map(|source| source.rank) else {
        let names = SCHEDULERS.map(|scheduler| scheduler.rank).join(", ");
        return Err(format!(
            "the environment does not tell the rank of this process (none of {names}): give --rank"
        ));
    };
    match sources.iter().find_map(|source| source.ranks) {
        Some(ranks) => rank_of(rank, ranks),
        None => {
            Err("the environment does not tell how many ranks there are: give --ranks N".to_owned())
        }
    }
}

/// Rank `rank` of `ranks`.
///
/// # Errors
/// Says that there is no such rank.
pub(super) fn rank_of(rank: u32, ranks: u32) -> Result<Rank, String> {
    let last = ranks.saturating_sub(1);
    Rank::new(rank, ranks)
        .ok_or_else(|| format!("there is no rank {rank} of {ranks}: ranks are 0 to {last}"))
}

/// What the user gave; `None` if nothing.
fn arguments(rank: Option<u32>, ranks: Option<u32>) -> Option<RankSource> {
    let words = [("--rank", rank), ("--ranks", ranks)];
    let words = words.map(|(name, value)| Some(format!("{name} {}", value?)));
    let words: Vec<String> = words.into_iter().flatten().collect();
    (!words.is_empty()).then(|| RankSource {
        words: words.join(" "),
        rank,
        ranks,
    })
}

/// What the variables of `scheduler` say; `None` if it did not start this process.
fn read(
    scheduler: &Scheduler,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<RankSource>, String> {
    let number = |name: &str| {
        let parse = |value: String| {
            let number = value.parse::<u32>();
            number.map_err(|_| format!("{name}={value} in the environment is not a number"))
        };
        variable(name).map(parse).transpose()
    };
    let optional = |name: Option<&str>| name.map(number).transpose().map(Option::flatten);
    let (rank, ranks) = (number(scheduler.rank)?, optional(scheduler.ranks)?);
    let Some(value) = rank.filter(|_| ranks.is_some() == scheduler.ranks.is_some()) else {
        return Ok(None);
    };
    let first = optional(scheduler.first)?.unwrap_or(scheduler.first_default);
    let step = optional(scheduler.step)?.unwrap_or(1).max(1);
    let name = scheduler.rank;
    let Some(distance) = value.checked_sub(first) else {
        return Err(format!(
            "{name}={value} is less than the first number, {first}"
        ));
    };
    let of = scheduler.ranks.zip(ranks);
    let of = of.map_or(String::new(), |(name, ranks)| format!(" of {name}={ranks}"));
    Ok(Some(RankSource {
        words: format!("{name}={value}{of}"),
        rank: Some(distance / step),
        ranks,
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The rank and the number of ranks by the options and the variables in these words, or the error.
    fn found(words: &str) -> Result<(u64, u64), String> {
        let pairs = words
            .split_whitespace()
            .filter_map(|pair| pair.split_once('='));
        let values: BTreeMap<&str, &str> = pairs.collect();
        let option = |name: &str| values.get(name).map(|number| number.parse().unwrap());
        let variable = |name: &str| values.get(name).map(|value| (*value).to_owned());
        let rank = rank(option("--rank"), option("--ranks"), &variable)?;
        Ok((rank.index(), rank.count()))
    }

    #[test]
    fn each_scheduler_tells_the_rank_in_its_own_variables() {
        let array = "SLURM_ARRAY_TASK_MIN=5 SLURM_ARRAY_TASK_COUNT=3 SLURM_PROCID=0";
        let array_of_one = format!("{array} SLURM_NTASKS=1 SLURM_ARRAY_TASK_ID=6");
        let by_two = format!("{array} SLURM_ARRAY_TASK_STEP=2 SLURM_ARRAY_TASK_ID=9");
        let open_mpi = "OMPI_COMM_WORLD_RANK=3 OMPI_COMM_WORLD_SIZE=8 PMIX_RANK=3";
        let and_argument = "--rank=1 OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2";
        let in_a_job_of_one = "--ranks=3 SLURM_PROCID=0 SLURM_NTASKS=1 PARALLEL_SEQ=3";
        for (words, expected) in [
            ("SLURM_PROCID=2 SLURM_NTASKS=4", (2, 4)),
            (&*array_of_one, (1, 3)),
            (&*by_two, (2, 3)),
            (open_mpi, (3, 8)),
            ("PMI_RANK=0 PMI_SIZE=2", (0, 2)),
            ("--ranks=5 PMIX_RANK=4", (4, 5)),
            ("--ranks=3 JOB_COMPLETION_INDEX=2", (2, 3)),
            ("--ranks=3 PARALLEL_SEQ=1", (0, 3)),
            ("--ranks=4 SLURM_PROCID=2 SLURM_NTASKS=4", (2, 4)),
            ("SLURM_PROCID=0 SLURM_NTASKS=1", (0, 1)),
            (in_a_job_of_one, (2, 3)),
            (and_argument, (1, 2)),
        ] {
            assert_eq!(found(words), Ok(expected), "{words}");
        }
    }

    #[test]
    fn what_is_missing_or_contradictory_is_named() {
        let two = "SLURM_PROCID=0 SLURM_NTASKS=4 OMPI_COMM_WORLD_RANK=3 OMPI_COMM_WORLD_SIZE=4";
        let both = "SLURM_PROCID=0 of SLURM_NTASKS=4 and OMPI_COMM_WORLD_RANK=3 of OMPI_COMM_WORLD_SIZE=4 say";
        let eight = "PMI_RANK=1 of PMI_SIZE=4 and --ranks 8 say";
        for (words, reason) in [
            ("", "give --rank"),
            ("--ranks=4 SLURM_NTASKS=4", "give --rank"),
            ("PMIX_RANK=1", "give --ranks N"),
            ("PARALLEL_SEQ=1", "give --ranks N"),
            (two, both),
            ("--ranks=8 PMI_RANK=1 PMI_SIZE=4", eight),
            ("--rank=2 PMI_RANK=1 PMI_SIZE=4", "and --rank 2 say"),
            ("--ranks=4 SLURM_PROCID=0 SLURM_NTASKS=1", "and --ranks 4"),
            ("--ranks=2 JOB_COMPLETION_INDEX=2", "no rank 2 of 2"),
            ("--ranks=2 PARALLEL_SEQ=0", "PARALLEL_SEQ=0 is less"),
            ("--ranks=2 PMIX_RANK=one", "PMIX_RANK=one in the"),
        ] {
            let error = found(words).unwrap_err();
            assert!(error.contains(reason), "{words}: {error}");
        }
    }
}
