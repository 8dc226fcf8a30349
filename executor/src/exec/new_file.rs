//! A file that is there when it is whole, or not at all.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::ReplaceChildrenOptions;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::StreamExt;

/// Gives the file that its input writes its name when that has succeeded, and removes it when not.
///
/// DataFusion finishes the file of a COPY that fails in the middle, and what is in it then looks like
/// an answer.
#[derive(Debug, Clone)]
pub struct NewFileExec {
    input: Arc<dyn ExecutionPlan>,
    written: PathBuf,
    wanted: PathBuf,
}

impl NewFileExec {
    /// `input` writes the file `written` and then gives rows; the file is to be called `wanted`, in
    /// the same directory.
    pub fn new(input: Arc<dyn ExecutionPlan>, written: PathBuf, wanted: PathBuf) -> Self {
        Self { input, written, wanted }
    }
}

/// The file while it is not whole; dropping it removes the file.
struct Unfinished {
    written: PathBuf,
    wanted: PathBuf,
    is_whole: bool,
}

impl Unfinished {
    fn finish(&mut self) -> Result<()> {
        std::fs::rename(&self.written, &self.wanted)
            .map_err(|error| cannot_write(&self.wanted, &error))?;
        self.is_whole = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_whole {
            // It may never have been made.
            let _ = std::fs::remove_file(&self.written);
        }
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> DataFusionError {
    DataFusionError::Execution(format!("cannot write '{}': {error}", path.display()))
}

impl DisplayAs for NewFileExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewFileExec: {}", self.wanted.display())
    }
}

impl ExecutionPlan for NewFileExec {
    fn name(&self) -> &'static str {
        "NewFileExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = super::only_child(children)?;
        Ok(Arc::new(Self::new(input, self.written.clone(), self.wanted.clone())))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, super::recompute())
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let mut file = Unfinished {
            written: self.written.clone(),
            wanted: self.wanted.clone(),
            is_whole: false,
        };
        let input = self.input.execute(partition, context)?;
        let rows = input.map(move |batch| {
            let batch = batch?;
            if !file.is_whole {
                file.finish()?;
            }
            Ok(batch)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}
