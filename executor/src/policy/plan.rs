//! A plan that has arrived, before any of it runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::sink::DataSinkExec;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;

use super::{Policy, PolicyError};
use crate::error::OperatorError;
use crate::exec::{NewFileExec, PipeExec};

/// Whether an agent with this policy runs `plan`. It never writes files, whatever the policy.
///
/// # Errors
/// The first thing in the plan that is not allowed.
pub fn check_plan(policy: &Policy, plan: &Arc<dyn ExecutionPlan>) -> Result<()> {
    plan.apply(|node| {
        check_node(policy, node.as_ref())?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

fn check_node(policy: &Policy, node: &dyn ExecutionPlan) -> Result<()> {
    if node.is::<DataSinkExec>() || node.is::<NewFileExec>() {
        return Err(PolicyError::Writes { node: node.name().to_owned() }.into());
    }
    if let Some(pipe) = node.downcast_ref::<PipeExec>() {
        programs_of(pipe, policy)?;
    }
    if let Some(scan) = node.downcast_ref::<DataSourceExec>()
        && let Some(files) = scan.data_source().downcast_ref::<FileScanConfig>()
    {
        check_files(policy, files)?;
    }
    Ok(())
}

/// As [`Policy::programs`], with errors of the operator, whose place is known.
#[expect(clippy::result_large_err, reason = "it is returned once for each plan at most")]
pub(crate) fn programs_of(
    pipe: &PipeExec,
    policy: &Policy,
) -> Result<Option<Vec<Vec<String>>>, OperatorError> {
    policy.programs(pipe.spec()).map_err(|(position, error)| {
        OperatorError::new(&pipe.spec().commands[position].label, error)
    })
}

fn check_files(policy: &Policy, scan: &FileScanConfig) -> Result<(), PolicyError> {
    if policy.roots.are_all() {
        return Ok(());
    }
    let files = scan.file_groups.iter().flat_map(|group| group.files());
    for path in files.filter_map(|file| local_path(scan, file)) {
        policy.roots.check(&path)?;
    }
    Ok(())
}

/// Of other stores an agent has none: it fails where it would open the file.
fn local_path(scan: &FileScanConfig, file: &PartitionedFile) -> Option<PathBuf> {
    let is_local = scan.object_store_url.as_str().starts_with("file:");
    is_local.then(|| Path::new("/").join(file.object_meta.location.as_ref()))
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionContext;

    use super::*;
    use crate::policy::Roots;

    /// A directory with `in/a.csv`, `out/a.csv`, and `in/link.csv`, which is the latter.
    fn files() -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        for directory in ["in", "out"] {
            std::fs::create_dir(place.path().join(directory)).unwrap();
            std::fs::write(place.path().join(directory).join("a.csv"), "x\n1\n").unwrap();
        }
        std::os::unix::fs::symlink("../out/a.csv", place.path().join("in/link.csv")).unwrap();
        place
    }

    async fn checked(policy: &Policy, sql: &str) -> Result<()> {
        let context = SessionContext::new().enable_url_table();
        let plan = context.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
        check_plan(policy, &plan)
    }

    #[tokio::test]
    async fn all_files_of_a_plan_are_below_the_roots() {
        let place = files();
        let roots = Roots::new(&[place.path().join("in")]).unwrap();
        let policy = Policy { roots, ..Policy::default() };
        let at = place.path().display();
        let read = |file: &str| format!("SELECT x FROM '{at}/{file}'");
        checked(&policy, &read("in/a.csv")).await.unwrap();
        checked(&Policy::default(), &read("out/a.csv")).await.unwrap();
        for file in ["out/a.csv", "in/link.csv"] {
            let joined = format!("{} UNION ALL {}", read("in/a.csv"), read(file));
            let error = checked(&policy, &joined).await.unwrap_err().to_string();
            assert!(error.contains("out/a.csv is not below"), "{error}");
        }
    }

    #[tokio::test]
    async fn no_plan_writes() {
        let place = files();
        let at = place.path().display();
        let copy = format!("COPY (SELECT 1 AS x) TO '{at}/new.csv'");
        let error = checked(&Policy::default(), &copy).await.unwrap_err().to_string();
        assert!(error.contains("agents write no files"), "{error}");
    }
}
