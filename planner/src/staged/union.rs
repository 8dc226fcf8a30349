//! The inputs of a union, which have tasks of their own.

use std::collections::BTreeMap;

/// `UnionExec: input 1 in tasks 1, 2; input 2 in task 3`, from what datafusion-distributed says of
/// such a union, whose type is not public. `None` for other operators.
pub(super) fn describe(operator: &str) -> Option<String> {
    let tasks = operator.strip_prefix("DistributedUnionExec:")?.split(']');
    let mut tasks_of: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (task, (_, inputs)) in tasks.filter_map(|task| task.split_once('[')).enumerate() {
        for input in inputs.split(", ").filter(|input| !input.is_empty()) {
            let number = input.strip_prefix('c')?.split('(').next()?.parse::<usize>().ok()?;
            tasks_of.entry(number).or_default().push((task + 1).to_string());
        }
    }
    let input = |(number, tasks): (usize, Vec<String>)| {
        let noun = if tasks.len() == 1 { "task" } else { "tasks" };
        format!("input {} in {noun} {}", number + 1, tasks.join(", "))
    };
    let inputs: Vec<String> = tasks_of.into_iter().map(input).collect();
    Some(format!("UnionExec: {}", inputs.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_told_with_their_tasks() {
        let told = describe("DistributedUnionExec: t0:[c0(0/2)] t1:[c0(1/2), c1] t2:[]");
        assert_eq!(told.as_deref(), Some("UnionExec: input 1 in tasks 1, 2; input 2 in task 2"));
        assert_eq!(describe("UnionExec"), None);
        assert_eq!(describe("DistributedUnionExec: t0:[x]"), None);
    }
}
