//! The one thread that starts children.
//!
//! A child asks the kernel to be killed with its parent (`PR_SET_PDEATHSIG`), and the kernel takes
//! "parent" to be the *thread* that forked. Worker threads come and go, so all children are forked
//! by one thread that lives as long as the process.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::groups::Group;

struct SpawnRequest {
    command: Command,
    /// Stays open until the child has its copy, even if the caller is cancelled meanwhile: the child
    /// keeps whatever is open under this number when it is forked.
    inherited: Option<OwnedFd>,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<(Child, Option<Group>)>>,
}

/// Starts `command` from the spawner thread and registers it with the caller's runtime. The child
/// leads a process group.
pub(super) async fn spawn(
    command: Command,
    inherited: Option<OwnedFd>,
) -> io::Result<(Child, Option<Group>)> {
    let (reply, answer) = oneshot::channel();
    let request = SpawnRequest { command, inherited, runtime: Handle::current(), reply };
    spawner()?.send(request).map_err(|_| thread_is_gone())?;
    answer.await.map_err(|_| thread_is_gone())?
}

fn spawner() -> io::Result<&'static Sender<SpawnRequest>> {
    static SPAWNER: OnceLock<Result<Sender<SpawnRequest>, io::ErrorKind>> = OnceLock::new();
    SPAWNER.get_or_init(start_thread).as_ref().map_err(|kind| io::Error::from(*kind))
}

fn start_thread() -> Result<Sender<SpawnRequest>, io::ErrorKind> {
    let (sender, requests) = channel::<SpawnRequest>();
    std::thread::Builder::new()
        .name("child-spawner".to_owned())
        .spawn(move || {
            for mut request in requests {
                let _guard = request.runtime.enter();
                let child = request.command.spawn().map(|child| {
                    let group = child.id().and_then(|id| libc::pid_t::try_from(id).ok());
                    (child, group.map(Group::new))
                });
                drop(request.inherited);
                // A caller that was cancelled meanwhile drops the group, which kills it.
                let _ = request.reply.send(child);
            }
        })
        .map_err(|error| error.kind())?;
    Ok(sender)
}

fn thread_is_gone() -> io::Error {
    io::Error::other("the thread that starts children is gone")
}
