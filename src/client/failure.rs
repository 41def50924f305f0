//! Why a request got no response, in the client's own words.

use awc::error::{ConnectError, SendRequestError};

use super::ClientError;

pub(super) fn failed_request(error: SendRequestError) -> ClientError {
    match error {
        SendRequestError::Connect(ConnectError::Resolver(source)) => match source.downcast::<ClientError>() {
            Ok(ours) => *ours,
            Err(other) => ClientError::Connect(other.to_string()),
        },
        // The peer closed a connection that was kept, or one that was just made, before it answered.
        SendRequestError::Connect(ConnectError::Disconnected) => {
            ClientError::Exchange("the peer closed the connection".to_owned())
        }
        SendRequestError::Connect(ConnectError::Timeout) => ClientError::Connect("no connection in time".to_owned()),
        SendRequestError::Connect(other) => ClientError::Connect(other.to_string()),
        SendRequestError::Timeout => ClientError::TimedOut,
        SendRequestError::Send(error) => ClientError::Exchange(error.to_string()),
        other => ClientError::Exchange(other.to_string()),
    }
}
