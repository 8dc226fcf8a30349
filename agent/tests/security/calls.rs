//! Every method wants the token and the version, whatever it does.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gleam_sql_agent::drain::Drain;
use gleam_sql_agent::security::{RequireToken, TlsFiles, Token};
use gleam_sql_agent::version::{BUILD_VERSION, WIRE_VERSION};
use http::{HeaderMap, Request, Response};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, ServiceExt};

use crate::methods;
use crate::support::{Agent, call, headers};

/// Headers that lack the right token, and what is wrong with each.
fn wrong(token: &Token) -> Vec<(&'static str, HeaderMap)> {
    let right = token.expose();
    let other = Token::random().unwrap().expose();
    let with = |authorization: &str| {
        headers(&[
            ("authorization", authorization),
            ("gleam-wire", &WIRE_VERSION.to_string()),
            ("gleam-build", BUILD_VERSION),
        ])
    };
    let mut elsewhere = with("Bearer ");
    elsewhere.remove("authorization");
    elsewhere
        .extend(headers(&[("token", &right), ("x-authorization", &format!("Bearer {right}"))]));
    vec![
        ("no headers", HeaderMap::new()),
        ("the wrong token", with(&format!("Bearer {other}"))),
        ("no token", with("Bearer ")),
        ("no scheme", with(&right)),
        ("another scheme", with(&format!("Basic {right}"))),
        ("a part of it", with(&format!("Bearer {}", &right[..62]))),
        ("more than it", with(&format!("Bearer {right}00"))),
        ("another header", elsewhere),
    ]
}

#[tokio::test]
async fn no_method_answers_without_the_token() {
    let agent = Agent::start(TlsFiles::default()).await;
    let channel = agent.connect().await;
    let mut paths = methods::all();
    paths.extend(
        ["/no.Such/Method", "/worker.WorkerService/NoSuchMethod", "/", "/x"].map(Into::into),
    );
    for path in &paths {
        for (what, headers) in wrong(&agent.token) {
            let status = call(&channel, path, headers).await.unwrap();
            assert_eq!(status.code(), Code::Unauthenticated, "{path} with {what}: {status:?}");
            assert!(!status.message().contains(&agent.token.expose()));
        }
    }
}

#[tokio::test]
async fn every_method_answers_with_the_token() {
    let agent = Agent::start(TlsFiles::default()).await;
    let channel = agent.connect().await;
    for path in methods::all() {
        let status = call(&channel, &path, agent.headers()).await.unwrap();
        assert_ne!(status.code(), Code::Unauthenticated, "{path}: {status:?}");
        assert_ne!(status.code(), Code::Unimplemented, "{path} is not served: {status:?}");
    }
    let missing = call(&channel, "/no.Such/Method", agent.headers()).await.unwrap();
    assert_eq!(missing.code(), Code::Unimplemented);
}

#[tokio::test]
async fn another_version_is_refused_and_both_are_named() {
    let agent = Agent::start(TlsFiles::default()).await;
    let channel = agent.connect().await;
    let paths = methods::ours().into_iter().chain(methods::stock());
    for path in paths {
        for (name, value) in [("gleam-wire", "77"), ("gleam-build", "7.7.7")] {
            let mut headers = agent.headers();
            headers.insert(name, value.parse().unwrap());
            let status = call(&channel, &path, headers).await.unwrap();
            assert_eq!(status.code(), Code::FailedPrecondition, "{path}: {status:?}");
            let message = status.message();
            assert!(message.contains(BUILD_VERSION) && message.contains(value), "{message}");
        }
        let mut headers = agent.headers();
        headers.remove("gleam-build");
        let status = call(&channel, &path, headers).await.unwrap();
        assert_eq!(status.code(), Code::FailedPrecondition, "{path}: {status:?}");
    }
}

/// The services behind the check, which only count.
#[tokio::test]
async fn no_service_hears_of_a_refused_call() {
    let token = Token::random().unwrap();
    let heard = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&heard);
    let service = tower::service_fn(move |_: Request<Body>| {
        counting.fetch_add(1, Ordering::Relaxed);
        async { Ok::<_, Infallible>(Response::new(Body::empty())) }
    });
    let guarded = RequireToken::new(token.clone(), Arc::new(Drain::default())).layer(service);
    let mut refused = wrong(&token);
    let right = format!("Bearer {}", token.expose());
    refused.push(("no version", headers(&[("authorization", &right)])));
    for path in methods::ours().into_iter().chain(methods::stock()) {
        for (what, headers) in refused.clone() {
            let mut request = Request::post(&path).body(Body::empty()).unwrap();
            *request.headers_mut() = headers;
            let response = guarded.clone().oneshot(request).await.unwrap();
            let status = Status::from_header_map(response.headers()).unwrap();
            assert_ne!(status.code(), Code::Ok, "{path} with {what}");
        }
    }
    assert_eq!(heard.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn drivers_are_told_what_is_wrong() {
    let agent = Agent::start(TlsFiles::default()).await;
    let url = agent.url("http", "127.0.0.1");
    agent.connections(None).status(&url).await.unwrap();
    let stranger = Agent::start(TlsFiles::default()).await;
    let error = stranger.connections(None).status(&url).await.unwrap_err().to_string();
    for part in [&format!("agent {}:", agent.address), "token", "--token-file"] {
        assert!(error.contains(part), "{error}");
    }
    assert!(!error.contains(&stranger.token.expose()) && !error.contains(&agent.token.expose()));
}
