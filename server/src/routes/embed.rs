//! `/embed/{tenant_id}`: a shop's history within Magento's admin. Only that shop's origin may frame it; its forms are answered here.

use std::sync::Arc;

use app::{context::FramedBy, pages};
use axum::{
    Form,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::{LeptosOptions, provide_context};
use leptos_axum::render_app_async_with_context;
use serde::Deserialize;
use services::{
    Services,
    client_info::Caller,
    embed::{self, SignInRedirect},
};
use store::Binding;
use url::Url;
use views::{
    embed::{EmbedPart, EmbedQuery, EmbedView},
    error::AppError,
};

/// `GET /embed/{tenant_id}`: the history, or the way in.
pub async fn page(
    State(services): State<Services>,
    State(options): State<LeptosOptions>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let frame = match Frame::of(services, options, &tenant).await {
        Ok(frame) => frame,
        Err(response) => return response,
    };
    let query = EmbedQuery::read(uri.query().unwrap_or_default());
    let view = embed::open(&frame.services, &frame.binding, &headers, query).await;
    frame.show(view).await
}

/// What the sign-in sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SignInForm {
    email: String,
    password: String,
}

/// `POST /embed/{tenant_id}/sign-in`: e-mail address and password.
pub async fn sign_in(
    State(services): State<Services>,
    State(options): State<LeptosOptions>,
    Path(tenant): Path<String>,
    parts: Parts,
    Form(form): Form<SignInForm>,
) -> Response {
    let frame = match Frame::of(services, options, &tenant).await {
        Ok(frame) => frame,
        Err(response) => return response,
    };
    let caller = Caller::within(&parts, embed::frame(&frame.binding));
    let answer = embed::sign_in(&frame.services, &frame.binding, &caller, &form.email, form.password).await;
    frame.answer(answer, |error| EmbedPart::SignIn(Some(error))).await
}

/// What the second step sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct CodeForm {
    code: String,
}

/// `POST /embed/{tenant_id}/code`: the code of the second factor.
pub async fn code(
    State(services): State<Services>,
    State(options): State<LeptosOptions>,
    Path(tenant): Path<String>,
    parts: Parts,
    Form(form): Form<CodeForm>,
) -> Response {
    let frame = match Frame::of(services, options, &tenant).await {
        Ok(frame) => frame,
        Err(response) => return response,
    };
    let caller = Caller::within(&parts, embed::frame(&frame.binding));
    let answer = embed::give_code(&frame.services, &frame.binding, &caller, &parts.headers, &form.code).await;
    frame.answer(answer, |error| EmbedPart::Code(Some(error))).await
}

/// `POST /embed/{tenant_id}/sign-out`: the way out.
pub async fn sign_out(
    State(services): State<Services>,
    State(options): State<LeptosOptions>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    let frame = match Frame::of(services, options, &tenant).await {
        Ok(frame) => frame,
        Err(response) => return response,
    };
    let answer = embed::sign_out(&frame.services, &frame.binding, &headers).await;
    frame.answer(answer, EmbedPart::Problem).await
}

/// A binding whose frame is asked for, and what it is answered with.
struct Frame {
    services: Services,
    options: LeptosOptions,
    binding: Binding,
    framed_by: FramedBy,
}

impl Frame {
    /// The desk of a tenant, or the answer where there is none.
    async fn of(services: Services, options: LeptosOptions, tenant: &str) -> Result<Self, Response> {
        let found = match tenant.parse() {
            Ok(id) => services.store.binding(id).await.map_err(AppError::from),
            Err(_) => Ok(None),
        };
        match found {
            Ok(Some(binding)) => match origin(&binding.magento_url) {
                Some(origin) => Ok(Self { services, options, binding, framed_by: FramedBy(origin) }),
                None => Err(nowhere(services, options).await),
            },
            Ok(None) => Err(nowhere(services, options).await),
            Err(error) => Err((status(&error), error.code.sentence()).into_response()),
        }
    }

    async fn show(self, view: EmbedView) -> Response {
        let status = match &view.part {
            EmbedPart::Problem(error) => status(error),
            _ => StatusCode::OK,
        };
        let view = Arc::new(view);
        let (services, framed_by, options) = (self.services, self.framed_by, self.options);
        let render = render_app_async_with_context(
            move || {
                provide_context(services.clone());
                provide_context(framed_by.clone());
            },
            move || pages::embed::shell(options.clone(), &view),
        );
        let mut response = render(Request::new(Body::empty())).await;
        *response.status_mut() = status;
        response
    }

    /// Leads on, or shows the form again with what is wrong.
    async fn answer(
        self,
        answer: Result<SignInRedirect, AppError>,
        again: impl FnOnce(AppError) -> EmbedPart,
    ) -> Response {
        match answer {
            Ok(SignInRedirect { cookies, to }) => {
                let mut response = Redirect::to(&to).into_response();
                for cookie in cookies {
                    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                        response.headers_mut().append(header::SET_COOKIE, cookie);
                    }
                }
                response
            }
            Err(error) => {
                let path = embed::path(&self.binding);
                self.show(EmbedView { path, part: again(error) }).await
            }
        }
    }
}

/// The origin of a shop's address.
fn origin(shop: &str) -> Option<String> {
    let origin = Url::parse(shop).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

/// The page that says that there is none, which nobody may frame.
async fn nowhere(services: Services, options: LeptosOptions) -> Response {
    let render = render_app_async_with_context(
        move || provide_context(services.clone()),
        move || app::shell(options.clone()),
    );
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::from_static("/embed");
    render(request).await
}

fn status(error: &AppError) -> StatusCode {
    StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let told = |shop| origin(shop).unwrap_or_default();
        assert_eq!(told("https://shop.example/magento"), "https://shop.example");
        assert_eq!(told("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(told("data:text/html,x"), "");
    }
}
