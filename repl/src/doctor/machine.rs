//! Cores, memory, limits and the place to spill to, as the kernel tells of them.

use std::fs;
use std::path::Path;

use super::Finding;
use crate::measure::bytes;

const LEAST_FILES: u64 = 1024;
const LEAST_PROCESSES: u64 = 512;
const LEAST_FREE_MEMORY_BYTES: u64 = 512 << 20;
const LEAST_SPILL_BYTES: u64 = 1 << 30;

/// All that is known without starting anything.
pub(super) fn all() -> Vec<Finding> {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    vec![
        cores(),
        free_memory(&memory),
        open_files(limit(&limits, "Max open files")),
        processes(limit(&limits, "Max processes")),
        spill(&std::env::temp_dir()),
    ]
}

fn cores() -> Finding {
    match std::thread::available_parallelism() {
        Ok(cores) => Finding::good("cores", cores.to_string()),
        Err(error) => Finding::doubtful("cores", error.to_string(), "queries run on one"),
    }
}

fn free_memory(meminfo: &str) -> Finding {
    let line = |name| {
        let rest = meminfo.lines().find_map(|line: &str| line.strip_prefix(name))?;
        rest.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
    };
    let (Some(total), Some(free)) = (line("MemTotal:"), line("MemAvailable:")) else {
        return Finding::doubtful("memory", "not known", "/proc/meminfo does not tell");
    };
    let found = format!("{}, {} free", bytes(total), bytes(free));
    if free >= LEAST_FREE_MEMORY_BYTES {
        return Finding::good("memory", found);
    }
    let why = "sorts and joins of large inputs may be ended by the kernel";
    Finding::doubtful("memory", found, why)
}

fn open_files(limit: Option<u64>) -> Finding {
    let why = "queries over many files with many children may run out of them: ulimit -n 4096";
    at_least("open files", limit, LEAST_FILES, why)
}

fn processes(limit: Option<u64>) -> Finding {
    let why = "PIPE with PER ROW, or on many cores, may not start its children: ulimit -u";
    at_least("processes", limit, LEAST_PROCESSES, why)
}

fn at_least(what: &'static str, limit: Option<u64>, least: u64, why: &str) -> Finding {
    match limit {
        None => Finding::good(what, "no limit"),
        Some(limit) if limit >= least => Finding::good(what, format!("{limit} at the most")),
        Some(limit) => Finding::doubtful(what, format!("{limit} at the most"), why),
    }
}

/// The soft limit; none where there is none, or the kernel does not tell.
fn limit(limits: &str, name: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn spill(directory: &Path) -> Finding {
    let shown = directory.display();
    let why =
        "sorts and joins that do not fit into memory fail: set TMPDIR to a directory with room";
    if let Err(error) = try_to_write(directory) {
        return Finding::bad("spill", format!("{shown} cannot be written: {error}"), why);
    }
    match rustix::fs::statvfs(directory) {
        Err(error) => Finding::doubtful("spill", format!("{shown}: {error}"), why),
        Ok(found) => {
            let free = found.f_bavail.saturating_mul(found.f_frsize);
            let found = format!("{shown}, {} free", bytes(free));
            match free >= LEAST_SPILL_BYTES {
                true => Finding::good("spill", found),
                false => Finding::doubtful("spill", found, why),
            }
        }
    }
}

fn try_to_write(directory: &Path) -> std::io::Result<()> {
    let path = directory.join(format!(".gleam-sql-doctor-{}", std::process::id()));
    fs::File::create_new(&path)?;
    fs::remove_file(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_limits() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max processes             unlimited            unlimited            processes\n\
                      Max open files            1024                 524288               files\n";
        assert_eq!(limit(limits, "Max open files"), Some(1024));
        assert_eq!(limit(limits, "Max processes"), None);
        assert_eq!(limit("", "Max processes"), None);
    }

    #[test]
    fn little_is_doubtful() {
        let meminfo = "MemTotal:        8000000 kB\nMemAvailable:     100000 kB\n";
        assert_eq!(free_memory(meminfo).state, super::super::State::Doubtful);
        assert_eq!(open_files(Some(256)).state, super::super::State::Doubtful);
        assert_eq!(open_files(Some(4096)).state, super::super::State::Good);
        let nowhere = spill(Path::new("/nosuch"));
        assert_eq!(nowhere.state, super::super::State::Bad, "{nowhere:?}");
    }
}
