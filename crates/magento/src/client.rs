//! The client of the module's calls on Magento.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{
    environment::{Environment, unless_late},
    ids::BindingId,
};
use messages::message;
use reqwest::{ClientBuilder, Method, header, redirect};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tracing::{Instrument, field::Empty};

use crate::{Error, ShopUrl, SubKeys, SyncStateBody, address::Guard, reply::Reply, token::mint};

/// How the client behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// For development: shops on loopback and private addresses are called.
    pub allow_private_addresses: bool,
    /// `User-Agent`.
    pub user_agent: String,
    /// The longest that connecting may take.
    pub connect_timeout: Duration,
    /// The longest that a whole call may take.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            allow_private_addresses: false,
            user_agent: concat!("Ledger/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
        }
    }
}

/// A paired shop: what a call needs.
#[derive(Clone, Debug)]
pub struct Shop {
    /// Its address.
    pub url: ShopUrl,
    /// The wire's `tenant_id`.
    pub tenant: BindingId,
    /// The keys that sign.
    pub keys: SubKeys,
}

/// What a call brought, with what the audit trail keeps of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched<T> {
    /// The answer.
    pub value: T,
    /// HTTP status.
    pub status: u16,
    /// From sending to the last byte, of the call that succeeded.
    pub duration: Duration,
    /// Path below `rest/V1/byte8`, such as `/invoice/42`.
    pub path: String,
    /// Seconds by which Magento's clock is ahead of ours (negative: behind), as its `Date` says; whole seconds are cut off there.
    pub clock_ahead: Option<i64>,
}

/// A payment method of the shop.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PaymentMethod {
    /// Its code, such as `checkmo`.
    pub code: String,
    /// Its name; Magento may have none.
    #[serde(default)]
    pub label: Option<String>,
    /// Whether it is switched on.
    #[serde(default)]
    pub is_active: bool,
}

