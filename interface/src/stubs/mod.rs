//! Stubs: an interface's client and server side in a programming language.
//!
//! One file holds one interface: its types, a client over an endpoint, a trait for its server, and the dispatcher between messages
//! and that trait. It stands on `hallows_sdk::stub`.

mod functions;
mod name;
mod size;
mod text;
mod types;

use std::fmt::Write as _;

use functions::Stub;
use text::docs;
use types::Declared;

use crate::{Hash, Interface, Problem, Resource};

/// An interface's stubs in Rust, as one formatted file.
///
/// # Errors
///
/// [`Problem::Unsupported`], [`Problem::SameName`]: what the interface has and stubs cannot.
pub fn rust(interface: &Interface) -> Result<String, Problem> {
    let declared = types::collect(interface)?;
    let stubs: Vec<Stub<'_>> = interface
        .functions
        .iter()
        .map(|function| Stub::new(interface, function))
        .collect::<Result<_, _>>()?;
    // Names of functions may be those of others' forms.
    let names =
        stubs.iter().flat_map(|stub| functions::FORMS.map(|form| functions::in_form(stub.name(), form)));
    let names: Vec<String> = names.collect();
    types::unique(interface, names.iter(), str::to_owned)?;
    let mut tags: Vec<u32> = interface.functions.iter().map(crate::Function::tag).collect();
    tags.sort_unstable();
    tags.dedup();
    if tags.len() != stubs.len() {
        return Err(Problem::Unsupported {
            interface: interface.name.clone(),
            place: interface.name.clone(),
            what: "two of its functions have the same tag by chance; another parameter's name mends it",
        });
    }

    if interface.resources.len() > MOST_RESOURCES {
        return Err(Problem::Unsupported {
            interface: interface.name.clone(),
            place: interface.name.clone(),
            what: "an interface of stubs has at most 255 resources",
        });
    }

    let mut text = header(interface, &stubs);
    for (name, declared) in &declared {
        match declared {
            Declared::Type(type_) => text += &types::declare(name, type_),
            Declared::Resource(of, owner) => text += &resource(interface, name, (of, *owner), &stubs),
        }
    }
    text += &client(interface, &stubs);
    text += &service(interface, &stubs);
    formatted(interface, &text)
}

