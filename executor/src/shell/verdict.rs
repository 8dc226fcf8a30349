//! Did a shell child succeed?

use crate::child::ChildStatus;

use super::last_pipeline;

const STATUS_NOT_EXECUTABLE: i32 = 126;
const STATUS_NOT_FOUND: i32 = 127;
/// bash reports a command killed by signal n as 128 + n.
const SIGNAL_BASE: i32 = 128;
const BROKEN_PIPE: i32 = SIGNAL_BASE + libc::SIGPIPE;

/// What status 127 means when a shell gives it.
pub const COMMAND_NOT_FOUND: &str = "command not found";

const NOT_LISTED: &str = "which OK EXIT does not list";

/// Which of the child's codes failed, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShellFailure {
    /// The position of the code.
    pub position: usize,
    /// How it, or the command in it that failed, ended.
    pub status: ChildStatus,
    /// What the status usually means; what bash says about it on stderr has the last word.
    pub meaning: Option<&'static str>,
}

/// Judges the end of a child that ran `codes`, from its exit status and the `report` of its shells.
///
/// Success is status 0; a 1 from a grep anywhere in the pipeline; and SIGPIPE where a later command
/// of the pipeline had read enough. (When the query itself has enough rows, the child is killed and
/// nobody asks how it ended.)
///
/// # Errors
/// The first code that failed.
pub fn verdict(codes: &[&str], status: ChildStatus, report: &str) -> Result<(), ShellFailure> {
    if status == ChildStatus::Exited(0) {
        return Ok(());
    }
    let reports: Vec<ShellReport> = report.lines().filter_map(ShellReport::parse).collect();
    let around = reports.iter().find(|report| codes.len() > 1 && report.position == codes.len());
    for (position, code) in codes.iter().enumerate() {
        let own = reports.iter().rev().find(|report| report.position == position);
        // A shell that was killed or replaced by `exec` reports nothing: take what is known of it
        // from outside.
        let outside = match around {
            Some(around) => around.pipeline.get(position).copied(),
            None if codes.len() == 1 => exit_code(status),
            None => None,
        };
        // The program holds the pipe of the reports too: what the system says outweighs them.
        let own = own.filter(|own| outside.is_none_or(|outside| outside == own.status));
        let reader_may_stop = position + 1 < codes.len();
        if let Some(failed) = failure(code, own, outside, reader_may_stop) {
            return Err(explain(position, failed, status, codes.len()));
        }
    }
    // No shell reported a failure, but the child as a whole was killed.
    match (status, around) {
        (ChildStatus::Exited(_), Some(_)) => Ok(()),
        (ChildStatus::Exited(_), None) if codes.len() == 1 => Ok(()),
        _ => Err(explain(0, 0, status, codes.len())),
    }
}

/// Judges the end of a child that ran `code` with OK EXIT: `ok_exit` are the only statuses that are
/// success. A command whose reader had read enough counts as one that ended well.
///
/// # Errors
/// When the status is none of them.
pub fn verdict_among(
    ok_exit: &[i32],
    status: ChildStatus,
    report: &str,
) -> Result<(), ShellFailure> {
    let failure = |meaning| ShellFailure { position: 0, status, meaning };
    let ChildStatus::Exited(code) = status else { return Err(failure(None)) };
    let code = report.lines().filter_map(ShellReport::parse).next_back().map_or(code, |report| {
        let pipeline = &report.pipeline;
        let explains = report.status == code
            && pipeline.iter().rev().find(|status| **status != 0) == Some(&code);
        let Some((last, before)) = pipeline.split_last().filter(|_| explains) else { return code };
        let harmless = |status: &i32| *status == 0 || *status == BROKEN_PIPE;
        let of_reader = (*last != 0).then_some(last);
        of_reader.or(before.iter().rev().find(|status| !harmless(status))).copied().unwrap_or(0)
    });
    if ok_exit.contains(&code) {
        return Ok(());
    }
    let explained = explain(0, code, status, 1);
    Err(ShellFailure { meaning: explained.meaning.or(Some(NOT_LISTED)), ..explained })
}

/// One line of the report.
struct ShellReport {
    position: usize,
    status: i32,
    pipeline: Vec<i32>,
}

impl ShellReport {
    fn parse(line: &str) -> Option<Self> {
        let mut numbers = line.split_ascii_whitespace();
        Some(Self {
            position: numbers.next()?.parse().ok()?,
            status: numbers.next()?.parse().ok()?,
            pipeline: numbers.map(|number| number.parse().ok()).collect::<Option<_>>()?,
        })
    }
}

/// The status that makes `code` a failure, or `None`.
fn failure(
    code: &str,
    own: Option<&ShellReport>,
    outside: Option<i32>,
    reader_may_stop: bool,
) -> Option<i32> {
    let matchers = last_pipeline(code);
    let Some(own) = own else {
        let outside = outside?;
        let harmless = outside == 0
            || (outside == BROKEN_PIPE && reader_may_stop)
            || (outside == 1 && matchers == [true]);
        return (!harmless).then_some(outside);
    };
    if own.status == 0 {
        return None;
    }
    // The statuses are those of the last pipeline only if they explain the exit status.
    let explained = own.pipeline.iter().rev().find(|status| **status != 0) == Some(&own.status)
        && own.pipeline.len() == matchers.len();
    if !explained {
        let broken_pipe = own.status == BROKEN_PIPE && reader_may_stop;
        return (!broken_pipe).then_some(own.status);
    }
    let last = own.pipeline.len() - 1;
    own.pipeline.iter().zip(matchers).enumerate().find_map(|(place, (status, matcher))| {
        let harmless = *status == 0
            || (*status == 1 && matcher)
            || (*status == BROKEN_PIPE && (place < last || reader_may_stop));
        (!harmless).then_some(*status)
    })
}

