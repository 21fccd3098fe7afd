//! `ledger plan`.

use std::process::Command;

use serde_json::Value;
use server::sandbox::{Options, Sandbox};

fn fixture(path: &str) -> String {
    format!("{}/../fixtures/{path}", env!("CARGO_MANIFEST_DIR"))
}

fn plan(kind: &str, file: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_ledger")).args(["plan", kind, file]).output().unwrap();
    assert!(output.status.success(), "{kind} {file}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The files that a plan defaults to are what the demo has; `UPDATE_FIXTURES=1` writes them again.
#[tokio::test(flavor = "multi_thread")]
async fn the_defaults_of_a_plan_are_the_demos() {
    let sandbox = Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap();
    let store = &sandbox.process.engine.store;
    let settings = store.current_settings(sandbox.binding.id).await.unwrap().unwrap().settings;
    for (file, value) in [
        ("demo/settings.json", serde_json::to_value(&settings).unwrap()),
        ("demo/reference.json", serde_json::to_value(&sandbox.reference).unwrap()),
    ] {
        let path = fixture(file);
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            std::fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&value).unwrap())).unwrap();
        }
        let kept: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(kept, value, "{file}");
    }
    sandbox.stop().await;
}

#[test]
fn every_sample_is_planned_and_nothing_is_touched() {
    for (kind, file, calls) in [
        ("invoice", "documents/invoice-1a.json", vec!["contact", "invoice"]),
        ("payment", "documents/payment-of-invoice-1a.json", vec!["payment"]),
        ("creditmemo", "documents/creditmemo-1a.json", vec!["creditmemo", "refund"]),
        ("customer", "documents/customer-1.json", vec!["contact"]),
    ] {
        let plan = plan(kind, &fixture(file));
        assert_eq!(plan["verdict"], "post", "{file}: {plan}");
        let names: Vec<&str> =
            plan["calls"].as_array().unwrap().iter().map(|call| call["name"].as_str().unwrap()).collect();
        assert_eq!(names, calls, "{file}");
    }
    assert_eq!(plan("product", &fixture("documents/product-MUG-BLU.json"))["code"], "products_disabled");
}

#[test]
fn a_file_that_cannot_be_read_is_exit_code_2() {
    for file in ["/nonexistent.json", &fixture("documents/product-MUG-BLU.json")] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_ledger")).args(["plan", "invoice", file]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(file));
    }
}
