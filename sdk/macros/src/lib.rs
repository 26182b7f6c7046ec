//! The attributes of the SDK, which `hallows-sdk` exports again.
#![forbid(unsafe_code)]

mod signature;

use proc_macro::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};

use signature::Signature;

/// Makes a function the program: it runs from start to end, and then its cell is done.
///
/// The function takes nothing or `Start`, and gives back nothing or `Result<(), Error>`. One that is `async` may take `&Events`
/// after `Start`; it needs the SDK's feature `alloc`. An error is explained in the log, and ends the cell with status 1.
///
/// The SDK is called `hallows` in the program's `Cargo.toml`; if it is not, `#[main(crate = its_name)]` says how.
#[proc_macro_attribute]
pub fn main(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = sdk_path(attribute)
        .and_then(|sdk| Signature::parse(item.clone()).map(|signature| entry(&sdk, &signature)));
    match expanded {
        Ok(entry) => item.into_iter().chain(entry).collect(),
        Err(Mistake { span, text }) => item.into_iter().chain(compile_error(span, &text)).collect(),
    }
}

/// What is wrong with the program, and where.
struct Mistake {
    span: Span,
    text: String,
}

/// The path of the SDK: what the attribute says, or `::hallows`.
fn sdk_path(attribute: TokenStream) -> Result<TokenStream, Mistake> {
    if attribute.is_empty() {
        return parsed("::hallows");
    }
    let mut tokens = attribute.into_iter();
    let (key, equals) = (tokens.next(), tokens.next());
    let rest: TokenStream = tokens.collect();
    match (key, equals) {
        (Some(TokenTree::Ident(key)), Some(TokenTree::Punct(equals)))
            if key.to_string() == "crate" && equals.as_char() == '=' && !rest.is_empty() =>
        {
            Ok(rest)
        }
        (key, _) => Err(Mistake {
            span: key.map_or_else(Span::call_site, |key| key.span()),
            text: "only `crate = path` may stand here: how the program names the SDK".to_owned(),
        }),
    }
}

/// The function that the SDK calls, and its declaration.
fn entry(sdk: &TokenStream, signature: &Signature) -> TokenStream {
    let name = &signature.name;
    let body = if signature.is_async {
        // Its own closure for each count: an async function's future borrows what it is given.
        let arguments = match signature.parameters {
            0 => "",
            1 => "start.into()",
            _ => "start.into(), events",
        };
        format!("$sdk::task::run(async |events| {{ let _ = (start, events); $name({arguments}).await }})")
    } else {
        let arguments = if signature.parameters == 0 { "" } else { "start.into()" };
        format!("{{ let _ = start; $name({arguments}) }}")
    };
    let text = format!(
        "#[doc(hidden)] fn hallows_entry(start: &$sdk::Start<'_>) -> impl $sdk::program::Ending + use<> {{ {body} }} \
         $sdk::declare_main!(hallows_entry);"
    );
    substitute(parsed(&text).unwrap_or_default(), sdk, name)
}

/// Puts the SDK's path and the function's name where `$sdk` and `$name` stand.
fn substitute(template: TokenStream, sdk: &TokenStream, name: &Ident) -> TokenStream {
    let mut output = TokenStream::new();
    let mut tokens = template.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(dollar) if dollar.as_char() == '$' => match tokens.next() {
                Some(TokenTree::Ident(what)) if what.to_string() == "sdk" => output.extend(sdk.clone()),
                _ => output.extend([TokenTree::Ident(name.clone())]),
            },
            TokenTree::Group(group) => {
                let inner = substitute(group.stream(), sdk, name);
                output.extend([TokenTree::Group(Group::new(group.delimiter(), inner))]);
            }
            TokenTree::Ident(mut word) => {
                // What the template binds is not what the program calls so: its function may be named `start`.
                word.set_span(Span::mixed_site());
                output.extend([TokenTree::Ident(word)]);
            }
            token => output.extend([token]),
        }
    }
    output
}

fn parsed(text: &str) -> Result<TokenStream, Mistake> {
    text.parse().map_err(|_| Mistake { span: Span::call_site(), text: format!("cannot read {text}") })
}

/// `compile_error! { "text" }`, shown at a place of the program.
fn compile_error(span: Span, text: &str) -> TokenStream {
    let literal = TokenTree::Literal(proc_macro::Literal::string(text));
    let tokens = [
        TokenTree::Ident(Ident::new("compile_error", span)),
        TokenTree::Punct(Punct::new('!', Spacing::Alone)),
        TokenTree::Group(Group::new(Delimiter::Brace, literal.into())),
    ];
    tokens
        .into_iter()
        .map(|mut token| {
            token.set_span(span);
            token
        })
        .collect()
}
