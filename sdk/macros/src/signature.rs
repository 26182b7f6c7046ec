//! What `#[main]` must know of the function that it stands on.

use proc_macro::{Delimiter, Ident, Span, TokenStream, TokenTree};

use crate::Mistake;

/// The most parameters that the entry of a program has: `Start` and `&Events`.
const MOST_PARAMETERS: usize = 2;

/// A function's head.
pub struct Signature {
    /// Its name.
    pub name: Ident,
    /// Whether it is `async`.
    pub is_async: bool,
    /// How many parameters it has.
    pub parameters: usize,
}

impl Signature {
    /// Reads it from the tokens of an item.
    pub fn parse(item: TokenStream) -> Result<Self, Mistake> {
        let mut is_async = false;
        let mut tokens = item.into_iter();
        // Attributes and `pub(crate)` come in groups, so words at this level are the function's own.
        loop {
            match tokens.next() {
                Some(TokenTree::Ident(word)) => match word.to_string().as_str() {
                    "async" => is_async = true,
                    "fn" => break,
                    "pub" | "const" | "crate" => {}
                    _ => return Err(no_function(word.span())),
                },
                Some(TokenTree::Punct(_) | TokenTree::Group(_)) => {}
                Some(TokenTree::Literal(literal)) => return Err(no_function(literal.span())),
                None => return Err(no_function(Span::call_site())),
            }
        }
        let Some(TokenTree::Ident(name)) = tokens.next() else { return Err(no_function(Span::call_site())) };
        let parameters = match tokens.next() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                count(group.stream())
            }
            other => {
                return Err(Mistake {
                    span: other.map_or_else(|| name.span(), |token| token.span()),
                    text: "a program's function has no type parameters".to_owned(),
                });
            }
        };
        let most = if is_async { MOST_PARAMETERS } else { 1 };
        if parameters > most {
            let more =
                if is_async { ", and `&Events`" } else { "; only an `async` one may take `&Events` too" };
            return Err(Mistake {
                span: name.span(),
                text: format!("a program's function takes nothing or `Start`{more}"),
            });
        }
        Ok(Self { name, is_async, parameters })
    }
}

fn no_function(span: Span) -> Mistake {
    Mistake { span, text: "`#[main]` stands on a function".to_owned() }
}

/// How many parameters there are: parts between commas that stand in no group and no angle brackets.
fn count(parameters: TokenStream) -> usize {
    let (mut count, mut depth, mut is_inside) = (0, 0_usize, false);
    for token in parameters {
        if let TokenTree::Punct(mark) = &token {
            match mark.as_char() {
                '<' => depth += 1,
                '>' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    is_inside = false;
                    continue;
                }
                _ => {}
            }
        }
        if !is_inside {
            is_inside = true;
            count += 1;
        }
    }
    count
}
