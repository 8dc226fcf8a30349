//! `\l`

use crate::prompt::console::Console;
use crate::report::Failure;

const SCHEMAS: &str = "SELECT catalog_name AS catalog, schema_name AS schema \
                       FROM information_schema.schemata ORDER BY 1, 2";

/// Lists catalogs and their schemas.
pub(super) async fn run(console: &mut Console) -> Result<(), Failure> {
    console.run_own(SCHEMAS.to_owned()).await
}