fn exit_code(status: ChildStatus) -> Option<i32> {
    match status {
        ChildStatus::Exited(code) => Some(code),
        ChildStatus::Signalled(signal) => Some(SIGNAL_BASE + signal),
    }
}

fn explain(position: usize, code: i32, status: ChildStatus, codes: usize) -> ShellFailure {
    let status = match status {
        ChildStatus::Signalled(_) if codes == 1 || code == 0 => status,
        _ if code > SIGNAL_BASE && code <= SIGNAL_BASE + 64 => {
            ChildStatus::Signalled(code - SIGNAL_BASE)
        }
        _ => ChildStatus::Exited(code),
    };
    let meaning = match code {
        STATUS_NOT_EXECUTABLE => Some("it cannot be executed"),
        STATUS_NOT_FOUND => Some(COMMAND_NOT_FOUND),
        _ => None,
    };
    ShellFailure { position, status, meaning }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(codes: &[&str], exit: i32, report: &str) -> Option<(usize, String)> {
        verdict(codes, ChildStatus::Exited(exit), report)
            .err()
            .map(|failure| (failure.position, failure.status.to_string()))
    }

    #[test]
    fn judges_one_code() {
        let failed = |status: &str| Some((0, status.to_owned()));
        assert_eq!(check(&["sort"], 0, "0 0 0"), None);
        assert_eq!(check(&["grep x"], 1, "0 1 1"), None);
        assert_eq!(check(&["grep x | sort"], 1, "0 1 1 0"), None);
        assert_eq!(check(&["grep x | sed q"], 141, "0 141 141 0"), None);
        assert_eq!(check(&["cat"], 141, "0 141 141"), failed("was killed by signal 13 (SIGPIPE)"));
        assert_eq!(check(&["false"], 1, "0 1 1"), failed("exited with status 1"));
        assert_eq!(check(&["grep x; exit 1"], 1, "0 1 1"), failed("exited with status 1"));
        assert_eq!(check(&["grep x | false"], 1, "0 1 1 1"), failed("exited with status 1"));
        assert_eq!(check(&["grep ["], 2, "0 2 2"), failed("exited with status 2"));
        assert_eq!(check(&["nosuch"], 127, "0 127 127"), failed("exited with status 127"));
        assert_eq!(check(&["echo 'x"], 2, ""), failed("exited with status 2"));
        assert_eq!(check(&["true; exit 3"], 3, "0 0 0"), failed("exited with status 3"));
        assert_eq!(check(&["exec grep x"], 1, ""), None);
        assert_eq!(check(&["sort | exit 3"], 3, "0 3 0 3"), failed("exited with status 3"));
    }

    #[test]
    fn judges_each_of_several_codes() {
        let codes = ["grep x", "sort", "exit 4"];
        assert_eq!(check(&codes[..2], 1, "0 1 1\n1 0 0\n2 1 1 0"), None);
        assert_eq!(
            check(&codes, 4, "2 4 0\n0 0 0\n1 0 0\n3 4 0 0 4"),
            Some((2, "exited with status 4".to_owned()))
        );
        assert_eq!(
            check(&["cat", "head -1"], 141, "1 0 0\n2 141 141 0"),
            None,
            "the first code was ended by the second"
        );
        assert_eq!(
            check(&["cat", "sort"], 137, "0 0 0\n2 137 0 137"),
            Some((1, "was killed by signal 9 (SIGKILL)".to_owned()))
        );
    }

    #[test]
    fn ok_exit_replaces_the_rules() {
        let check = |ok_exit: &[i32], exit: i32, report: &str, is_fine: bool| {
            let verdict = verdict_among(ok_exit, ChildStatus::Exited(exit), report);
            assert_eq!(verdict.is_ok(), is_fine, "{exit} {report}");
        };
        check(&[0, 3], 0, "0 0 0", true);
        check(&[0, 3], 3, "0 3 3", true);
        check(&[0, 3], 3, "", true);
        check(&[3], 0, "0 0 0", false);
        check(&[0, 3], 1, "0 1 1", false);
        check(&[0], 141, "0 141 141 0", true);
        check(&[1], 141, "0 141 141 0", false);
        check(&[0], 141, "0 141 141", false);
        check(&[0, 3], 141, "0 141 3 141 0", true);
        check(&[0], 141, "0 141 3 141 0", false);
        check(&[127], 127, "0 127 127", true);
        let killed = ChildStatus::Signalled(libc::SIGKILL);
        assert!(verdict_among(&[0, 137], killed, "").is_err());
    }

    #[test]
    fn a_killed_shell_is_a_failure() {
        let killed = ChildStatus::Signalled(libc::SIGKILL);
        let failure = verdict(&["cat"], killed, "").expect_err("it was killed");
        assert_eq!(failure.status, killed);
        let failure = verdict(&["cat", "sort"], killed, "").expect_err("it was killed");
        assert_eq!(failure.status, killed);
    }
}
