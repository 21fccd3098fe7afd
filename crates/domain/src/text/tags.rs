//! HTML tags within a text. Only the elements of HTML are tags: `Cable <USB>` and `3 < 5` are what they look like.

/// Elements that begin a line of their own, or end a word.
const BREAKING: &str = "address article aside blockquote br dd div dl dt footer h1 h2 h3 h4 h5 h6 header hr iframe \
    img li main nav ol option p pre section table td th tr ul wbr";

/// Elements within a word.
const INLINE: &str = "a abbr acronym b bdi bdo big button center cite code del em font i input ins kbd label \
    mark nobr q s samp small span strike strong sub sup svg tbody tfoot thead time tt u var";

/// Elements whose content is not for people.
const UNSEEN: &str = "script style";

/// The text without its tags.
pub(super) fn without(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    // One comment without an end is the last that is looked for, so that no text is read more than twice.
    let mut comments_end = true;
    while let Some((before, tag)) = rest.split_once('<') {
        plain.push_str(before);
        let found = if tag.starts_with("!--") {
            let comment = if comments_end { end_of_comment(tag) } else { None };
            comments_end = comment.is_some();
            comment
        } else {
            end_of_tag(tag)
        };
        if let Some(Tag { length, is_breaking }) = found {
            plain.push_str(if is_breaking { " " } else { "" });
            rest = &tag[length..];
        } else {
            plain.push('<');
            rest = tag;
        }
    }
    plain.push_str(rest);
    plain
}

/// A tag, without its first sign.
struct Tag {
    /// Its length in bytes, with the content that is not for people.
    length: usize,
    /// Whether a word ends with it.
    is_breaking: bool,
}

fn end_of_comment(text: &str) -> Option<Tag> {
    text.find("-->").map(|at| Tag { length: at + 3, is_breaking: true })
}

/// The tag that follows a `<`, if one does.
fn end_of_tag(text: &str) -> Option<Tag> {
    let is_closing = text.starts_with('/');
    let name_at = usize::from(is_closing);
    let name_length = text[name_at..].find(|letter: char| !letter.is_ascii_alphanumeric())?;
    let name = text[name_at..name_at + name_length].to_ascii_lowercase();
    let behind = &text[name_at + name_length..];
    let is_ended =
        behind.starts_with(|letter: char| letter == '>' || letter == '/' || letter.is_whitespace());
    let end = behind.find(['<', '>']).filter(|end| is_ended && behind[*end..].starts_with('>'))?;
    let length = name_at + name_length + end + 1;
    let is = |names: &str| names.split_whitespace().any(|one| one == name);
    if is(UNSEEN) && !is_closing {
        return Some(Tag { length: end_of_content(text, length, &name), is_breaking: true });
    }
    let is_breaking = is(BREAKING) || is(UNSEEN);
    (is_breaking || is(INLINE)).then_some(Tag { length, is_breaking })
}

/// Where the content of an element ends that is not for people: with its closing tag, or with the text.
fn end_of_content(text: &str, from: usize, name: &str) -> usize {
    let is_closing = |at: &usize| {
        let behind = text.get(at + 2..at + 2 + name.len());
        behind.is_some_and(|behind| behind.eq_ignore_ascii_case(name))
    };
    let closing = text[from..].match_indices("</").map(|(at, _)| from + at).find(is_closing);
    closing.and_then(|at| text[at..].find('>').map(|end| at + end + 1)).unwrap_or(text.len())
}
