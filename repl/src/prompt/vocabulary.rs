//! The words that the session knows, for completion.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::runtime::SpawnedTask;
use datafusion::prelude::SessionContext;
use gleam_sql_planner::{Session, describe_source};
use tokio::runtime::Handle;

/// Tables whose columns are known; those of more are not completed.
const MOST_TABLES: usize = 500;
/// Files whose columns are remembered.
const MOST_FILES: usize = 200;
/// Files whose columns are found out at the same time.
const MOST_LOOKUPS: usize = 4;

/// A setting and what it does.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) value: Option<String>,
    pub(super) description: &'static str,
}

/// What can be completed. The editor reads it while a statement may be running.
pub(super) struct Vocabulary {
    context: SessionContext,
    runtime: Handle,
    words: Mutex<Arc<Words>>,
    files: Mutex<HashMap<String, File>>,
    has_looked: Condvar,
}

/// Names in the session.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Tables with their columns.
    pub(super) tables: Vec<(String, Vec<String>)>,
    pub(super) functions: Vec<String>,
    pub(super) settings: Vec<Setting>,
}

enum File {
    /// The task looks at the file, and ends with this.
    Asked {
        _task: SpawnedTask<()>,
    },
    Known(Arc<Vec<String>>),
}

impl Vocabulary {
    /// It looks at files in tasks of the current runtime.
    pub(super) fn new(context: SessionContext) -> Self {
        Self {
            context,
            runtime: Handle::current(),
            words: Mutex::default(),
            files: Mutex::default(),
            has_looked: Condvar::new(),
        }
    }

    /// Learns what the session knows now, and forgets what files looked like.
    pub(super) async fn refresh(&self, session: &Session) {
        let mut tables = Vec::new();
        for name in session.table_names().into_iter().take(MOST_TABLES) {
            let found = session.context().table_provider(name.as_str()).await;
            let columns = found.map(|table| names(&table.schema())).unwrap_or_default();
            tables.push((name, columns));
        }
        let mut functions = session.function_names();
        functions.sort();
        functions.dedup();
        let state = session.context().state();
        let entries = state.config_options().entries().into_iter().map(|entry| Setting {
            name: entry.key,
            value: entry.value,
            description: entry.description,
        });
        let words = Words { tables, functions, settings: entries.collect() };
        *lock(&self.words) = Arc::new(words);
        lock(&self.files).retain(|_, file| matches!(file, File::Asked { .. }));
    }

    pub(super) fn words(&self) -> Arc<Words> {
        Arc::clone(&lock(&self.words))
    }

    /// Begins to find out the columns of a file, unless they are known.
    pub(super) fn look_at(self: &Arc<Self>, name: &str) {
        let mut files = lock(&self.files);
        let running = files.values().filter(|file| matches!(file, File::Asked { .. })).count();
        if files.contains_key(name) || files.len() >= MOST_FILES || running >= MOST_LOOKUPS {
            return;
        }
        let _entered = self.runtime.enter();
        let this = Arc::clone(self);
        let owned = name.to_owned();
        let task = SpawnedTask::spawn(async move {
            let described = describe_source(&this.context, &owned).await;
            let columns = described.map(|described| names(&described.columns)).unwrap_or_default();
            let replaced = lock(&this.files).insert(owned, File::Known(Arc::new(columns)));
            this.has_looked.notify_all();
            drop(replaced); // this task, which ends here
        });
        files.insert(name.to_owned(), File::Asked { _task: task });
    }

    /// The columns of a file; none where they are not known within `patience`.
    pub(super) fn columns_of(
        self: &Arc<Self>,
        name: &str,
        patience: Duration,
    ) -> Option<Arc<Vec<String>>> {
        self.look_at(name);
        let waits =
            |files: &mut HashMap<String, File>| matches!(files.get(name), Some(File::Asked { .. }));
        let waited = self.has_looked.wait_timeout_while(lock(&self.files), patience, waits);
        let (files, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match files.get(name) {
            Some(File::Known(columns)) => Some(Arc::clone(columns)),
            Some(File::Asked { .. }) | None => None,
        }
    }
}

fn names(schema: &Schema) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
