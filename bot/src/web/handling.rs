//! From a request to the answer of its page.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Body,
    extract::{ConnectInfo, RawPathParams, Request, rejection::RawPathParamsRejection},
    response::Response,
    routing::any,
};
use http_body_util::{BodyExt as _, Limited};
use hyper::{
    HeaderMap, Method, StatusCode,
    body::Body as _,
    header::{ALLOW, CONTENT_TYPE, HeaderName, ORIGIN, RETRY_AFTER},
    http::uri::PathAndQuery,
};
use tokio::time::{Instant, timeout};

use super::{
    Site,
    access::Age,
    answer::{Answer, Fault},
    api, assets, client,
    context::Context,
    form::{self, Fields},
    headers, layout,
    route::{Access, Route},
    session::Session,
};
use crate::{
    support::i18n::Language,
    telemetry::{metrics, task},
};

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(20);
/// How long a request waits until fewer are being answered.
const TURN: Duration = Duration::from_secs(1);
/// The maximum size of a form, in bytes.
const LONGEST_BODY: usize = 256 * 1024;

/// All pages. Whatever is not among them gets the same page as a server that is not shown.
pub(super) fn router(site: &Arc<Site>) -> Router {
    let mut router = Router::new();
    for index in 0..site.routes.len() {
        let site = Arc::clone(site);
        let path = site.routes[index].path;
        let handler = move |ConnectInfo(peer): ConnectInfo<SocketAddr>,
                            params: Result<RawPathParams, RawPathParamsRejection>,
                            request: Request| async move {
            let params = params.ok().map(|params| {
                let params = params.iter();
                params
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect()
            });
            respond(site, Some(index).zip(params), peer, request).await
        };
        router = router.route(path, any(handler));
    }
    let site = Arc::clone(site);
    let others = move |Extension(ConnectInfo(peer)): Extension<ConnectInfo<SocketAddr>>, request: Request| async move {
        respond(site, None, peer, request).await
    };
    router.fallback(others)
}

/// The page, by its index, and the parts of its path.
type Found = Option<(usize, Vec<(String, String)>)>;

async fn respond(site: Arc<Site>, found: Found, peer: SocketAddr, request: Request) -> Response {
    let began = Instant::now();
    let route = found.as_ref().map(|(index, _)| site.routes[*index].path);
    let label = route.unwrap_or("other");
    let language = language(request.headers());
    let answering = task::observed(
        "web request",
        Box::pin(answer(Arc::clone(&site), found, peer, request)),
    );
    let answer = match timeout(LIMIT, answering).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_panic)) => failure(language, StatusCode::INTERNAL_SERVER_ERROR, "web-error-away"),
        Err(_elapsed) => failure(language, StatusCode::GATEWAY_TIMEOUT, "web-error-away"),
    };
    let class = match answer.status.as_u16() {
        ..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    };
    metrics::web_requests_total(label, class).increment(1);
    metrics::web_request_seconds(label).record(began.elapsed());
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    headers::secure(response.headers_mut(), site.config.is_secure());
    response
}

async fn answer(site: Arc<Site>, found: Found, peer: SocketAddr, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let client = client::address(&site.config, peer.ip(), &parts.headers);
    let path = parts
        .uri
        .path_and_query()
        .map_or("/", PathAndQuery::as_str)
        .to_owned();
    let mut context = Context {
        language: language(&parts.headers),
        method: parts.method,
        path,
        params: Vec::new(),
        query: Fields::parse(parts.uri.query().unwrap_or_default().as_bytes()),
        form: Fields::default(),
        headers: parts.headers,
        client,
        session: None,
        staff: None,
        request_id: None,
        site: Arc::clone(&site),
    };
    if site
        .limiter
        .admit(client::network(client), Instant::now())
        .is_err()
    {
        metrics::web_limited_total().increment(1);
        return explain(&context, None, Fault::TooMany);
    }
    let asset = found.is_none().then(|| assets::find(parts.uri.path())).flatten();
    if let Some(asset) = asset {
        return asset;
    }
    let Some((index, params)) = found else {
        return explain(&context, None, Fault::NotFound);
    };
    let route = &site.routes[index];
    context.params = params;
    match on_page(&mut context, route, body).await {
        Ok(answer) => answer,
        Err(fault) => explain(&context, Some(route), fault),
    }
}

async fn on_page(context: &mut Context, route: &Route, body: Body) -> Result<Answer, Fault> {
    let site = context.site();
    let Ok(_turn) = timeout(TURN, site.turns.acquire()).await else {
        return Err(Fault::Busy);
    };
    if context.method == Method::HEAD {
        context.method = Method::GET;
    }
    if context.method != Method::GET && context.method != Method::POST {
        return Err(Fault::NoForm);
    }
    context.session = Session::find(&site.store, &site.config, &context.headers).await?;
    if let Some(language) = context.session.as_ref().and_then(|session| session.language) {
        context.language = language;
    }
    if context.method == Method::POST {
        receive(context, body).await?;
    }
    admit(context, route.access).await?;
    route.handler.answer(context).await
}

