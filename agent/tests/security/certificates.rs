//! TLS, in both directions.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use gleam_sql_agent::security::{TlsFiles, Token};
use gleam_sql_agent::server::{BoundAgent, ServeError};
use tonic::Code;
use url::Url;

use crate::methods;
use crate::support::{Agent, Certificates, call, config, endpoint};

#[tokio::test]
async fn certificates_serve_names_and_addresses() {
    let certificates = Certificates::of(&["127.0.0.1", "localhost", "driver"]);
    for host in ["127.0.0.1", "localhost"] {
        let agent = Agent::start(certificates.files(host)).await;
        let connections = agent.connections(Some(certificates.files("driver").client().unwrap()));
        let status = connections.status(&agent.url("https", host)).await.unwrap();
        assert_eq!(status.slots, 1);
    }
    for file in fs::read_dir(certificates.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        let is_key = file.path().extension().is_some_and(|extension| extension == "key");
        assert!(!is_key || mode == 0o600, "{file:?} has mode {mode:o}");
    }
}

/// A certificate of another name is that of somebody else.
#[tokio::test]
async fn an_agent_must_have_the_name_it_is_called_by() {
    let certificates = Certificates::of(&["10.1.2.3", "driver"]);
    let agent = Agent::start(certificates.files("10.1.2.3")).await;
    let connections = agent.connections(Some(certificates.files("driver").client().unwrap()));
    let error = connections.status(&agent.url("https", "127.0.0.1")).await.unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
}

#[tokio::test]
async fn strangers_are_refused() {
    let certificates = Certificates::of(&["127.0.0.1", "driver"]);
    let agent = Agent::start(certificates.files("127.0.0.1")).await;
    let url = agent.url("https", "127.0.0.1");
    let others = Certificates::of(&["driver"]);
    let ours = certificates.files("driver");
    let nobody = TlsFiles { authority: ours.authority.clone(), ..TlsFiles::default() };
    let signed_by_another =
        TlsFiles { authority: ours.authority.clone(), ..others.files("driver") };
    let trusts_another = others.files("driver");
    for (what, files) in [
        ("no certificate", nobody),
        ("another authority's certificate", signed_by_another),
        ("trust in another authority", trusts_another),
    ] {
        let client = files.client().unwrap();
        let error = agent.connections(Some(client)).status(&url).await.unwrap_err().to_string();
        assert!(error.contains("--tls-ca"), "{what}: {error}");
        assert!(error.contains(&agent.address.to_string()), "{what}: {error}");
    }
}

#[tokio::test]
async fn plaintext_to_a_tls_port_reaches_no_method() {
    let certificates = Certificates::of(&["127.0.0.1"]);
    let agent = Agent::start(certificates.files("127.0.0.1")).await;
    for path in methods::all() {
        let plain = endpoint(&format!("http://{}", agent.address));
        let Ok(channel) = plain.connect().await else { continue };
        let answer = call(&channel, &path, agent.headers()).await;
        assert!(answer.is_err(), "{path}: {answer:?}");
    }
    let url = agent.url("http", "127.0.0.1");
    let error = agent.connections(None).status(&url).await.unwrap_err().to_string();
    assert!(error.contains("--tls-ca"), "{error}");
}

#[tokio::test]
async fn tls_to_a_plaintext_port_is_explained() {
    let certificates = Certificates::of(&["driver"]);
    let agent = Agent::start(TlsFiles::default()).await;
    let connections = agent.connections(Some(certificates.files("driver").client().unwrap()));
    let error = connections.status(&agent.url("https", "127.0.0.1")).await.unwrap_err().to_string();
    assert!(error.contains("without TLS"), "{error}");
    let channel = agent.connect().await;
    let status = call(&channel, "/gleam.agent.v1.Agent/Status", agent.headers()).await.unwrap();
    assert_eq!(status.code(), Code::Ok);
}

#[tokio::test]
async fn the_token_is_not_sent_over_a_network_that_can_read_it() {
    let agent = Agent::start(TlsFiles::default()).await;
    // For documentation: nobody has this address, and it is not connected to.
    let url = Url::parse("http://192.0.2.1:4711").unwrap();
    let error = agent.connections(None).status(&url).await.unwrap_err().to_string();
    assert!(error.contains("only through TLS"), "{error}");
}

#[tokio::test]
async fn nothing_listens_beyond_this_machine_without_tls() {
    let token = Token::random().unwrap();
    let spill = tempfile::tempdir().unwrap();
    for listen in ["0.0.0.0:0", "[::]:0", "[::ffff:127.0.0.1]:0"] {
        let config = config(listen, &token, TlsFiles::default(), spill.path());
        let error = BoundAgent::bind(config).await.err().unwrap();
        assert!(matches!(error, ServeError::NotProtected(_)), "{listen}: {error}");
    }
    let certificates = Certificates::of(&["a"]);
    let files = certificates.files("a");
    let without_authority = TlsFiles { authority: None, ..files.clone() };
    let without_key = TlsFiles { key: None, ..files.clone() };
    let authority_only = TlsFiles { authority: files.authority, ..TlsFiles::default() };
    for tls in [without_authority, without_key, authority_only] {
        let error =
            BoundAgent::bind(config("0.0.0.0:0", &token, tls, spill.path())).await.err().unwrap();
        assert!(error.to_string().contains("--tls-"), "{error}");
    }
}

#[test]
fn secrets_that_others_can_read_are_none() {
    let certificates = Certificates::of(&["a"]);
    let token = certificates.path().join("token");
    fs::write(&token, Token::random().unwrap().expose()).unwrap();
    let readable = |path: &PathBuf| {
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    };
    readable(&token);
    let error = Token::read(&token).unwrap_err().to_string();
    assert!(error.contains("chmod 600"), "{error}");
    let files = certificates.files("a");
    readable(files.key.as_ref().unwrap());
    let error = files.server().unwrap_err().to_string();
    assert!(error.contains("chmod 600"), "{error}");
}
