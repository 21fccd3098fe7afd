//! A mail server that keeps what it is given: enough of SMTP (RFC 5321) for a client that sends without a password.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{Json, Router, extract::State, routing::get};
use serde::Serialize;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// A message as it arrived.
#[derive(Clone, Debug, Serialize)]
pub struct Mail {
    /// To whom.
    pub to: Vec<String>,
    /// Head and body, with soft line breaks joined.
    pub text: String,
}

type Mails = Arc<Mutex<Vec<Mail>>>;

fn locked(mails: &Mails) -> MutexGuard<'_, Vec<Mail>> {
    mails.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A mail server that runs until it is dropped.
pub struct Running {
    smtp: String,
    control: String,
    mails: Mails,
    stop: CancellationToken,
    _tasks: [AbortOnDropHandle<()>; 2],
}

impl Running {
    /// Its address, as a client takes it.
    pub fn smtp_url(&self) -> &str {
        &self.smtp
    }

    /// Where its messages can be read: `/_sim/mails`.
    pub fn url(&self) -> &str {
        &self.control
    }

    /// The messages that have arrived, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        locked(&self.mails).clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Starts a mail server on free ports of this machine.
pub async fn start() -> io::Result<Running> {
    let (smtp, control) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
    let (mails, stop) = (Mails::default(), CancellationToken::new());
    let urls = (format!("smtp://{}", smtp.local_addr()?), format!("http://{}", control.local_addr()?));
    let list = async |State(mails): State<Mails>| Json(locked(&mails).clone());
    let router = Router::new().route("/_sim/mails", get(list)).with_state(Arc::clone(&mails));
    let (kept, stopped) = (Arc::clone(&mails), stop.clone());
    let taking = tokio::spawn(async move {
        while let Ok((line, _)) = smtp.accept().await {
            let kept = Arc::clone(&kept);
            let talk = stopped.clone().run_until_cancelled_owned(async move { talk(line, &kept).await });
            tokio::spawn(talk);
        }
    });
    let showing = tokio::spawn(async move {
        if let Err(error) = axum::serve(control, router).await {
            tracing::error!(%error, "the mail simulator's controls ended");
        }
    });
    let tasks = [AbortOnDropHandle::new(taking), AbortOnDropHandle::new(showing)];
    Ok(Running { smtp: urls.0, control: urls.1, mails, stop, _tasks: tasks })
}

/// One connection.
async fn talk(line: TcpStream, mails: &Mails) -> io::Result<()> {
    let (reading, mut writing) = line.into_split();
    let mut lines = BufReader::new(reading).lines();
    let mut to = Vec::new();
    writing.write_all(b"220 simulator\r\n").await?;
    while let Some(command) = lines.next_line().await? {
        let verb = command.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "EHLO" | "HELO" | "MAIL" | "RSET" | "NOOP" => b"250 OK\r\n",
            "RCPT" => {
                let address = command.split(['<', '>']).nth(1).unwrap_or_default();
                to.push(address.to_owned());
                b"250 OK\r\n"
            }
            "DATA" => {
                writing.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while let Some(part) = lines.next_line().await?.filter(|part| part != ".") {
                    text.push_str(part.strip_prefix('.').unwrap_or(&part));
                    text.push('\n');
                }
                let text = text.replace("=\n", "");
                locked(mails).push(Mail { to: std::mem::take(&mut to), text });
                b"250 kept\r\n"
            }
            "QUIT" => {
                writing.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => b"502 not known here\r\n",
        };
        writing.write_all(answer).await?;
    }
    Ok(())
}
