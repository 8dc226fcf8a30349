//! An agent whose operators leave no thread for anything else.

use std::sync::mpsc;

use gleam_sql_agent::security::TlsFiles;
use tokio::runtime::Builder;

use crate::support::Agent;

#[test]
fn a_busy_agent_still_answers() {
    let operators = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let agent = operators.block_on(Agent::start(TlsFiles::default()));
    let (began, has_begun) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    operators.spawn(async move {
        began.send(()).unwrap();
        // Not by way of `await`: the only thread is in here until the test has its answer.
        let _ = wait.recv();
    });
    has_begun.recv().unwrap();
    let driver = Builder::new_current_thread().enable_all().build().unwrap();
    let connections = agent.connections(None);
    let status = driver.block_on(connections.status(&agent.url("http", "127.0.0.1")));
    go_on.send(()).unwrap();
    assert_eq!(status.unwrap().running_tasks, 0);
}
