//! Problems as they are answered: a status, and the JSON that the command line prints for them.

use super::desk::DeskError;
use crate::trouble::Trouble;
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::header::{ALLOW, CONNECTION, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sluicebox_store::StoreError;
use utoipa::ToSchema;

/// Why a request is not done.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    message: String,
    help: Option<String>,
    header: Option<(HeaderName, HeaderValue)>,
    closes: bool,
}

/// Why a request is not done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemBody {
    /// Message and help.
    error: ProblemText,
}

/// For people.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProblemText {
    /// What is wrong.
    message: String,
    /// What to do instead.
    #[schema(required)]
    help: Option<String>,
}

/// What an endpoint answers.
pub(super) type Answer<T> = Result<Json<T>, Problem>;

impl Problem {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), help: None, header: None, closes: false }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn unauthorized(message: impl Into<String>) -> Self {
        let challenge = HeaderValue::from_static("Bearer realm=\"sluicebox\"");
        Self::new(StatusCode::UNAUTHORIZED, message).header(WWW_AUTHENTICATE, challenge)
    }

    /// Not now; worth trying again in so many seconds.
    pub(super) fn busy(message: impl Into<String>, seconds: u32) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message).header(RETRY_AFTER, seconds.into())
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The connection cannot be used for another request, e.g. because a body was not read.
    pub(super) fn closes(mut self) -> Self {
        self.closes = true;
        self
    }

    fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    fn of(status: StatusCode, trouble: Trouble) -> Self {
        Self { help: trouble.help, ..Self::new(status, trouble.message) }
    }

    /// The answer as JSON text.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(&self.body()).unwrap_or_default()
    }

    fn body(&self) -> ProblemBody {
        ProblemBody { error: ProblemText { message: self.message.clone(), help: self.help.clone() } }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        if self.closes {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::NotFound(trouble) => Self::of(StatusCode::NOT_FOUND, trouble),
            DeskError::Conflict(trouble) => Self::of(StatusCode::CONFLICT, trouble),
            DeskError::Invalid(trouble) => Self::of(StatusCode::UNPROCESSABLE_ENTITY, trouble),
            DeskError::Unavailable(trouble) => {
                Self::of(StatusCode::SERVICE_UNAVAILABLE, trouble).header(RETRY_AFTER, 5.into())
            }
            DeskError::Failed(trouble) => Self::of(StatusCode::INTERNAL_SERVER_ERROR, trouble),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let status = match &error {
            StoreError::NoRun(_) | StoreError::NoRuns => StatusCode::NOT_FOUND,
            StoreError::AmbiguousRun { .. } => StatusCode::CONFLICT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        Self::of(StatusCode::INTERNAL_SERVER_ERROR, trouble)
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::bad_request(format!("the path cannot be read: {}", rejection.body_text()))
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        let text = rejection.body_text();
        let why = text.rsplit_once("query string: ").map_or(text.as_str(), |(_, why)| why);
        Self::bad_request(format!("the query cannot be read: {why}")).help("docs/api.md lists what may be asked")
    }
}

/// Nothing stands at this path.
pub(super) async fn no_such_path() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing at this path")
        .help("the paths are listed at /api/v1/openapi.json")
}

/// Something stands at this path, for other methods.
pub(super) async fn no_such_method(method: Method) -> Problem {
    let takes = if method == Method::GET || method == Method::HEAD { "POST" } else { "GET, HEAD" };
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("this path does not take {method}"))
        .help(format!("it takes {takes}; the paths are listed at /api/v1/openapi.json"))
        .header(ALLOW, HeaderValue::from_static(takes))
}
