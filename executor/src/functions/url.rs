//! `url_host` and its like: the parts of a URL, whole or as access logs have it.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, StringViewBuilder};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use gleam_sql_formats::text::{Url, percent_decode};

use super::text::map;
use super::{Kernel, LogFunction};

pub(super) fn functions() -> Vec<LogFunction> {
    let part = |name, description: &str, kernel: Kernel| {
        let arguments = [("url", DataType::Utf8View)];
        LogFunction::new(name, &arguments, DataType::Utf8View, description, kernel)
    };
    vec![
        part("url_scheme", "The scheme of a URL: `https`.", |columns| {
            map(columns, |url| Url::split(url).scheme.map(Cow::Borrowed))
        }),
        part("url_host", "The host of a URL, without its port.", |columns| {
            map(columns, |url| Url::split(url).host.map(Cow::Borrowed))
        }),
        part("url_path", "The path of a URL, without what stands behind `?` or `#`.", |columns| {
            map(columns, |url| Some(Cow::Borrowed(Url::split(url).path)))
        }),
        part("url_query", "What stands behind the `?` of a URL.", |columns| {
            map(columns, |url| Url::split(url).query.map(Cow::Borrowed))
        }),
        part("url_fragment", "What stands behind the `#` of a URL.", |columns| {
            map(columns, |url| Url::split(url).fragment.map(Cow::Borrowed))
        }),
        part("url_decode", "The text with characters for its `%41`.", |columns| {
            map(columns, |text| Some(percent_decode(text)))
        }),
        LogFunction::new(
            "url_port",
            &[("url", DataType::Utf8View)],
            DataType::Int32,
            "The port of a URL, where one is written.",
            port,
        ),
        LogFunction::new(
            "url_parameter",
            &[("url", DataType::Utf8View), ("name", DataType::Utf8View)],
            DataType::Utf8View,
            "The value of the first parameter of that name in the query of a URL, decoded.",
            parameter,
        ),
    ]
}

fn port(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let urls = columns[0].as_string_view().iter();
    let ports = urls.map(|url| Url::split(url?).port.map(i32::from));
    Ok(Arc::new(ports.collect::<Int32Array>()))
}

fn parameter(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let (urls, names) = (columns[0].as_string_view(), columns[1].as_string_view());
    let mut values = StringViewBuilder::with_capacity(urls.len());
    for (url, name) in urls.iter().zip(names) {
        let value = url.zip(name).and_then(|(url, name)| Url::split(url).parameter(name));
        values.append_option(value);
    }
    Ok(Arc::new(values.finish()))
}
