//! A TLS endpoint before a service on this machine that has none.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Prints its port and passes on bytes until it is ended.
pub(crate) async fn serve(chain: &Path, key: &Path, to: SocketAddr) -> anyhow::Result<()> {
    let chain = CertificateDer::pem_file_iter(chain)?.collect::<Result<Vec<_>, _>>().context("no certificates")?;
    let key = PrivateKeyDer::from_pem_file(key).context("no key")?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    crate::say(&listener.local_addr()?.port().to_string())?;
    loop {
        let (stream, _) = listener.accept().await?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            if let Err(failed) = pass_on(stream, &acceptor, to).await {
                eprintln!("{failed:#}");
            }
        });
    }
}

async fn pass_on(stream: TcpStream, acceptor: &TlsAcceptor, to: SocketAddr) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut outside = acceptor.accept(stream).await.context("no TLS")?;
    let mut inside = TcpStream::connect(to).await?;
    inside.set_nodelay(true)?;
    // How a client ends its connection is its own affair.
    let _ended = copy_bidirectional(&mut outside, &mut inside).await;
    Ok(())
}
