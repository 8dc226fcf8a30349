//! The check that stands before every call.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::{BoxFuture, Either, Ready, ready};
use http::{HeaderMap, HeaderValue, Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::Token;
use crate::drain::{Drain, OpenTask};
use crate::version::{BUILD_VERSION, WIRE_VERSION};

const AUTHORIZATION: &str = "authorization";
const SCHEME: &str = "Bearer ";
const WIRE: &str = "gleam-wire";
const BUILD: &str = "gleam-build";
/// The one service that is not ours: its callers are tools that know nothing of versions.
const HEALTH: &str = "/grpc.health.v1.Health/";
/// What begins new work.
const NEW_TASK: &str = "/worker.WorkerService/CoordinatorChannel";

/// What a caller sends with every call.
pub(crate) fn credentials(token: &Token) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut authorization = HeaderValue::try_from(format!("{SCHEME}{}", token.expose()))
        .expect("hexadecimal digits are a header");
    authorization.set_sensitive(true);
    headers.insert(AUTHORIZATION, authorization);
    headers.insert(WIRE, HeaderValue::from(WIRE_VERSION));
    headers.insert(BUILD, HeaderValue::from_static(BUILD_VERSION));
    headers
}

/// Lets a call through only with the token, and from the same version. Stands before all services, also
/// before those that do not exist.
#[derive(Debug, Clone)]
pub struct RequireToken {
    token: Arc<Token>,
    drain: Arc<Drain>,
}

impl RequireToken {
    /// Wants `token`; once `drain` has begun, no new tasks either.
    pub fn new(token: Token, drain: Arc<Drain>) -> Self {
        Self { token: Arc::new(token), drain }
    }

    fn check(&self, headers: &HeaderMap, path: &str) -> Result<(), Status> {
        let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let given = given.strip_prefix(SCHEME.as_bytes()).unwrap_or_default();
        if !self.token.matches(given) {
            return Err(Status::unauthenticated("the token is not that of this agent"));
        }
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("none");
        let (wire, build) = (text(WIRE), text(BUILD));
        let is_same = wire == WIRE_VERSION.to_string() && build == BUILD_VERSION;
        if !is_same && !path.starts_with(HEALTH) {
            return Err(Status::failed_precondition(format!(
                "this agent is gleam-sql {BUILD_VERSION} (wire {WIRE_VERSION}), and the caller is \
                 {build} (wire {wire})"
            )));
        }
        if path == NEW_TASK && self.drain.has_begun() {
            return Err(Status::unavailable("this agent is about to end"));
        }
        Ok(())
    }
}

impl<S> Layer<S> for RequireToken {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, guard: self.clone() }
    }
}

type Answer<E> = Result<Response<Body>, E>;

/// A service behind [`RequireToken`].
#[derive(Debug, Clone)]
pub struct Guarded<S> {
    inner: S,
    guard: RequireToken,
}

impl<S, B> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<BoxFuture<'static, Answer<S::Error>>, Ready<Answer<S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.guard.check(request.headers(), request.uri().path()) {
            Ok(()) => {
                let is_task = request.uri().path() == NEW_TASK;
                let task = is_task.then(|| self.guard.drain.open_task());
                let answer = self.inner.call(request);
                Either::Left(Box::pin(held(task, answer)))
            }
            Err(status) => Either::Right(ready(Ok(status.into_http()))),
        }
    }
}

/// An answer that ends together with the task that it is about.
async fn held<E>(task: Option<OpenTask>, answer: impl Future<Output = Answer<E>>) -> Answer<E> {
    let answer = answer.await?;
    Ok(match task {
        Some(task) => answer.map(|body| task.until_the_end_of(body)),
        None => answer,
    })
}
