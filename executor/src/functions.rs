//! Functions for logs that DataFusion lacks, as SQL calls them.
//!
//! Drivers and agents register all of them: a plan names functions, and does not carry them.

mod bucket;
mod extract;
mod human;
mod network;
mod text;
mod url;

use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};

/// All of them.
pub fn all() -> Vec<Arc<ScalarUDF>> {
    static ALL: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| {
        let kernels =
            [text::functions(), url::functions(), network::functions(), human::functions()];
        let functions = kernels.into_iter().flatten().map(ScalarUDF::from);
        let bucket = ScalarUDF::from(bucket::Bucket::new());
        let extract_all = ScalarUDF::from(extract::RegexpExtractAll::new());
        functions.chain([bucket, extract_all]).map(Arc::new).collect()
    });
    ALL.clone()
}

/// What a function does with the columns of a batch, all of the same length.
type Kernel = fn(&[ArrayRef]) -> Result<ArrayRef>;

/// A function of fixed types.
#[derive(Debug)]
struct LogFunction {
    name: &'static str,
    signature: Signature,
    returned: DataType,
    kernel: Kernel,
    documentation: Documentation,
}

impl LogFunction {
    fn new(
        name: &'static str,
        arguments: &[(&str, DataType)],
        returned: DataType,
        description: &str,
        kernel: Kernel,
    ) -> Self {
        let types = arguments.iter().map(|(_, data_type)| data_type.clone()).collect();
        let names: Vec<&str> = arguments.iter().map(|(name, _)| *name).collect();
        let syntax = format!("{name}({})", names.join(", "));
        Self {
            name,
            signature: Signature::exact(types, Volatility::Immutable),
            returned,
            kernel,
            documentation: documentation(description, &syntax),
        }
    }
}

fn documentation(description: &str, syntax: &str) -> Documentation {
    const SECTION: DocSection =
        DocSection { include: true, label: "Log Functions", description: None };
    Documentation::builder(SECTION, description, syntax).build()
}

impl PartialEq for LogFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for LogFunction {}

impl Hash for LogFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for LogFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.returned.clone())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let are_constants =
            arguments.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let values = (self.kernel)(&columns)?;
        if are_constants {
            let value = datafusion::common::ScalarValue::try_from_array(&values, 0)?;
            return Ok(ColumnarValue::Scalar(value));
        }
        Ok(ColumnarValue::Array(values))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