/// Read a form, if it comes from this website and from this session.
async fn receive(context: &mut Context, body: Body) -> Result<(), Fault> {
    let header = |name: HeaderName| context.headers.get(name).and_then(|value| value.to_str().ok());
    if header(ORIGIN) != Some(context.site.config.url.as_str()) {
        return Err(Fault::Foreign);
    }
    let session = context.session.as_ref().ok_or(Fault::SignIn)?;
    let kind = header(CONTENT_TYPE).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(Fault::Foreign);
    }
    let too_long = || Fault::Bad(context.text("web-error-too-long"));
    if body.size_hint().lower() > LONGEST_BODY as u64 {
        return Err(too_long());
    }
    let body = Limited::new(body, LONGEST_BODY)
        .collect()
        .await
        .map_err(|_error| too_long())?;
    let form = Fields::parse(&body.to_bytes());
    let token = form.get(form::TOKEN).unwrap_or_default();
    let request_id = form::request_of(session, token).ok_or(Fault::Foreign)?;
    context.request_id = Some(request_id);
    context.form = form;
    Ok(())
}

async fn admit(context: &mut Context, access: Access) -> Result<(), Fault> {
    match access {
        Access::Public => Ok(()),
        Access::SignedIn => context.user().map(drop),
        Access::Operator => {
            let user_id = context.user()?;
            if context.site.config.operators.contains(&user_id) {
                Ok(())
            } else {
                Err(Fault::NotFound)
            }
        }
        Access::Staff(permissions) => {
            let user_id = context.user()?;
            let age = if context.method == Method::POST {
                Age::Now
            } else {
                Age::Recent
            };
            let staff = context.site.staff(context.guild()?, user_id, age).await?;
            let staff = context.staff.insert(staff.ok_or(Fault::NotFound)?);
            if staff.may(permissions) {
                Ok(())
            } else {
                Err(Fault::Denied(permissions))
            }
        }
    }
}

/// The page that explains why there is no other.
fn explain(context: &Context, route: Option<&Route>, fault: Fault) -> Answer {
    if api::is_for_programs(&context.path) {
        if let Fault::Store(error) = &fault {
            let page = route.map_or("other", |route| route.path);
            tracing::warn!(%error, web.page = page, "a program needs the database");
        }
        return api::explain(&fault);
    }
    let key = match fault {
        Fault::SignIn if context.site.oauth.is_some() => return to_sign_in(context),
        Fault::NotFound | Fault::SignIn | Fault::NoToken | Fault::NotInToken(_) => {
            (StatusCode::NOT_FOUND, "web-error-not-found")
        }
        Fault::Denied(missing) => {
            let answer = layout::denied(context, missing);
            return answer.with_status(StatusCode::FORBIDDEN);
        }
        Fault::NoForm => {
            let answer = layout::problem(context, &context.text("web-error-not-found"));
            return answer
                .with_status(StatusCode::METHOD_NOT_ALLOWED)
                .with_header(ALLOW, "GET");
        }
        Fault::Foreign => (StatusCode::FORBIDDEN, "web-error-foreign"),
        Fault::Bad(reason) => return layout::problem(context, &reason).with_status(StatusCode::BAD_REQUEST),
        Fault::TooMany => {
            let answer = layout::problem(context, &context.text("web-error-too-many"));
            return answer
                .with_status(StatusCode::TOO_MANY_REQUESTS)
                .with_header(RETRY_AFTER, "10");
        }
        Fault::Busy => {
            let answer = layout::problem(context, &context.text("web-error-away"));
            return answer
                .with_status(StatusCode::SERVICE_UNAVAILABLE)
                .with_header(RETRY_AFTER, "5");
        }
        Fault::Store(error) => {
            let page = route.map_or("other", |route| route.path);
            tracing::warn!(%error, web.page = page, "a page needs the database");
            (StatusCode::SERVICE_UNAVAILABLE, "web-error-away")
        }
        Fault::Rest(error) => {
            let page = route.map_or("other", |route| route.path);
            tracing::info!(%error, web.page = page, "a page needs Discord");
            (StatusCode::SERVICE_UNAVAILABLE, "web-error-discord")
        }
    };
    layout::problem(context, &context.text(key.1)).with_status(key.0)
}

/// After signing in, the browser returns to the page; after a form, to the page with that form.
fn to_sign_in(context: &Context) -> Answer {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("to", context.path())
        .finish();
    Answer::see_other(&format!("/sign-in?{query}"))
}

/// An answer without anything that needs the request, which has been lost.
fn failure(language: Language, status: StatusCode, key: &str) -> Answer {
    let text = language.text(key);
    Answer::bytes("text/plain; charset=utf-8", text).with_status(status)
}

/// The first language of the browser that there is.
fn language(headers: &HeaderMap) -> Language {
    let accepted = headers
        .get("accept-language")
        .and_then(|value| value.to_str().ok());
    let mut locales: Vec<(&str, f32)> = accepted
        .unwrap_or_default()
        .split(',')
        .take(20)
        .map(|item| {
            let (locale, quality) = item.split_once(";q=").unwrap_or((item, "1"));
            (locale.trim(), quality.trim().parse().unwrap_or(0.0))
        })
        .collect();
    locales.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let mut known = locales
        .into_iter()
        .filter_map(|(locale, _)| Language::of_locale(locale));
    known.next().unwrap_or(Language::English)
}

#[cfg(test)]
mod tests {
    use hyper::{HeaderMap, header::HeaderValue};

    use super::{Language, language};

    #[test]
    fn the_browser_s_first_known_language() {
        for (accepted, expected) in [
            ("", Language::English),
            ("de-AT,de;q=0.9,en;q=0.8", Language::German),
            ("fr, en;q=0.3, de;q=0.7", Language::German),
            ("fr", Language::English),
            ("de;q=x, en;q=0.1", Language::English),
            ("*;q=0.5", Language::English),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("accept-language", HeaderValue::from_static(accepted));
            assert_eq!(language(&headers), expected, "{accepted}");
        }
    }
}
