//! A connection: the client, a business, and where its tokens come from.

use async_trait::async_trait;
use backon::Retryable;
use messages::message;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::SemaphorePermit;
use url::Url;

use crate::{Answer, Client, Error, FailedCall, client::Outgoing};

/// Entries a page: the most that Sage gives (its guide on pagination).
const PAGE: &str = "200";

/// The most pages that are followed: 100,000 entries.
const MOST_PAGES: usize = 500;

/// Where the tokens of a connection come from. The worker implements it over store and vault, with one refresher a connection.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// A token that is good for a while.
    async fn access_token(&self) -> Result<SecretString, Error>;

    /// A token in place of one that Sage has refused; not `stale` itself, even where its time is not up.
    async fn refresh_after_401(&self, stale: &SecretString) -> Result<SecretString, Error>;
}

/// A token that was bought just now, for the calls before the business is chosen. It is never refreshed.
#[derive(Clone, Debug)]
pub struct FixedToken(pub SecretString);

#[async_trait]
impl TokenSource for FixedToken {
    async fn access_token(&self) -> Result<SecretString, Error> {
        Ok(self.0.clone())
    }

    async fn refresh_after_401(&self, _stale: &SecretString) -> Result<SecretString, Error> {
        Err(Error::Reauthorise { reason: "a token without a refresh token was refused".to_owned() })
    }
}

/// A call that may be sent at once: its token is fresh and its turn has come. Whatever must be true when the bytes go out is looked at
/// after this was had, for both may be waited for.
pub struct Ready<'a> {
    connection: Connection<'a>,
    token: SecretString,
    permit: SemaphorePermit<'a>,
}

impl Ready<'_> {
    /// Sends a call, once.
    pub async fn send(
        &self,
        method: domain::plan::Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Error> {
        let method = match method {
            domain::plan::Method::Post => Method::POST,
            domain::plan::Method::Put => Method::PUT,
            domain::plan::Method::Delete => Method::DELETE,
        };
        let connection = self.connection;
        let call = Outgoing { method, path, writes: true, business: connection.business_id };
        let url = connection.url(path, &[]).ok_or_else(|| outside(path))?;
        let request =
            connection.client.request(call.method.clone(), url).bearer_auth(self.token.expose_secret());
        let request = call.named(request);
        let request = if let Some(body) = body { request.json(body) } else { request };
        connection.client.send_admitted(&call, request).await
    }

    /// The same after Sage has refused the token: with another one, and another turn. What Sage refused for its token it has not done.
    pub async fn refreshed(self) -> Result<Self, Error> {
        let Self { connection, token, permit } = self;
        drop(permit);
        let token = connection.tokens.refresh_after_401(&token).await?;
        let permit = connection.client.limits.admit(connection.business_id).await?;
        Ok(Self { connection, token, permit })
    }
}

/// A business of Sage's, as one merchant's tokens reach it.
#[derive(Clone, Copy)]
pub struct Connection<'a> {
    client: &'a Client,
    business_id: Option<&'a str>,
    tokens: &'a dyn TokenSource,
}

impl<'a> Connection<'a> {
    /// Calls for this business.
    pub fn new(client: &'a Client, business_id: &'a str, tokens: &'a dyn TokenSource) -> Self {
        Self { client, business_id: Some(business_id), tokens }
    }

    /// Calls before the business is chosen: [`Connection::businesses`], [`Connection::user`]. Others would reach the lead
    /// business.
    pub fn without_business(client: &'a Client, tokens: &'a dyn TokenSource) -> Self {
        Self { client, business_id: None, tokens }
    }