/// The client; cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    allow_private_addresses: bool,
    environment: Arc<dyn Environment>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("allow_private_addresses", &self.allow_private_addresses)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client that takes time and randomness (for tokens) from `environment`.
    ///
    /// Proxies of the environment are not used: a proxy would resolve the shop's name by itself, past the check of addresses.
    pub fn new(options: Options, environment: Arc<dyn Environment>) -> Result<Self, Error> {
        let Options { allow_private_addresses, user_agent, connect_timeout, timeout } = options;
        let http = ClientBuilder::new()
            .user_agent(user_agent)
            .connect_timeout(connect_timeout)
            .timeout(timeout)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .dns_resolver(Arc::new(Guard { allow_private_addresses }))
            .build()
            .map_err(|_| Error::Setup)?;
        Ok(Self { http, allow_private_addresses, environment })
    }

    /// Reads a shop's address, as strictly as this client calls it.
    pub fn shop_url(&self, text: &str) -> Result<ShopUrl, Error> {
        ShopUrl::parse(text, self.allow_private_addresses).map_err(Error::Url)
    }

    /// Asks whether the module lives and takes our token.
    pub async fn ping(&self, shop: &Shop) -> Result<Fetched<()>, Error> {
        // The body is informational: Magento drops the keys (`[true,"<tenant>","<time>"]`).
        Ok(self.get::<Value>(shop, "/ping".to_owned()).await?.map(|_| ()))
    }

    /// The shop's payment methods.
    pub async fn payment_methods(&self, shop: &Shop) -> Result<Fetched<Vec<PaymentMethod>>, Error> {
        self.get(shop, "/payment-methods".to_owned()).await
    }

    /// An invoice as it comes.
    pub async fn invoice(&self, shop: &Shop, id: i64) -> Result<Fetched<Value>, Error> {
        self.entity(shop, "invoice", "magento_id", id).await
    }

    /// The captured payment of an invoice as it comes.
    pub async fn payment(&self, shop: &Shop, invoice_id: i64) -> Result<Fetched<Value>, Error> {
        self.entity(shop, "payment", "invoice_id", invoice_id).await
    }

    /// A credit memo as it comes.
    pub async fn creditmemo(&self, shop: &Shop, id: i64) -> Result<Fetched<Value>, Error> {
        self.entity(shop, "creditmemo", "magento_id", id).await
    }

    /// A customer as it comes. Guests (id 0) have none.
    pub async fn customer(&self, shop: &Shop, id: i64) -> Result<Fetched<Value>, Error> {
        self.entity(shop, "customer", "magento_id", id).await
    }

    /// A product as it comes.
    pub async fn product(&self, shop: &Shop, id: i64) -> Result<Fetched<Value>, Error> {
        self.entity(shop, "product", "magento_id", id).await
    }

    /// Tells Magento what became of a document. Safe to repeat, but it overwrites what was told later: it does not leave once the
    /// uptime is `latest`.
    pub async fn post_sync_state(
        &self,
        shop: &Shop,
        body: &SyncStateBody,
        latest: Duration,
    ) -> Result<Fetched<()>, Error> {
        let path = "/sync-state".to_owned();
        // Strings, integers and a date always serialise.
        let body = serde_json::to_vec(body).map_err(|_| Error::Setup)?;
        let reply = self.authorised(shop, Method::POST, &path, Some(body), latest).await?;
        reply.good_and_empty()?;
        Ok(self.fetched((), &reply, path))
    }

    /// Whatever names itself by this key. One that names itself by no whole number is left to whoever reads it.
    async fn entity(&self, shop: &Shop, kind: &str, key: &str, id: i64) -> Result<Fetched<Value>, Error> {
        let path = format!("/{kind}/{id}");
        let reply = self.authorised(shop, Method::GET, &path, None, Duration::MAX).await?;
        let fetched = self.fetched(reply.document()?, &reply, path);
        let same = fetched.value.get(key).is_some_and(|told| told.as_i64().is_none_or(|told| told == id));
        fetched.only_if(same)
    }

    async fn get<T: DeserializeOwned>(&self, shop: &Shop, path: String) -> Result<Fetched<T>, Error> {
        let reply = self.authorised(shop, Method::GET, &path, None, Duration::MAX).await?;
        let what = message!(magento_answers.other_record);
        let value = serde_json::from_value(reply.good()?)
            .map_err(|_| Error::InvalidResponse { status: reply.status, what })?;
        Ok(self.fetched(value, &reply, path))
    }

    fn fetched<T>(&self, value: T, reply: &Reply, path: String) -> Fetched<T> {
        let (status, duration, clock_ahead) = (reply.status, reply.duration, self.ahead(reply));
        Fetched { value, status, duration, path, clock_ahead }
    }

    /// A call with a token. Every refused token looks the same, so one 401 proves nothing: a second token is tried.
    async fn authorised(
        &self,
        shop: &Shop,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        latest: Duration,
    ) -> Result<Reply, Error> {
        let call = async || {
            let token = mint(&shop.keys, shop.tenant, self.environment.as_ref());
            let called = self.once(&shop.url, method.clone(), path, body.clone(), Some(token));
            unless_late(self.environment.as_ref(), latest, called).await.unwrap_or(Err(Error::Late))
        };
        let first = call().await?;
        if !first.refuses_the_token() {
            return Ok(first);
        }
        let second = call().await?;
        if !second.refuses_the_token() {
            return Ok(second);
        }
        tracing::warn!(binding = %shop.tenant, path, "Magento refused two fresh tokens");
        Err(Error::Auth { clock_ahead: self.clock_ahead(&second) })
    }

    /// Seconds by which Magento's clock is ahead of ours, where that is enough to make it refuse our tokens: they bear 30 s
    /// either way.
    fn clock_ahead(&self, reply: &Reply) -> Option<i64> {
        self.ahead(reply).filter(|ahead| ahead.abs() > 25)
    }

    fn ahead(&self, reply: &Reply) -> Option<i64> {
        Some((reply.date? - self.environment.now()).num_seconds())
    }

    /// One call.
    pub(crate) async fn once(
        &self,
        url: &ShopUrl,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        token: Option<String>,
    ) -> Result<Reply, Error> {
        // Addresses written as numbers never reach the resolver, so they are checked here.
        url.check(self.allow_private_addresses).map_err(Error::Url)?;
        let called = method.clone();
        let mut request =
            self.http.request(method, url.endpoint(path)).header(header::ACCEPT, "application/json");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        }
        let started = Instant::now();
        let span = tracing::debug_span!(
            "magento",
            otel.kind = "client",
            method = called.as_str(),
            path,
            status = Empty
        );
        let sending = async {
            let response = request.send().await.map_err(|error| Error::of_transport(&error))?;
            Reply::read(response, started).await
        };
        let result = sending.instrument(span.clone()).await;
        let status = result.as_ref().map_or_else(Error::status, |reply| Some(reply.status));
        span.record("status", status);
        metrics::magento_call(called.as_str(), path, status, started.elapsed());
        result
    }
}

impl<T> Fetched<T> {
    fn map<U>(self, to: impl FnOnce(T) -> U) -> Fetched<U> {
        let Self { value, status, duration, path, clock_ahead } = self;
        Fetched { value: to(value), status, duration, path, clock_ahead }
    }

    /// Refuses an answer that is about another document than the one asked for.
    fn only_if(self, same: bool) -> Result<Self, Error> {
        let what = message!(magento_answers.other_document);
        if same { Ok(self) } else { Err(Error::InvalidResponse { status: self.status, what }) }
    }
}

#[cfg(test)]
mod tests;
