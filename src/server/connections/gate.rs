//! Before anything is read of it, a connection needs a place.

use std::sync::Arc;

use actix_service::{Service, ServiceFactory, apply_fn_factory};
use actix_web::rt::net::TcpStream;

use super::Connections;

/// The service of connections that have a place; others are closed at once.
pub(in super::super) fn admitting<S>(
    served: S,
    connections: Arc<Connections>,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = S::Error, InitError = S::InitError>
where
    S: ServiceFactory<TcpStream, Config = (), Response = ()>,
{
    apply_fn_factory(served, move |stream: TcpStream, service: &S::Service| {
        let admitted = connections.admit(&stream);
        let serving = admitted.is_some().then(|| service.call(stream));
        async move {
            let result = match serving {
                Some(serving) => serving.await,
                None => Ok(()),
            };
            // The place is given up after the stream.
            drop(admitted);
            result
        }
    })
}
