//! Installing a package file that a browser sends along.

use std::pin::Pin;
use std::time::Duration;

use actix_web::body::{BodyStream, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use tokio::time::{Instant, timeout_at};

use super::failure::Failure;
use super::fields::Fields;
use super::multipart::{Form, Piece};
use super::reply::Answer;
use super::sessions::Session;
use super::systems::{self, System};
use super::visit::{self, Visit};
use super::{Page, door};
use crate::access::{Caller, Role};
use crate::broker::Upload;
use crate::server::{self, Claim, SpoolError, Spooled};

/// How long a form may take whatever it brings, and how slowly a file may come, in octets a second.
const PATIENCE: Duration = Duration::from_secs(30);
const SLOWEST: u64 = 64 * 1024;
/// The longest field that is no file, and how much a form is larger than its file at most; in octets.
const LONGEST_FIELD: usize = 1024;
const AROUND: u64 = 16 * 1024;

/// Takes the file and has it installed.
pub(super) async fn install(page: Data<Page>, request: HttpRequest, body: Payload) -> HttpResponse {
    let _busy = server::answering(&request);
    let Some((secret, session)) = door::session(&page, &request).await else { return door::log_in_for(&request) };
    let mut chunks = Chunks(BodyStream::new(body.into_inner()));
    match receive(&page, &request, &session, &mut chunks).await {
        Ok((upload, claim)) => {
            let install = move |visit: &Visit| {
                let _claim = claim;
                installed(visit, &upload)
            };
            visit::answer(&page, &page.changes, &request, (secret, session, Fields::default()), install).await
        }
        Err(failure) => {
            // A browser shows the answer only once it has sent everything.
            chunks.discard(server::largest_file(&request).unwrap_or_default()).await;
            door::refused(&failure)
        }
    }
}

fn installed(visit: &Visit, upload: &Upload) -> Result<Answer, Failure> {
    let system = System::one(&visit.objects, false)?;
    let service = system.installation(&visit.objects)?;
    let (method, target) = ("InstallFromByteStream", system.reference(&visit.objects));
    let reply = visit.objects.call_with(&service, method, &[("Target", target)], Some(upload))?;
    systems::begun(&service, method, &reply).map(Answer::Go)
}

/// The file, once all of the form has come. Nothing is written before the form is known to be one of this session's, whose
/// user may install.
async fn receive(
    page: &Data<Page>,
    request: &HttpRequest,
    session: &Session,
    chunks: &mut Chunks,
) -> Result<(Upload, Claim), Failure> {
    door::check_origin(request)?;
    let caller = door::caller_now(page, session, request).await?;
    if caller.role < Role::Operator {
        return Err(Failure::new(StatusCode::FORBIDDEN, "To install software needs the role operator."));
    }
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let form = text(CONTENT_TYPE).and_then(Form::of).ok_or_else(|| Failure::invalid("The form brings no file."))?;
    let limit = server::largest_file(request).ok_or_else(|| Failure::not_found("No files are taken here."))?;
    if text(CONTENT_LENGTH).and_then(|length| length.parse().ok()).is_some_and(|length: u64| length > limit + AROUND) {
        return Err(refused(SpoolError::TooLarge { limit }));
    }
    let file = Receiving { request, session, caller, form, token: None, field: None, file: None }.all(chunks).await?;
    if file.written() == 0 {
        return Err(Failure::invalid("Choose a package file."));
    }
    let (path, claim) = file.finish().await.map_err(refused)?;
    Ok((Upload::new(path), claim))
}

/// A form that is being read.
struct Receiving<'a> {
    request: &'a HttpRequest,
    session: &'a Session,
    caller: Caller,
    form: Form,
    /// What came of the token.
    token: Option<Vec<u8>>,
    /// The field that is being read, and whether it is a file.
    field: Option<(String, bool)>,
    file: Option<Spooled>,
}

impl Receiving<'_> {
    async fn all(mut self, chunks: &mut Chunks) -> Result<Spooled, Failure> {
        let begun = Instant::now();
        loop {
            let written = self.file.as_ref().map_or(0, Spooled::written);
            let until = begun + PATIENCE + Duration::from_secs(written / SLOWEST);
            let chunk = timeout_at(until, chunks.next()).await;
            let chunk = chunk.map_err(|_| Failure::invalid("The file did not come in time."))?;
            let chunk = chunk.ok_or_else(|| Failure::invalid("The file did not come whole."))?;
            for piece in self.form.feed(&chunk).map_err(|_| Failure::invalid("The form is none of a browser's."))? {
                match piece {
                    Piece::Field { name, is_file } => self.begin(name, is_file)?,
                    Piece::Content(octets) => self.take(&octets).await?,
                    Piece::End => return self.file.ok_or_else(|| Failure::invalid("Choose a package file.")),
                }
            }
        }
    }

    fn begin(&mut self, name: String, is_file: bool) -> Result<(), Failure> {
        if is_file {
            let token = self.token.as_deref().and_then(|token| std::str::from_utf8(token).ok());
            if !token.is_some_and(|token| self.session.is_token(token)) {
                return Err(door::not_ours());
            }
            if self.file.is_some() {
                return Err(Failure::invalid("One package file at a time is taken."));
            }
            let taken = server::take_file(self.request, &self.caller);
            let taken = taken.ok_or_else(|| Failure::not_found("No files are taken here."))?;
            self.file = Some(taken.map_err(refused)?);
        } else if name == "token" {
            self.token = Some(Vec::new());
        }
        self.field = Some((name, is_file));
        Ok(())
    }

    async fn take(&mut self, octets: &[u8]) -> Result<(), Failure> {
        match (&self.field, &mut self.file, &mut self.token) {
            (Some((_, true)), Some(file), _) => file.write(octets).await.map_err(refused),
            (Some((name, false)), _, Some(token)) if name == "token" && token.len() + octets.len() <= LONGEST_FIELD => {
                token.extend_from_slice(octets);
                Ok(())
            }
            _ => Err(door::not_ours()),
        }
    }
}

fn refused(error: SpoolError) -> Failure {
    let status = match error {
        SpoolError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        SpoolError::Uploading => StatusCode::SERVICE_UNAVAILABLE,
        SpoolError::NoRoom => StatusCode::INSUFFICIENT_STORAGE,
        SpoolError::NotStored => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Failure::new(status, format!("The file is not taken: {error}."))
}

/// What arrives of a body.
struct Chunks(BodyStream<actix_web::dev::Payload>);

impl Chunks {
    /// The next part; none at the end, or if the rest does not come.
    async fn next(&mut self) -> Option<Bytes> {
        let chunk = std::future::poll_fn(|context| Pin::new(&mut self.0).poll_next(context)).await;
        chunk.and_then(Result::ok)
    }

    /// Reads so many octets at most to nowhere.
    async fn discard(&mut self, most: u64) {
        let read = async {
            let mut length = 0_u64;
            while let Some(chunk) = self.next().await {
                length = length.saturating_add(chunk.len() as u64);
                if length > most {
                    break;
                }
            }
        };
        // What does not come in time stays where it is.
        let _ = tokio::time::timeout(PATIENCE, read).await;
    }
}
