use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::*;

fn mail(url: &str, from: &str) -> Result<Mail, MailError> {
    Mail::new(&SecretString::from(url.to_owned()), from)
}

#[test]
fn a_password_never_goes_out_in_the_open() {
    let from = "Ledger <ledger@shop.example>";
    for url in [
        "smtps://me:secret@mail.example",
        "smtp://me:secret@mail.example:587?tls=required",
        "smtp://mail.example",
        "smtp://me:secret@localhost:2525",
    ] {
        assert!(mail(url, from).is_ok(), "{url}");
    }
    for url in ["smtp://me:secret@mail.example", "smtp://me:secret@mail.example?tls=opportunistic"] {
        assert!(matches!(mail(url, from), Err(MailError::Open)), "{url}");
    }
    for url in ["", "mail.example", "https://mail.example", "smtps://"] {
        assert!(matches!(mail(url, from), Err(MailError::Url)), "{url}");
    }
    assert!(matches!(mail("smtp://localhost", "nobody"), Err(MailError::From)));
}

#[test]
fn what_cannot_be_used_is_told_without_the_password() {
    let error = mail("smtp://me:secret@mail.example", "ledger@shop.example").err().unwrap();
    assert!(!error.to_string().contains("secret"), "{error}");
}

/// What a server says to a verb, or as its greeting, in place of what is usual.
type Said = (&'static str, &'static str);

async fn talk(line: TcpStream, said: &[Said]) -> std::io::Result<()> {
    let (reading, mut writing) = line.into_split();
    let mut lines = BufReader::new(reading).lines();
    let usual = [
        ("greeting", "220 ready"),
        ("EHLO", "250-here\r\n250 AUTH PLAIN"),
        ("AUTH", "235 welcome"),
        ("MAIL", "250 ok"),
        ("RCPT", "250 ok"),
        ("DATA", "354 go on"),
        (".", "250 taken"),
        ("NOOP", "250 ok"),
        ("QUIT", "221 bye"),
    ];
    let answer =
        |verb: &str| said.iter().chain(&usual).find(|(name, _)| *name == verb).map(|(_, answer)| *answer);
    writing.write_all(format!("{}\r\n", answer("greeting").unwrap()).as_bytes()).await?;
    while let Some(command) = lines.next_line().await? {
        let verb = command.split(' ').next().unwrap_or_default();
        if let Some(answer) = answer(verb) {
            writing.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
    }
    Ok(())
}

/// What comes of a letter to a server that says this.
async fn sent(options: (&str, &str), said: &'static [Said]) -> Result<(), Refusal> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (scheme, query) = options;
    let port = listener.local_addr().unwrap().port();
    let url = format!("{scheme}://me:secret@localhost:{port}{query}");
    let server = tokio::spawn(async move {
        while let Ok((line, _)) = listener.accept().await {
            tokio::spawn(talk(line, said));
        }
    });
    let email_message = EmailMessage {
        id: "1".to_owned(),
        subject: "A document needs you".to_owned(),
        text: "Look at it.".to_owned(),
        html: "<p>Look at it.</p>".to_owned(),
    };
    let sent = mail(&url, "ledger@shop.example")
        .unwrap()
        .send("ada@shop.example", &email_message, "https://x")
        .await;
    server.abort();
    sent
}

#[tokio::test]
async fn a_set_up_that_is_wrong_is_told_and_loses_no_letter() {
    for (said, sentence) in [
        (
            &[("AUTH", "535 5.7.8 no")] as &[Said],
            "The mail server does not accept Ledger\u{2019}s user name or password (535).",
        ),
        (
            &[("AUTH", "534 too weak")],
            "The mail server does not accept Ledger\u{2019}s user name or password (534).",
        ),
        (
            &[("AUTH", "538 encrypt")],
            "The mail server does not accept Ledger\u{2019}s user name or password (538).",
        ),
        (&[("MAIL", "530 sign in")], "The mail server requires a user name and password, or TLS (530)."),
        (&[("greeting", "554 not you")], "The mail server does not accept connections from Ledger (554)."),
        (&[("EHLO", "550 not you")], "The mail server does not accept connections from Ledger (550)."),
        (&[("AUTH", "550 not you")], "The mail server does not accept connections from Ledger (550)."),
        (&[("EHLO", "250 here")], "The mail server offers no sign-in method that Ledger supports."),
        (&[("RCPT", "451 later")], "The mail server does not accept the message at the moment (451)."),
    ] {
        assert_eq!(sent(("smtp", ""), said).await, Err(Refusal::again(sentence)), "{said:?}");
    }
}

#[tokio::test]
async fn it_is_tried_without_a_letter_whether_the_server_lets_us_in() {
    async fn signed_in(said: &'static [Said]) -> Result<(), Refusal> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://me:secret@localhost:{}", listener.local_addr().unwrap().port());
        let server = tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                tokio::spawn(talk(line, said));
            }
        });
        let signed_in = mail(&url, "ledger@shop.example").unwrap().sign_in().await;
        server.abort();
        signed_in
    }
    // No letter is begun: it would be refused here.
    assert_eq!(signed_in(&[("MAIL", "550 a letter")]).await, Ok(()));
    let sentence = "The mail server does not accept Ledger\u{2019}s user name or password (535).";
    assert_eq!(signed_in(&[("AUTH", "535 no")]).await, Err(Refusal::again(sentence)));
}

/// A server that takes the connection and says nothing.
#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://localhost:{}", listener.local_addr().unwrap().port());
    let begun = tokio::time::Instant::now();
    let tried = mail(&url, "ledger@shop.example").unwrap().sign_in().await;
    assert!(matches!(tried, Err(Refusal::Silent(_))), "{tried:?}");
    assert!(begun.elapsed() <= PATIENCE + Duration::from_secs(1));
}

#[tokio::test]
async fn a_letter_that_is_refused_is_not_sent_again() {
    for said in [&[("RCPT", "550 unknown")] as &[Said], &[("DATA", "554 spam")], &[(".", "552 too large")]] {
        let refusal = sent(("smtp", ""), said).await.unwrap_err();
        assert!(matches!(refusal, Refusal::Final(_)), "{said:?}: {refusal}");
    }
    assert_eq!(sent(("smtp", ""), &[]).await, Ok(()));
}

#[tokio::test]
async fn a_port_without_tls_is_named() {
    let starttls = sent(("smtp", "?tls=required"), &[]).await.unwrap_err().to_string();
    assert_eq!(starttls, "The mail server does not offer STARTTLS. Check its port, or use smtps://.");
    let wrapped = sent(("smtps", ""), &[]).await.unwrap_err().to_string();
    assert_eq!(wrapped, "Ledger and the mail server cannot agree on TLS on this port. Check the port.");
}
