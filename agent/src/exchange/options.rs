//! The sizes of an exchange, which the consumer chooses and tells in Open.

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion_distributed::DistributedConfig;

use crate::proto::exchange as wire;

/// A frame of this size costs little per byte, and a hundred of them fit into a window.
const FRAME_BYTES: u64 = 128 * 1024;
/// Three quarters of this come back in one grant: 96 frames, so that grants are about 1 % of frames.
const MAX_WINDOW_BYTES: u64 = 16 * 1024 * 1024;
/// Below this, frames become so short that their headers count.
const MIN_WINDOW_BYTES: u64 = 64 * 1024;
/// A row is one piece on the way: both sides hold it whole.
const MAX_ROW_BYTES: u64 = 256 * 1024 * 1024;

/// Sizes and encoding of one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeOptions {
    /// The most encoded bytes of one frame, unless one row alone is longer.
    pub frame_bytes: u64,
    /// The most encoded bytes of one partition that the consumer holds, unless one row is longer.
    pub window_bytes: u64,
    /// The most encoded bytes of one row.
    pub max_row_bytes: u64,
    /// How the bodies of frames are compressed.
    pub compression: Compression,
}

/// How the bodies of frames are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// LZ4.
    Lz4,
    /// Zstandard.
    Zstd,
}

impl ExchangeOptions {
    /// The options for fetching `partitions` partitions of one task. Their windows together stay within
    /// `distributed.worker_connection_buffer_budget_bytes`, as far as the smallest window allows.
    ///
    /// # Errors
    /// When the session's compression is unknown.
    pub fn of(context: &TaskContext, partitions: usize) -> Result<Self> {
        let config = DistributedConfig::from_session_config(context.session_config())?;
        let budget = config.worker_connection_buffer_budget_bytes as u64;
        Ok(Self::within(budget, partitions, Compression::named(&config.compression)?))
    }

    fn within(budget_bytes: u64, partitions: usize, compression: Compression) -> Self {
        let share = budget_bytes / (partitions.max(1) as u64);
        let window_bytes = share.clamp(MIN_WINDOW_BYTES, MAX_WINDOW_BYTES);
        let frame_bytes = FRAME_BYTES.min(window_bytes / 4);
        Self { frame_bytes, window_bytes, max_row_bytes: MAX_ROW_BYTES, compression }
    }

    /// What a consumer asked for, if it can be worked with.
    pub(crate) fn from_open(open: &wire::Open) -> Option<Self> {
        let valid = open.frame_bytes > 0 && open.frame_bytes <= open.window_bytes;
        valid.then_some(Self {
            frame_bytes: open.frame_bytes,
            window_bytes: open.window_bytes,
            max_row_bytes: open.max_row_bytes,
            compression: Compression::from_wire(open.compression())?,
        })
    }
}

impl Compression {
    fn named(name: &str) -> Result<Self> {
        match name {
            "none" => Ok(Self::None),
            "lz4" => Ok(Self::Lz4),
            "zstd" => Ok(Self::Zstd),
            _ => Err(DataFusionError::Configuration(format!(
                "there is no compression `{name}`, only none, lz4 and zstd"
            ))),
        }
    }

    fn from_wire(compression: wire::Compression) -> Option<Self> {
        Some(match compression {
            wire::Compression::None => Self::None,
            wire::Compression::Lz4 => Self::Lz4,
            wire::Compression::Zstd => Self::Zstd,
        })
    }

    pub(crate) fn to_wire(self) -> wire::Compression {
        match self {
            Self::None => wire::Compression::None,
            Self::Lz4 => wire::Compression::Lz4,
            Self::Zstd => wire::Compression::Zstd,
        }
    }

    pub(crate) fn to_arrow(self) -> Option<arrow_ipc::CompressionType> {
        match self {
            Self::None => None,
            Self::Lz4 => Some(arrow_ipc::CompressionType::LZ4_FRAME),
            Self::Zstd => Some(arrow_ipc::CompressionType::ZSTD),
        }
    }
}