fn header(interface: &Interface, stubs: &[Stub<'_>]) -> String {
    let hash = interface.hash();
    let mut text = String::new();
    for line in interface.docs.lines() {
        let _ = writeln!(text, "#![doc = {:?}]", format!(" {line}"));
    }
    if interface.docs.is_empty() {
        let _ = writeln!(text, "#![doc = {:?}]", format!(" The interface `{}`.", interface.name));
    }
    text += "#![allow(clippy::type_complexity, clippy::result_unit_err, reason = \"types are as the interface has them\")]\n";
    text += "use hallows_sdk::stub;\n";
    let bytes: String = hash.0.iter().map(|byte| format!("{byte:#04x}, ")).collect();
    let _ = writeln!(
        text,
        "/// What its authors call the interface.\npub const NAME: &str = {:?};",
        interface.name
    );
    let _ = writeln!(text, "/// The interface's identity: `{hash}`.\npub const HASH: [u8; 32] = [{bytes}];");
    if let Some(most) =
        stubs.iter().map(Stub::request_bytes).try_fold(0, |most, bytes| Some(most.max(bytes?)))
    {
        let _ =
            writeln!(text, "/// The longest request, in bytes.\npub const REQUEST_BYTES: usize = {most};");
    }
    if let Some(most) = stubs.iter().map(Stub::reply_bytes).try_fold(0, |most, bytes| Some(most.max(bytes?)))
    {
        let _ = writeln!(text, "/// The longest answer, in bytes.\npub const REPLY_BYTES: usize = {most};");
    }
    let tags: String = stubs.iter().map(Stub::tag).collect();
    let _ = writeln!(text, "pub(crate) mod tag {{\n//! What requests call the functions.\n{tags}}}");
    text
}

/// The most resources whose number has one byte.
const MOST_RESOURCES: usize = 255;

fn resource(
    interface: &Interface,
    rust: &str,
    (name, owner): (&str, Option<Hash>),
    stubs: &[Stub<'_>],
) -> String {
    let is_ours = |resource: &Resource| owner.is_none() && resource.name == name;
    let ours = interface.resources.iter().find(|resource| is_ours(resource));
    let kind = match ours {
        Some(_) => format!("const KIND: u8 = {}::{rust} as u8;", name::TARGET),
        None => String::new(),
    };
    let said = ours.map(|resource| resource.docs.as_str()).unwrap_or_default();
    let mut text = format!(
        "{}
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct {rust}<C = stub::Endpoint>(
            /// What it is called through: the capability that stands for it.
            pub C,
        );
        impl stub::Resource for {rust} {{
            {kind}
            fn from_capability(handle: stub::Handle) -> Self {{ Self(stub::Resource::from_capability(handle)) }}
            fn capability(self) -> stub::Handle {{ stub::Resource::capability(self.0) }}
        }}\n",
        docs(said, || match owner {
            None => format!("The resource `{name}`."),
            Some(owner) => format!("The resource `{name}` of the interface `{}`.", owner.short()),
        })
    );
    if let Some(resource) = ours {
        let methods: Vec<_> = stubs.iter().filter(|stub| stub.is_method_of(&resource.name)).collect();
        text += &callable(rust, &methods);
    }
    text
}

fn client(interface: &Interface, stubs: &[Stub<'_>]) -> String {
    let functions: Vec<_> = stubs.iter().filter(|stub| stub.is_of_interface()).collect();
    let mut text = format!(
        "/// A client of `{}`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Client<C = stub::Endpoint>(
            /// What it calls through.
            pub C,
        );\n",
        interface.name
    );
    text += "impl stub::Interface for Client {
        const NAME: &'static str = NAME;
        const HASH: [u8; 32] = HASH;
        fn through(endpoint: stub::Endpoint) -> Self { Self(endpoint) }
    }\n";
    text + &callable("Client", &functions)
}

/// What a client calls on one type, in each form.
fn callable<'a>(type_: &str, functions: &[&Stub<'a>]) -> String {
    if functions.is_empty() {
        return String::new();
    }
    let all = |form: fn(&Stub<'a>) -> String| functions.iter().map(|stub| form(stub)).collect::<String>();
    let (waiting, later) = (all(Stub::of_client), all(Stub::of_async_client));
    let (sent, answers) = (all(Stub::of_sender), all(Stub::of_answer));
    format!(
        "impl<C: stub::Caller> {type_}<C> {{ {waiting} }}
        impl<C: stub::AsyncCaller> {type_}<C> {{ {later} }}
        impl<C: stub::Sender> {type_}<C> {{ {sent} }}
        impl {type_} {{ {answers} }}\n"
    )
}

/// What a message can be to; nothing if it can only be to the interface.
fn target(interface: &Interface) -> String {
    if interface.resources.is_empty() {
        return String::new();
    }
    let mut cases = format!("/// The interface itself.\n{},\n", name::INTERFACE);
    for resource in &interface.resources {
        let _ = writeln!(cases, "/// A `{}`.\n{},", resource.name, name::type_(&resource.name));
    }
    format!(
        "/// What a message is to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum {} {{ {cases} }}\n",
        name::TARGET
    )
}

fn service<'a>(interface: &Interface, stubs: &[Stub<'a>]) -> String {
    let all = |form: fn(&Stub<'a>) -> String| stubs.iter().map(form).collect::<String>();
    let has_resources = !interface.resources.is_empty();
    let (said, find, aim, over) = if has_resources {
        let target = name::TARGET;
        (
            " Where a function is of a resource, the client's badge says which one is called.",
            format!(
                "/// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
                fn target(&self, badge: u64) -> Option<{target}>;\n"
            ),
            "let Some(target) = server.target(request.client().badge) else { return request.gone() };",
            "(target, request.tag())",
        )
    } else {
        ("", String::new(), "", "request.tag()")
    };
    // Without functions there is nothing to tell apart.
    let (aim, server) = match (stubs.is_empty(), has_resources) {
        (false, _) => (aim, "server"),
        (true, true) => {
            ("if server.target(request.client().badge).is_none() { return request.gone() }", "server")
        }
        (true, false) => ("", "_"),
    };
    let dispatch = |arms: String| {
        let found = if stubs.is_empty() {
            "request.unknown()".to_owned()
        } else {
            format!("match {over} {{ {arms} _ => request.unknown(), }}")
        };
        format!(
            "let {}request = match stub::Request::open(message) {{
                Ok(request) => request,
                Err(answer) => return answer,
            }};
            {aim}
            {found}",
            if stubs.is_empty() { "" } else { "mut " },
        )
    };
    let name = &interface.name;
    let mut text = format!(
        "{}
        /// A server of `{name}`.{said}
        pub trait Service {{ {find} {} }}

        /// Hands a message to a server, and makes its answer.
        #[inline]
        pub fn serve<'m>({server}: &'m mut impl Service, message: stub::Message<'m>) -> stub::Answer<'m> {{ {} }}\n",
        target(interface),
        all(Stub::of_service),
        dispatch(all(Stub::arm)),
    );
    if !stubs.is_empty() {
        let _ = writeln!(
            text,
            "pub mod later {{
                //! What stands for the functions where they are answered later.
                {}
            }}
            {}
            /// An active server of `{name}` that answers when it can: each function is given the answer that it owes.{said}
            pub trait LaterService {{ {find} {} }}

            /// Hands a message to a server that answers when it can.
            pub fn serve_later<'m>(server: &mut impl LaterService, message: stub::Message<'m>) -> stub::Answer<'m> {{
                let token = message.token;
                {}
            }}",
            all(Stub::declare_marker),
            all(Stub::answer_of_marker),
            all(Stub::of_later_service),
            dispatch(all(Stub::later_arm)),
        );
    }
    text
}

fn formatted(interface: &Interface, text: &str) -> Result<String, Problem> {
    let file = syn::parse_file(text)
        .map_err(|error| Problem::Generator { interface: interface.name.clone(), what: error.to_string() })?;
    let said = format!(
        "// Stubs of the interface `{}`, made by `hallows interface stubs`: change that, not this.\n",
        interface.name
    );
    Ok(said + &prettyplease::unparse(&file))
}
