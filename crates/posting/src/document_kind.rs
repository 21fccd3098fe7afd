//! The two sales documents of Sage, and what each is called there and by people.

use messages::message;

/// Which of Sage's two sales documents it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DocumentKind {
    /// Magento's invoice becomes a sales invoice.
    Invoice,
    /// Magento's credit memo becomes a sales credit note.
    CreditNote,
}

/// How Sage's API names one kind of document.
pub(crate) struct ApiNames {
    /// The call, whose answer's id later calls use.
    pub call: &'static str,
    /// The list.
    pub path: &'static str,
    /// The wrapper of the body.
    pub wrapper: &'static str,
    /// The field of the body that holds the lines.
    pub lines: &'static str,
}

impl DocumentKind {
    /// What people know it as.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Invoice => message!(document_names.invoice),
            Self::CreditNote => message!(document_names.credit_memo),
        }
    }

    /// What Sage knows it as.
    pub fn api_names(self) -> ApiNames {
        match self {
            Self::Invoice => ApiNames {
                call: "invoice",
                path: "/sales_invoices",
                wrapper: "sales_invoice",
                lines: "invoice_lines",
            },
            Self::CreditNote => ApiNames {
                call: "creditmemo",
                path: "/sales_credit_notes",
                wrapper: "sales_credit_note",
                lines: "credit_note_lines",
            },
        }
    }
}
