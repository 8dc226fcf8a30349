//! EXPLAIN and EXPLAIN ANALYZE of plans that run on agents.

use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::common::display::{PlanType, StringifiedPlan};
use datafusion::common::format::{ExplainAnalyzeCategories, ExplainFormat};
use datafusion::logical_expr::Analyze;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::explain::ExplainExec;
use datafusion_distributed::DistributedExec;
use url::Url;

use crate::analyze::StagedAnalyzeExec;
use crate::placement;
use crate::staged::{self, Detail, MetricsShown};

/// `local`, an EXPLAIN, with the stages of `placed` for its physical plan. As it is where the query
/// stays in the driver, cannot be planned, or was asked for in another format than text.
pub(crate) fn with_stages(
    local: Arc<dyn ExecutionPlan>,
    placed: Option<Arc<dyn ExecutionPlan>>,
    agents: &[Url],
) -> Arc<dyn ExecutionPlan> {
    let Some(explain) = local.downcast_ref::<ExplainExec>() else { return local };
    let Some(placed) = placed.as_ref().and_then(|placed| placed.downcast_ref::<DistributedExec>())
    else {
        return local;
    };
    let is_text = |plan: &StringifiedPlan| matches!(plan.plan_type, PlanType::InitialPhysicalPlan);
    if !explain.stringified_plans().iter().any(is_text) {
        return local;
    }
    let plans = explain.stringified_plans().iter().map(|plan| match plan.plan_type {
        PlanType::FinalPhysicalPlan => {
            let stages = staged::draw(placed, agents, &Detail::plan_only());
            StringifiedPlan::new(PlanType::FinalPhysicalPlan, stages)
        }
        _ => plan.clone(),
    });
    Arc::new(ExplainExec::new(local.schema(), plans.collect(), explain.verbose()))
}

/// `local`, an EXPLAIN ANALYZE, as one that shows the stages of `placed`. As it is where the query
/// stays in the driver, or was asked for in another format than text.
pub(crate) fn analyzed(
    analyze: &Analyze,
    local: Arc<dyn ExecutionPlan>,
    placed: Arc<dyn ExecutionPlan>,
    session: &dyn Session,
) -> Result<Arc<dyn ExecutionPlan>> {
    if !placed.is::<DistributedExec>() || analyze.format != ExplainFormat::Indent {
        return Ok(local);
    }
    let settings = &session.config_options().explain;
    let level = analyze.analyze_level.unwrap_or(settings.analyze_level);
    let categories = analyze.analyze_categories.as_ref().unwrap_or(&settings.analyze_categories);
    let detail = Detail {
        metrics: if analyze.verbose { MetricsShown::Each } else { MetricsShown::Summed },
        types: level.included_types(),
        categories: match categories {
            ExplainAnalyzeCategories::All => None,
            ExplainAnalyzeCategories::Only(categories) => Some(categories.clone()),
        },
    };
    let agents = placement::agents(session.config())?;
    let schema = Arc::clone(analyze.schema.inner());
    Ok(Arc::new(StagedAnalyzeExec::new(placed, agents, detail, schema)))
}
