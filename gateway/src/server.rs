//! Start and stop of everything.

use std::sync::Arc;

use crate::api::{ApiServer, ServiceFacts, ServiceState};
use crate::config::Config;
use crate::startup::{self, StartError};

/// Serves until the process is told to stop.
pub fn run(config: Config) -> Result<(), StartError> {
    startup::raise_descriptor_limit()?;
    let keys = startup::load_keys(&config)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| StartError::System { action: "start the service thread", source })?;
    runtime.block_on(async {
        let address = config.server.listen;
        let listen = |source| StartError::Listen { address, source };
        let listener = tokio::net::TcpListener::bind(address).await.map_err(listen)?;
        let store = startup::open_store(&config, Arc::new(|_, _| {})).await?;
        let facts = ServiceFacts { driver: "epoll", shards: config.server.shards };
        let max_connections = config.server.max_http_connections;
        let state = ServiceState::new(Arc::new(config), store, keys.minter, facts)?;
        let server = ApiServer::new(state, max_connections);
        println!("Ringwire is ready: http://{}/", listener.local_addr().map_err(listen)?);
        loop {
            let (stream, peer) = listener.accept().await.map_err(listen)?;
            if let Ok(stream) = stream.into_std() {
                let server = server.clone();
                tokio::spawn(async move { server.serve(stream, bytes::Bytes::new(), peer).await });
            }
        }
    })
}