    /// The business that is named to Sage.
    pub fn business_id(&self) -> Option<&'a str> {
        self.business_id
    }

    pub(crate) fn client(&self) -> &'a Client {
        self.client
    }

    /// Reads. Tried again a little by itself.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Error> {
        self.call(path, query).await
    }

    /// Waits for a token and for the turn of a call that changes something.
    pub async fn ready(&self) -> Result<Ready<'a>, Error> {
        let token = self.tokens.access_token().await?;
        let permit = self.client.limits.admit(self.business_id).await?;
        Ok(Ready { connection: *self, token, permit })
    }

    /// Reads a whole list, page by page. It ends where `$next` is null: a page past the end is the last page again (Sage's
    /// guide on pagination).
    pub async fn list_all(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, Error> {
        let mut query = query.to_vec();
        query.push(("items_per_page", PAGE));
        let mut items = Vec::new();
        let mut answer = self.get(path, &query).await?;
        for _ in 0..MOST_PAGES {
            let next = answer.body.get("$next").and_then(Value::as_str).map(str::to_owned);
            match take_items(&mut answer.body) {
                Some(page) => items.extend(page),
                None => return Err(unreadable(answer, message!(sage_answers.not_a_list))),
            }
            let Some(next) = next else { return Ok(items) };
            answer = self.get(&next, &[]).await?;
        }
        Err(unreadable(answer, message!(sage_answers.endless)))
    }

    /// One read, with one refresh and one repeat after a 401.
    async fn call(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Error> {
        let call = Outgoing { method: Method::GET, path, writes: false, business: self.business_id };
        let url = self.url(path, query).ok_or_else(|| outside(path))?;
        let token = self.tokens.access_token().await?;
        match self.tries(&call, &url, &token).await {
            Err(Error::Unauthorised(_)) => {
                let fresh = self.tokens.refresh_after_401(&token).await?;
                self.tries(&call, &url, &fresh).await
            }
            result => result,
        }
    }

    /// A read is tried a few times.
    async fn tries(&self, call: &Outgoing<'_>, url: &Url, token: &SecretString) -> Result<Answer, Error> {
        let once = || {
            let request =
                self.client.request(call.method.clone(), url.clone()).bearer_auth(token.expose_secret());
            self.client.send(call, call.named(request))
        };
        once.retry(self.client.repeats()).when(Error::is_worth_another_try).await
    }

    /// The URL of a path below the API's base; `None` when it leads elsewhere, where a token must not go. `$next` is relative to
    /// the base ("/products?page=2"), though it is taken with the base in front as well.
    fn url(&self, path: &str, query: &[(&str, &str)]) -> Option<Url> {
        let api = &self.client.endpoints.api;
        let base = api.path().trim_end_matches('/');
        let path = path.strip_prefix(api.as_str().trim_end_matches('/')).unwrap_or(path);
        let path =
            path.strip_prefix(base).filter(|rest| !base.is_empty() && rest.starts_with('/')).unwrap_or(path);
        let (path, own_query) =
            path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        if !path.starts_with('/') || path.starts_with("//") || path.contains('\\') {
            return None;
        }
        let mut url = api.clone();
        url.set_path(&format!("{base}{path}"));
        url.set_query(own_query);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url.path().strip_prefix(base)?.starts_with('/').then_some(url)
    }
}

/// A path that leads where a token must not go.
fn outside(path: &str) -> Error {
    let failed_call = Box::new(FailedCall { path: path.to_owned(), ..FailedCall::default() });
    Error::InvalidResponse { what: message!(sage_answers.outside), failed_call }
}

/// The entries of a list: `$items` of its envelope, or the plain array that the swagger declares.
fn take_items(body: &mut Value) -> Option<Vec<Value>> {
    let list = match body {
        Value::Object(envelope) => envelope.get_mut("$items")?,
        other => other,
    };
    match list.take() {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

/// A good answer that is not what was asked for.
pub(crate) fn unreadable(answer: Answer, what: &'static str) -> Error {
    let Answer { method, path, status, request_id, duration, .. } = answer;
    let failed_call =
        FailedCall { method, path, status: Some(status), request_id, duration, ..FailedCall::default() };
    Error::InvalidResponse { what, failed_call: Box::new(failed_call) }
}

#[cfg(test)]
mod tests;
