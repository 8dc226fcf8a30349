//! What the consumer of an exchange measures; EXPLAIN ANALYZE shows it at the network nodes.

use std::time::Duration;

use datafusion::physical_plan::metrics::{
    Count, ExecutionPlanMetricsSet, Gauge, MetricBuilder, MetricValue, Time,
};
use datafusion_distributed::{BytesCounterMetric, BytesMetricExt};

/// The metrics of one call.
#[derive(Debug, Clone)]
pub(crate) struct ConsumerMetrics {
    pub(crate) bytes_received: BytesCounterMetric,
    pub(crate) frames_received: Count,
    pub(crate) grants_sent: Count,
    /// How often a producer had rows and too little credit.
    pub(crate) credit_stalls: Count,
    /// The most encoded bytes that waited for the operators.
    pub(crate) max_buffered_bytes: Gauge,
    /// Operators waited for rows.
    time_waiting: Time,
    /// Producers had rows, and waited for credit.
    time_stalled: Time,
}

impl ConsumerMetrics {
    pub(crate) fn new(metrics: &ExecutionPlanMetricsSet) -> Self {
        let builder = || MetricBuilder::new(metrics);
        let time = |name: &'static str| {
            let time = Time::new();
            builder().build(MetricValue::Time { name: name.into(), time: time.clone() });
            time
        };
        Self {
            bytes_received: builder().bytes_counter("bytes_received"),
            frames_received: builder().global_counter("frames_received"),
            grants_sent: builder().global_counter("grants_sent"),
            credit_stalls: builder().global_counter("credit_stalls"),
            max_buffered_bytes: builder().global_gauge("max_buffered_bytes"),
            time_waiting: time("time_waiting_for_rows"),
            time_stalled: time("time_stalled_for_credit"),
        }
    }

    pub(crate) fn waited(&self, duration: Duration) {
        self.time_waiting.add_duration(duration);
    }

    pub(crate) fn stalled(&self, microseconds: u64) {
        // Even nothing would be counted as a nanosecond.
        if microseconds > 0 {
            self.time_stalled.add_duration(Duration::from_micros(microseconds));
        }
    }
}
