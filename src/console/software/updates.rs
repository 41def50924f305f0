//! Which packages of a host are older than what its repositories offer.

use futures_util::StreamExt;
use futures_util::stream;

use super::{Service, Software};
use crate::console::{ConsoleError, Session};

/// How many packages are asked for at once.
const AT_ONCE: usize = 8;

/// A package that can be updated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// As it is installed.
    pub installed: Software,
    /// The newest that is offered.
    pub newest: Software,
}

impl Session {
    /// The packages that can be updated. The service knows which of two versions is newer, and is asked for each package.
    pub async fn updates(&self, service: &Service) -> Result<Vec<Update>, ConsoleError> {
        let installed = self.installed().await?;
        let asked = stream::iter(installed).map(async |installed| {
            let newest = self.newest(service, &installed).await?;
            Ok(newest.filter(|newest| newest.replaces(&installed)).map(|newest| Update { installed, newest }))
        });
        let found: Vec<Result<Option<Update>, ConsoleError>> = asked.buffered(AT_ONCE).collect().await;
        found.into_iter().filter_map(Result::transpose).collect()
    }
}
