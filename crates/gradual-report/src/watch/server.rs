//! The server of the page.

use std::convert::Infallible;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use futures_util::stream::{Stream, unfold};
use tokio::sync::watch::Receiver;

use super::follow::Snapshot;
use crate::page;

/// What every answer carries: nothing of it is kept, and the page loads nothing from elsewhere.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
];

/// The page at `/`, its changing part at `/drawn`, and events at `/events`; nothing else.
pub(super) fn router(port: u16, seen: Receiver<Snapshot>) -> Router {
    Router::new()
        .route("/", get(whole))
        .route("/drawn", get(drawn))
        .route("/events", get(events))
        .with_state(seen)
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            guarded(port, request, next)
        }))
}

/// Answers those alone who asked for this machine by name. A page from elsewhere whose name was made to point here (DNS
/// rebinding) asks for its own.
async fn guarded(port: u16, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST);
    let asked = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let own = ["127.0.0.1", "localhost"].map(|name| format!("{name}:{port}"));
    if !own.iter().any(|own| own.eq_ignore_ascii_case(asked)) {
        let problem = format!("this page answers to {} alone\n", own.join(" and "));
        return (StatusCode::FORBIDDEN, problem).into_response();
    }
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

async fn whole(State(seen): State<Receiver<Snapshot>>) -> Html<String> {
    let snapshot = seen.borrow().clone();
    Html(page::live::html(&snapshot.title, &snapshot.html()))
}

async fn drawn(State(seen): State<Receiver<Snapshot>>) -> Html<String> {
    let snapshot = seen.borrow().clone();
    Html(snapshot.html())
}

/// The number of what was published last, now and whenever there is something new.
async fn events(
    State(mut seen): State<Receiver<Snapshot>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    seen.mark_changed();
    let numbers = unfold(seen, |mut seen| async move {
        seen.changed().await.ok()?;
        let version = seen.borrow_and_update().version;
        Some((Ok(Event::default().data(version.to_string())), seen))
    });
    Sse::new(numbers).keep_alive(KeepAlive::default())
}
