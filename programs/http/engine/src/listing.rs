//! A page that says what is in a directory.

use alloc::vec::Vec;

use crate::Path;
use crate::path::encode;

/// What a name in a directory stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// What can be listed in turn.
    Directory,
    /// A file, or a link to either.
    File,
}

/// A name in a directory: the directories stand first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// What it stands for.
    pub kind: EntryKind,
    /// The name: bytes.
    pub name: Vec<u8>,
}

/// The page of a directory. Names that are no text are shown as far as they are.
pub(crate) fn page(path: &Path, entries: &[Entry], is_all: bool) -> Vec<u8> {
    let mut page = b"<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>/".to_vec();
    escape(path.bytes(), &mut page);
    page.extend(b"</title>\n<h1>/");
    escape(path.bytes(), &mut page);
    page.extend(b"</h1>\n<ul>\n");
    if !path.bytes().is_empty() {
        page.extend(b"<li><a href=\"../\">../</a>\n");
    }
    for Entry { kind, name } in entries {
        let end: &[u8] = if *kind == EntryKind::Directory { b"/" } else { b"" };
        // Without the `./` a name with a colon would be a scheme.
        page.extend(b"<li><a href=\"./");
        encode(name, &mut page);
        page.extend([end, b"\">"].concat());
        escape(name, &mut page);
        page.extend([end, b"</a>\n"].concat());
    }
    page.extend(b"</ul>\n");
    if !is_all {
        page.extend(b"<p>There is more.</p>\n");
    }
    page
}

/// Appends a text so that it means nothing but itself.
fn escape(text: &[u8], into: &mut Vec<u8>) {
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '<' => into.extend(b"&lt;"),
                '>' => into.extend(b"&gt;"),
                '&' => into.extend(b"&amp;"),
                '"' => into.extend(b"&quot;"),
                '\'' => into.extend(b"&#39;"),
                other => into.extend(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        if !chunk.invalid().is_empty() {
            into.extend("\u{fffd}".as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_nothing_but_themselves() {
        let entry = |kind, name: &[u8]| Entry { kind, name: name.to_vec() };
        let entries = [
            entry(EntryKind::Directory, b"a b"),
            entry(EntryKind::File, b"<script>\"'&.txt"),
            entry(EntryKind::File, b"javascript:x"),
            entry(EntryKind::File, b"\xff?#"),
        ];
        let path = Path::of("/x%3Cb%3E/").expect("a path");
        let page = std::string::String::from_utf8(page(&path, &entries, false)).expect("a text");
        for expected in [
            "<h1>/x&lt;b&gt;</h1>",
            "<a href=\"../\">",
            "<a href=\"./a%20b/\">a b/</a>",
            "<a href=\"./%3Cscript%3E%22%27%26.txt\">&lt;script&gt;&quot;&#39;&amp;.txt</a>",
            "<a href=\"./javascript%3Ax\">javascript:x</a>",
            "<a href=\"./%FF%3F%23\">\u{fffd}?#</a>",
            "There is more.",
        ] {
            assert!(page.contains(expected), "{expected} in {page}");
        }
    }
}
