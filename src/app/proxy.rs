//! The proxy of the settings, or of the server's orders to its worker: of its password they hold the file only.

use std::io;
use std::path::PathBuf;

use crate::access::private_file::{self, SecretFileError};
use crate::client::{Login, LoginError, Proxy, ProxyError, Scheme, Unproxied, UnproxiedError};
use crate::config::Downloads;

/// How the proxy is reached that files are fetched through.
#[derive(Clone, Debug)]
pub struct ProxyOrders {
    /// Where it is.
    pub proxy: Proxy,
    /// Who it knows this service as, and the file of that user's password.
    pub login: Option<(String, PathBuf)>,
    /// The hosts that are reached without it.
    pub unproxied: Vec<Unproxied>,
}

/// The proxy of the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProxySettingError {
    /// It is none.
    #[error("[downloads] proxy: {0}")]
    Proxy(#[from] ProxyError),
    /// A host that is reached without it is none.
    #[error("[downloads] no_proxy: {0}")]
    Unproxied(#[from] UnproxiedError),
    /// The file of the password cannot be used.
    #[error("[downloads] proxy_password_file: {0}")]
    PasswordFile(#[from] SecretFileError),
    /// No proxy would know such a user or password.
    #[error("[downloads] proxy_user and proxy_password_file: {0}")]
    Login(#[from] LoginError),
}

impl ProxyOrders {
    /// What the settings say; `None` if they name no proxy.
    pub(super) fn of(downloads: &Downloads) -> Result<Option<Self>, ProxySettingError> {
        let Some(proxy) = &downloads.proxy else { return Ok(None) };
        let unproxied = downloads.no_proxy.iter().map(|entry| entry.parse()).collect::<Result<_, _>>()?;
        let login = downloads.proxy_user.clone().zip(downloads.proxy_password_file.clone());
        Ok(Some(Self { proxy: proxy.parse()?, login, unproxied }))
    }

    /// Tells whoever starts the service what is wrong, as far as the service itself may look: the worker reads the password.
    pub(super) fn check(self) -> Result<(), ProxySettingError> {
        match self.read() {
            Err(ProxySettingError::PasswordFile(SecretFileError::Unreadable { source, .. }))
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                Ok(())
            }
            read => read.map(drop),
        }
    }

    /// The proxy, with the password that is in the file now.
    pub(super) fn read(self) -> Result<Proxy, ProxySettingError> {
        let proxy = self.proxy.except(self.unproxied);
        let Some((user, file)) = self.login else { return Ok(proxy) };
        let login = Login::new(Scheme::Basic, user, private_file::read_secret(&file)?)?;
        Ok(proxy.with_login(login))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_password_is_read_from_a_file_that_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        let downloads = Downloads {
            proxy: Some("http://proxy:3128".to_owned()),
            proxy_user: Some("quartermaster".to_owned()),
            proxy_password_file: Some(file.clone()),
            no_proxy: vec![".example.com".to_owned()],
            ..Downloads::default()
        };
        let read = || ProxyOrders::of(&downloads).unwrap().unwrap().read();
        let said = read().unwrap_err().to_string();
        assert!(said.starts_with("[downloads] proxy_password_file: cannot read "), "{said}");
        fs::write(&file, "o pen: sesame\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let said = read().unwrap_err().to_string();
        assert!(said.starts_with("[downloads] proxy_password_file: ") && said.contains("chmod 600"), "{said}");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let proxy = read().unwrap();
        assert!(!format!("{proxy:?} {proxy}").contains("sesame"));
        assert!(ProxyOrders::of(&Downloads::default()).unwrap().is_none());
    }
}
