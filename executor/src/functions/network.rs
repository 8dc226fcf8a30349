//! `ip_in_cidr`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use gleam_sql_formats::text::Network;

use super::LogFunction;

pub(super) fn functions() -> Vec<LogFunction> {
    let text = |name| (name, DataType::Utf8View);
    vec![LogFunction::new(
        "ip_in_cidr",
        &[text("ip"), text("cidr")],
        DataType::Boolean,
        "Whether an address is in a network such as `10.0.0.0/8`; NULL where one of them is none.",
        ip_in_cidr,
    )]
}

fn ip_in_cidr(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let (addresses, networks) = (columns[0].as_string_view(), columns[1].as_string_view());
    // Mostly there is one network, for all rows.
    let mut last: Option<(&str, Option<Network>)> = None;
    let mut values = Vec::with_capacity(addresses.len());
    for (address, text) in addresses.iter().zip(networks) {
        let Some((address, text)) = address.zip(text) else {
            values.push(None);
            continue;
        };
        let network = match last {
            Some((known, network)) if known == text => network,
            _ => Network::parse(text),
        };
        last = Some((text, network));
        values.push(network.and_then(|network| network.contains(address)));
    }
    Ok(Arc::new(BooleanArray::from(values)))
}
