//! A sign-in page without a browser: a real store with one account, and a clock that is set by hand.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    environment::Environment,
    ids::{MemberId, OrganisationId, PersonId},
    run::Role,
};
use secrecy::{ExposeSecret, SecretString};
use services::{
    client_info::Caller,
    sealing::Sealing,
    second_factor,
    session::{self, Opened},
    tokens,
};
use store::{
    Member, Members, NewMember, Organisation, Organisations, SecondFactors, Sessions, SignedIn, Store,
};
use store_sqlite::SqliteStore;
use tempfile::TempDir;
use totp_rs::{Builder, Secret};
use vault::KeyRing;
use views::error::AppError;

use crate::{EMAIL, PASSWORD};

/// A store with one account, and a clock that stands where it is put.
pub(crate) struct SignInPage {
    pub(crate) store: SqliteStore,
    pub(crate) sealing: Sealing,
    pub(crate) member: Member,
    pub(crate) seconds: AtomicI64,
    drawn: AtomicU64,
    _folder: TempDir,
}

impl Environment for SignInPage {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_607_200 + self.seconds.load(Ordering::Relaxed), 0).unwrap()
    }

    fn random(&self, bytes: &mut [u8]) {
        let count = self.drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (byte, counted) in bytes.iter_mut().rev().zip(count.iter().rev().chain(std::iter::repeat(&0))) {
            *byte = *counted;
        }
    }
}

/// What nonces are made of: nothing is sealed twice here.
pub(crate) struct Nonces;

impl Environment for Nonces {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(0xa5);
    }
}

impl SignInPage {
    pub(crate) async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("ledger.db")).await.unwrap();
        store.migrate().await.unwrap();
        let member = Member {
            id: MemberId::default(),
            person_id: PersonId::default(),
            organisation_id: OrganisationId::default(),
            email: EMAIL.to_owned(),
            proved_at: Some(DateTime::UNIX_EPOCH),
            name: "Ada".to_owned(),
            role: Role::Owner,
            created_at: DateTime::UNIX_EPOCH,
        };
        let (seconds, drawn) = (AtomicI64::new(0), AtomicU64::new(1));
        let keys = KeyRing::parse(&KeyRing::generate([7; 32], "test")).unwrap();
        let sealing = Sealing::new(Arc::new(keys), Arc::new(Nonces));
        let sign_in_page = Self { store, sealing, member, seconds, drawn, _folder: folder };
        let organisation = Organisation {
            id: sign_in_page.member.organisation_id,
            name: "Blue Mug Ltd".to_owned(),
            created_at: DateTime::UNIX_EPOCH,
        };
        sign_in_page.store.create_organisation(&organisation).await.unwrap();
        let password_hash = session::hash_password(PASSWORD, &sign_in_page).unwrap();
        let new = NewMember { member: sign_in_page.member.clone(), password_hash };
        sign_in_page.store.create_member(&new, None).await.unwrap();
        sign_in_page
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        self.seconds.fetch_add(time.num_seconds(), Ordering::Relaxed);
    }

    pub(crate) async fn try_from(
        &self,
        client: &str,
        email: &str,
        password: &str,
    ) -> Result<Opened, AppError> {
        let caller = Caller {
            address: client.parse().ok(),
            browser: "Firefox on Linux".to_owned(),
            frame: None,
            device: None,
        };
        session::sign_in(&self.store, self, &caller, email, password.to_owned()).await
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Result<Opened, AppError> {
        self.try_from("192.0.2.1", email, password).await
    }

    pub(crate) async fn refused(&self, email: &str, password: &str) -> AppError {
        self.sign_in(email, password).await.unwrap_err()
    }

    pub(crate) async fn enter(&self, token: &str, code: &str) -> Result<String, AppError> {
        let caller =
            Caller { address: None, browser: "Firefox on Linux".to_owned(), frame: None, device: None };
        second_factor::sign_in(&self.store, self, &self.sealing, &caller, (token, code)).await
    }

    pub(crate) async fn of_session(&self, token: &str) -> Option<SignedIn> {
        self.store.signed_in(&tokens::token_hash(token), self.now()).await.unwrap()
    }

    /// Puts a second factor in force; returns its secret and the recovery codes.
    pub(crate) async fn with_second_factor(&self) -> (SecretString, Vec<String>) {
        let secret = second_factor::new_secret(self);
        let envelope = second_factor::seal(&self.sealing, self.member.person_id, &secret).unwrap();
        self.store.begin_second_factor(self.member.person_id, &envelope, self.now()).await.unwrap();
        let (codes, hashes) = second_factor::new_recovery_codes(self);
        self.store
            .confirm_second_factor(self.member.person_id, 1, 0, &hashes, (self.now(), None), &[])
            .await
            .unwrap();
        (secret, codes)
    }

    /// What the authenticator app shows now.
    pub(crate) fn shown(&self, secret: &SecretString) -> String {
        let secret = Secret::try_from_base32(secret.expose_secret()).unwrap();
        let totp = Builder::new().with_secret(secret).build().unwrap();
        totp.generate(u64::try_from(self.now().timestamp()).unwrap()).to_string()
    }

    pub(crate) async fn code_asked(&self) -> String {
        match self.sign_in(EMAIL, PASSWORD).await.unwrap() {
            Opened::CodeAsked(token) => token,
            Opened::Session(_) => unreachable!("a code must be asked for"),
        }
    }
}
