//! Who is let in where.

use domain::run::Role;

use Body::{Form, Json, Nothing};
use Door::{Everybody, Shop, Since};

/// Who is let in.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Door {
    /// Whoever comes: it shows nothing and changes nothing of an organisation's.
    Everybody,
    /// A shop with its token; browsers are strangers there.
    Shop,
    /// A member of the organisation, from this role on.
    Since(Role),
}

/// What is sent; `{binding}`, `{run}` and `{member}` stand for those of the stage.
#[derive(Clone, Copy)]
pub(super) enum Body {
    Nothing,
    Form(&'static [(&'static str, &'static str)]),
    Json(&'static str),
}

const VIEWER: Door = Since(Role::Viewer);
const OPERATOR: Door = Since(Role::Operator);
const ACCOUNTANT: Door = Since(Role::Accountant);
const OWNER: Door = Since(Role::Owner);

/// Method and path as the router names it, who is let in, what is sent, and the path that is called where it differs.
pub(super) type Line = (&'static str, Door, Body, &'static str);

/// A save that everything would accept, were it allowed.
const SETTINGS: &[(&str, &str)] =
    &[("binding", "{binding}"), ("replaces", "1"), ("invoice_number_prefix", "KNOCK-")];

/// Who is let in where: one line an address.
pub(super) const DOORS: &[Line] = &[
    // What Magento and the operators' machines call.
    (
        "POST /webhooks/magento/{tenant_id}/{event}",
        Shop,
        Json("{}"),
        "/webhooks/magento/{binding}/invoice.created",
    ),
    ("GET /v1/status", Shop, Nothing, "/v1/status?entity_type=invoice&entity_id=1"),
    ("GET /v1/tile/health", Shop, Nothing, ""),
    ("POST /v1/tenant/disconnect", Shop, Json("{}"), ""),
    ("GET /healthz", Everybody, Nothing, ""),
    ("GET /readyz", Everybody, Nothing, ""),
    // For this machine alone; `server/src/routes/metrics.rs` tests who else is refused.
    ("GET /metrics", Everybody, Nothing, ""),
    // What browsers call and what is no page.
    ("GET /live", VIEWER, Nothing, ""),
    ("GET /dashboard/sync/export.csv", VIEWER, Nothing, ""),
    ("GET /dashboard/sync/export.json", VIEWER, Nothing, ""),
    ("GET /oauth/sage/callback", OWNER, Nothing, "/oauth/sage/callback?code=GB%2F1&state={binding}.00"),
    // Pages.
    ("GET /", Everybody, Nothing, ""),
    ("GET /sign-in", Everybody, Nothing, ""),
    ("GET /dashboard", VIEWER, Nothing, ""),
    ("GET /dashboard/sync", VIEWER, Nothing, ""),
    ("GET /dashboard/sync/causes", VIEWER, Nothing, ""),
    ("GET /dashboard/sync/retry", OPERATOR, Nothing, ""),
    ("GET /dashboard/sync/retries", VIEWER, Nothing, ""),
    ("GET /dashboard/sync/retries/{id}", VIEWER, Nothing, "/dashboard/sync/retries/{bulk}"),
    ("GET /dashboard/sync/{id}", VIEWER, Nothing, "/dashboard/sync/{run}"),
    ("GET /dashboard/bindings", VIEWER, Nothing, ""),
    ("GET /dashboard/bindings/{id}", VIEWER, Nothing, "/dashboard/bindings/{binding}?check=1"),
    ("GET /dashboard/bindings/{id}/settings", VIEWER, Nothing, "/dashboard/bindings/{binding}/settings"),
    (
        "POST /dashboard/bindings/{id}/settings/file",
        ACCOUNTANT,
        Form(&[("do", "import"), ("file", "{}")]),
        "/dashboard/bindings/{binding}/settings/file",
    ),
    (
        "GET /dashboard/bindings/{id}/settings/versions",
        VIEWER,
        Nothing,
        "/dashboard/bindings/{binding}/settings/versions",
    ),
    (
        "GET /dashboard/bindings/{id}/settings/versions/{version}",
        VIEWER,
        Nothing,
        "/dashboard/bindings/{binding}/settings/versions/1",
    ),
    ("GET /dashboard/activity", OWNER, Nothing, ""),
    ("GET /dashboard/members", VIEWER, Nothing, ""),
    ("GET /dashboard/account", VIEWER, Nothing, ""),
    ("GET /dashboard/account/alerts", VIEWER, Nothing, ""),
    ("GET /invitation/{token}", Everybody, Nothing, "/invitation/nobody-has-this-token"),
    ("GET /sign-in/code", Everybody, Nothing, ""),
    ("GET /dashboard/connect-magento", VIEWER, Nothing, ""),
    ("GET /dashboard/connect-sage", OWNER, Nothing, "/dashboard/connect-sage?binding={binding}"),
    ("GET /dashboard/connecting", OWNER, Nothing, "/dashboard/connecting?binding={binding}"),
    ("GET /dashboard/{*any}", VIEWER, Nothing, "/dashboard/nothing"),
    // Within Magento's admin: who is not signed in there is asked to, whatever else they hold.
    ("GET /embed/{tenant_id}", Everybody, Nothing, "/embed/{binding}"),
    ("POST /embed/{tenant_id}/sign-in", Everybody, Form(&[]), "/embed/{binding}/sign-in"),
    ("POST /embed/{tenant_id}/code", Everybody, Form(&[("code", "000000")]), "/embed/{binding}/code"),
    ("POST /embed/{tenant_id}/sign-out", Everybody, Form(&[]), "/embed/{binding}/sign-out"),
    // Server functions.
    ("POST /api/session/sign-in", Everybody, Form(&[]), ""),
    ("POST /api/session/code", Everybody, Form(&[("code", "000000")]), ""),
    ("POST /api/invitation/read", Everybody, Json(r#"{"token":"nobody-has-this-token"}"#), ""),
    ("POST /api/invitation/accept", Everybody, Form(&[("token", "nobody-has-this-token")]), ""),
    ("POST /api/invitation/code", Everybody, Form(&[("token", "nobody-has-this-token")]), ""),
    ("POST /api/invitation/join", Everybody, Form(&[("token", "nobody-has-this-token")]), ""),
    ("POST /api/people/everybody", VIEWER, Json("{}"), ""),
    ("POST /api/people/invite", OWNER, Form(&[("email", "new@ledger.example"), ("role", "viewer")]), ""),
    ("POST /api/people/withdraw", OWNER, Form(&[("invitation", "{member}")]), ""),
    ("POST /api/people/role", OWNER, Form(&[("member", "{member}"), ("role", "operator")]), ""),
    ("POST /api/people/remove", OWNER, Form(&[("member", "{member}")]), ""),
    ("POST /api/account/own", VIEWER, Json("{}"), ""),
    ("POST /api/account/send-code", VIEWER, Form(&[]), ""),
    ("POST /api/account/prove", VIEWER, Form(&[("code", "x")]), ""),
    ("POST /api/account/password", VIEWER, Form(&[("current_password", "x")]), ""),
    ("POST /api/account/set-up", VIEWER, Form(&[("set_up_password", "x")]), ""),
    ("POST /api/account/confirm", VIEWER, Form(&[("first_code", "x")]), ""),
    ("POST /api/account/codes", VIEWER, Form(&[("codes_password", "x")]), ""),
    ("POST /api/account/switch-off", VIEWER, Form(&[("off_password", "x")]), ""),
    ("POST /api/account/end-session", VIEWER, Form(&[("session", "{member}")]), ""),
    ("POST /api/account/end-others", VIEWER, Form(&[]), ""),
    ("POST /api/alerts/own", VIEWER, Json("{}"), ""),
    ("POST /api/alerts/add-mail", VIEWER, Form(&[("email", "x")]), ""),
    ("POST /api/alerts/add-webhook", VIEWER, Form(&[("url", "x")]), ""),
    ("POST /api/alerts/confirm", VIEWER, Form(&[("channel", "{member}")]), ""),
    ("POST /api/alerts/change", VIEWER, Form(&[("channel", "{member}"), ("mode", "at_once")]), ""),
    ("POST /api/alerts/secret", VIEWER, Form(&[("channel", "{member}")]), ""),
    ("POST /api/alerts/test", VIEWER, Form(&[("channel", "{member}")]), ""),
    ("POST /api/alerts/remove", VIEWER, Form(&[("channel", "{member}")]), ""),
    ("POST /api/bindings/test", OPERATOR, Form(&[("binding", "{binding}"), ("invoice", "1")]), ""),
    ("POST /api/session/sign-out", Everybody, Form(&[]), ""),
    ("POST /api/session/theme", Everybody, Form(&[]), ""),
    ("POST /api/session/switch", VIEWER, Form(&[("member", "{member}")]), ""),
    ("POST /api/session/who", VIEWER, Form(&[]), ""),
    ("GET /api/runs/page", VIEWER, Nothing, ""),
    ("GET /api/runs/causes", VIEWER, Nothing, ""),
    ("GET /api/runs/bulk", VIEWER, Nothing, "/api/runs/bulk?id={bulk}"),
    ("POST /api/runs/retry", OPERATOR, Form(&[("run_id", "{run}")]), ""),
    ("POST /api/runs/retry-in-place", OPERATOR, Form(&[("run_id", "{run}")]), ""),
    ("POST /api/runs/causes/retry", OPERATOR, Form(&[("query", "status=failed")]), ""),
    ("POST /api/runs/retry-all", OPERATOR, Form(&[("query", "status=failed")]), ""),
    ("POST /api/runs/retry-all/cancel", OPERATOR, Form(&[("bulk", "{bulk}")]), ""),
    ("POST /api/runs/exclude", OPERATOR, Form(&[("run_id", "{run}"), ("reason", "x")]), ""),
    ("POST /api/runs/include", OPERATOR, Form(&[("run_id", "{run}")]), ""),
    ("POST /api/runs/views/save", VIEWER, Form(&[("name", "x"), ("query", "status=failed")]), ""),
    ("POST /api/runs/views/forget", VIEWER, Form(&[("name", "x")]), ""),
    ("POST /api/bindings/list", VIEWER, Json("{}"), ""),
    ("POST /api/bindings/one", VIEWER, Json(r#"{"id":"{binding}"}"#), ""),
    ("POST /api/bindings/way", OWNER, Json(r#"{"id":"{binding}"}"#), ""),
    ("POST /api/bindings/progress", OWNER, Json(r#"{"id":"{binding}"}"#), ""),
    ("POST /api/bindings/preflight", VIEWER, Json(r#"{"id":"{binding}","ask":true}"#), ""),
    ("POST /api/bindings/pair", OWNER, Form(&[("name", "x")]), ""),
    ("POST /api/bindings/consent", OWNER, Form(&[("binding", "{binding}"), ("country", "GB")]), ""),
    ("POST /api/bindings/choose", OWNER, Form(&[("binding", "{binding}"), ("business", "x")]), ""),
    ("POST /api/bindings/pause", OPERATOR, Form(&[("binding", "{binding}"), ("pause", "true")]), ""),
    ("POST /api/bindings/refresh", OPERATOR, Form(&[("binding", "{binding}")]), ""),
    ("POST /api/bindings/suggested", ACCOUNTANT, Form(&[("binding", "{binding}")]), ""),
    ("POST /api/settings/save", ACCOUNTANT, Form(SETTINGS), ""),
    ("POST /api/settings/check", VIEWER, Form(SETTINGS), ""),
    ("POST /api/settings/refresh-lists", ACCOUNTANT, Form(SETTINGS), ""),
    (
        "POST /api/settings/restore",
        ACCOUNTANT,
        Form(&[("binding", "{binding}"), ("version", "1"), ("replaces", "1")]),
        "",
    ),
    (
        "POST /api/settings/search-reference",
        VIEWER,
        Form(&[("binding", "{binding}"), ("list", "tax-rates")]),
        "",
    ),
    (
        "POST /api/bindings/disconnect",
        OWNER,
        Form(&[("binding", "{binding}"), ("password", "a password")]),
        "",
    ),
];
