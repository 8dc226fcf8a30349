//! The check that stands before every call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures::future::{Either, Ready, ready};
use http::{HeaderMap, HeaderValue, Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::Token;
use crate::version::{BUILD_VERSION, WIRE_VERSION};

const AUTHORIZATION: &str = "authorization";
const SCHEME: &str = "Bearer ";
const WIRE: &str = "gleam-wire";
const BUILD: &str = "gleam-build";
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
    is_draining: Arc<AtomicBool>,
}

impl RequireToken {
    /// Wants `token`; once `is_draining` is set, no new tasks either.
    pub fn new(token: Token, is_draining: Arc<AtomicBool>) -> Self {
        Self { token: Arc::new(token), is_draining }
    }

    fn check(&self, headers: &HeaderMap, path: &str) -> Result<(), Status> {
        let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let given = given.strip_prefix(SCHEME.as_bytes()).unwrap_or_default();
        if !self.token.matches(given) {
            return Err(Status::unauthenticated(
                "the token is not that of this agent: both sides need the same --token-file",
            ));
        }
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("none");
        let (wire, build) = (text(WIRE), text(BUILD));
        if wire != WIRE_VERSION.to_string() || build != BUILD_VERSION {
            return Err(Status::failed_precondition(format!(
                "this agent is gleam-sql {BUILD_VERSION} (wire {WIRE_VERSION}), and the caller is \
                 {build} (wire {wire})"
            )));
        }
        if path == NEW_TASK && self.is_draining.load(Ordering::Relaxed) {
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

/// A service behind [`RequireToken`].
#[derive(Debug, Clone)]
pub struct Guarded<S> {
    inner: S,
    guard: RequireToken,
}

impl<S, B> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.guard.check(request.headers(), request.uri().path()) {
            Ok(()) => Either::Left(self.inner.call(request)),
            Err(status) => Either::Right(ready(Ok(status.into_http()))),
        }
    }
}
