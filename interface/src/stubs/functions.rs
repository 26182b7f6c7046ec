//! The two sides of an interface's functions in Rust: what a client calls, and what a server answers.

use std::fmt::Write as _;

use hallows_abi::{MAX_MESSAGE, MAX_TRANSFERS};

use super::name;
use super::size::{self, Size};
use super::text::{Lifetime, docs, in_rust, tuple};
use super::types::MOST_VALUES;
use crate::Problem;
use crate::model::{Function, Interface, Kind};

/// Bytes before a request's parameters.
const TAG_BYTES: usize = 4;
/// Bytes before an answer's result.
const STATUS_BYTES: usize = 1;
/// A message that is never longer has a place on its caller's stack, of which a cell has 64 KiB; for others the caller brings room.
const MOST_ON_STACK: usize = 1_024;
/// From so many parameters on (with `self`, deadline and room) clippy wants a reason.
const MANY: usize = 7;

/// A function with what both sides need to know of it.
pub struct Stub<'a> {
    function: &'a Function,
    /// Its name in a trait that has all functions of the interface.
    name: String,
    /// What it is called on, where that can be more than one thing.
    target: Option<String>,
    request: Size,
    reply: Size,
    given: usize,
    taken: usize,
}

impl<'a> Stub<'a> {
    /// Of a function.
    pub fn new(interface: &Interface, function: &'a Function) -> Result<Self, Problem> {
        let request = size::all(function.parameters.iter().map(|parameter| &parameter.type_));
        let reply = size::maybe(function.result.as_ref());
        let refused = |what| Problem::Unsupported {
            interface: interface.name.clone(),
            place: function.full_name(),
            what,
        };
        let most = MAX_TRANSFERS as usize;
        let (given, taken) = (request.capabilities.unwrap_or(most), reply.capabilities.unwrap_or(most));
        if given > most || taken > most {
            return Err(refused("a message has at most eight capabilities"));
        }
        let (request, reply) = (Size::bytes(TAG_BYTES).then(request), Size::bytes(STATUS_BYTES).then(reply));
        if request.bytes.max(reply.bytes).is_some_and(|bytes| bytes > MAX_MESSAGE as usize) {
            return Err(refused("a message has at most 64 KiB"));
        }
        if function.parameters.len() > MOST_VALUES * MOST_VALUES {
            return Err(refused("a function of stubs has at most 144 parameters"));
        }
        super::types::unique(
            interface,
            function.parameters.iter().map(|parameter| &parameter.name),
            name::parameter,
        )?;
        let has_resources = !interface.resources.is_empty();
        let name = match &function.kind {
            Kind::Free => name::free(&function.name, has_resources),
            Kind::Method(resource) | Kind::Static(resource) => {
                name::snake(&format!("{resource}-{}", function.name))
            }
            Kind::Constructor(resource) => name::snake(&format!("{resource}-new")),
        };
        let target = has_resources.then(|| match &function.kind {
            Kind::Method(resource) => name::type_(resource),
            _ => name::INTERFACE.to_owned(),
        });
        Ok(Self { function, name, target, request, reply, given, taken })
    }

    /// Its name in a trait that has all functions of the interface.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of its longest request, if it is bounded.
    pub const fn request_bytes(&self) -> Option<usize> {
        self.request.bytes
    }

    /// Bytes of its longest answer, if it is bounded.
    pub const fn reply_bytes(&self) -> Option<usize> {
        self.reply.bytes
    }

    /// Whether it is called on a resource of this name.
    pub fn is_method_of(&self, resource: &str) -> bool {
        matches!(&self.function.kind, Kind::Method(name) if name == resource)
    }

    /// Whether it is called on the interface itself.
    pub const fn is_of_interface(&self) -> bool {
        !matches!(self.function.kind, Kind::Method(_))
    }

    /// The constant of its tag.
    pub fn tag(&self) -> String {
        format!("pub(crate) const {}: u32 = {:#010x};\n", name::constant(&self.name), self.function.tag())
    }

    /// What its client calls.
    pub fn of_client(&self) -> String {
        self.call(Form::Waiting)
    }

    /// The same for async clients.
    pub fn of_async_client(&self) -> String {
        self.call(Form::Async)
    }

    /// What it is called where a client has it.
    fn client_name(&self) -> String {
        if self.is_of_interface() { self.name.clone() } else { name::snake(&self.function.name) }
    }

    /// The parameters of what a client calls, and as one value.
    fn given_parameters(&self) -> (String, String) {
        let mut parameters = String::new();
        for parameter in &self.function.parameters {
            let type_ = in_rust(&parameter.type_, Lifetime::Elided);
            let _ = write!(parameters, "{}: {type_}, ", name::parameter(&parameter.name));
        }
        let names = self.function.parameters.iter().map(|parameter| name::parameter(&parameter.name));
        (parameters, nested(names.collect()))
    }

    /// What a client gets back, and the lifetime that its function then has.
    fn taken_result(&self) -> (String, &'static str) {
        let lends = self.reply.is_view;
        let lifetime = if lends { Lifetime::Message } else { Lifetime::Elided };
        let result = self.function.result.as_ref();
        let result = result.map_or_else(|| "()".to_owned(), |type_| in_rust(type_, lifetime));
        (result, if lends { "<'m>" } else { "" })
    }

    fn new_call(&self, deadline: &str) -> String {
        let tag = name::constant(&self.name);
        format!("stub::Call::<{}, {}>::new(tag::{tag}, {deadline})", self.given, self.taken)
    }

    fn call(&self, form: Form) -> String {
        let function = self.function;
        let is_short = is_short(self.request) && is_short(self.reply);
        let (parameters, values) = self.given_parameters();
        let (result, generics) = self.taken_result();
        let call = self.new_call("deadline");
        let said = docs(&function.docs, || format!("Calls `{}`.", function.full_name()));
        let many = many(function.parameters.len() + if is_short { 2 } else { 3 });
        let Forms { keyword, suffix, after, besides, inline } = form.parts();
        let (room, body, errors) = if is_short {
            let (request, reply) = (self.request.bytes.unwrap_or(0), self.reply.bytes.unwrap_or(0));
            let body = format!(
                "{call}.between{suffix}(&self.0, &{values}, &mut [0; {request}], &mut [0; {reply}]){after}"
            );
            ("", body, format!("Those of [`stub::Call::between{suffix}`]."))
        } else {
            let room = if self.reply.is_view { "room: &'m mut [u8], " } else { "room: &mut [u8], " };
            (
                room,
                format!("{call}.within{suffix}(&self.0, &{values}, room){after}"),
                format!("Those of [`stub::Call::within{suffix}`]; `room` is for both messages."),
            )
        };
        let name = in_form(&self.client_name(), suffix);
        format!(
            "{said}
            {besides}
            ///
            /// # Errors
            ///
            #[doc = {:?}]
            {inline}
            {many}
            pub {keyword}fn {name}{generics}(&self, {parameters}{room}deadline: stub::Deadline) -> Result<{result}, stub::Error> {{ {body} }}\n",
            format!(" {errors}"),
        )
    }

    /// What sends it, so that its answer comes as an event.
    pub fn of_sender(&self) -> String {
        let (parameters, values) = self.given_parameters();
        let (place, buffer) = match self.request.bytes.filter(|_| is_short(self.request)) {
            Some(bytes) => ("", format!("&mut [0; {bytes}]")),
            None => ("request: &mut [u8], ", "request".to_owned()),
        };
        let (most, room) = match self.reply.bytes {
            Some(bytes) => ("", bytes.to_string()),
            None => ("answer_most: u32", "answer_most".to_owned()),
        };
        let besides = match (place, most) {
            ("", "") => "",
            (_, "") => " `request` is for the message.",
            ("", _) => " The answer has at most `answer_most` bytes.",
            _ => " `request` is for the message; the answer has at most `answer_most` bytes.",
        };
        let many = many(
            self.function.parameters.len()
                + 1
                + usize::from(!place.is_empty())
                + usize::from(!most.is_empty()),
        );
        let [send, answer] = ["_send", "_answer"].map(|form| in_form(&self.client_name(), form));
        let call = self.new_call("stub::Deadline::NEVER");
        format!(
            "/// Sends a call of `{full}`; its answer comes as an event, for `{answer}`.{besides}
            ///
            /// # Errors
            ///
            /// Those of [`stub::Call::send`].
            {many}
            pub fn {send}(&self, {parameters}{place}{most}) -> Result<stub::Token, stub::Error> {{
                {call}.send(&self.0, &{values}, {buffer}, {room})
            }}\n",
            full = self.function.full_name(),
        )
    }

    /// What takes the answer to what was sent apart.
    pub fn of_answer(&self) -> String {
        let (result, generics) = self.taken_result();
        let received = if generics.is_empty() { "'_" } else { "'m" };
        let [send, answer] = ["_send", "_answer"].map(|form| in_form(&self.client_name(), form));
        format!(
            "/// The answer to `{send}`.
            ///
            /// # Errors
            ///
            /// Those of [`stub::answered`].
            pub fn {answer}{generics}(received: stub::Received<{received}>) -> Result<{result}, stub::Error> {{ stub::answered(received) }}\n",
        )
    }

    /// What stands for it where it is answered later.
    fn marker(&self) -> String {
        name::camel(&self.name.replace('_', "-"))
    }

    /// The declaration of that.
    pub fn declare_marker(&self) -> String {
        format!(
            "/// `{}`\n#[derive(Clone, Copy, Debug)]\npub enum {} {{}}\n",
            self.function.full_name(),
            self.marker()
        )
    }

    /// What it is answered with.
    pub fn answer_of_marker(&self) -> String {
        let result = self.function.result.as_ref();
        let result = result.map_or_else(|| "()".to_owned(), |type_| in_rust(type_, Lifetime::Message));
        format!("impl stub::Function for later::{} {{ type Answer<'m> = {result}; }}\n", self.marker())
    }

    /// What its server answers later.
    pub fn of_later_service(&self) -> String {
        let function = self.function;
        let (parameters, _) = self.given_parameters();
        let said = docs(&function.docs, || format!("Answers `{}`.", function.full_name()));
        let many = many(function.parameters.len() + 3);
        format!(
            "{said} {many} fn {}(&mut self, later: stub::Later<later::{}>, client: stub::Client, {parameters});\n",
            self.name,
            self.marker()
        )
    }

    /// What its server answers.
    pub fn of_service(&self) -> String {
        let function = self.function;
        // A result may be a view of the server's own memory as well as of the request.
        let lends = self.reply.is_view && self.request.is_view;
        let lifetime = if lends { Lifetime::Message } else { Lifetime::Elided };
        let mut parameters = String::new();
        for parameter in &function.parameters {
            let type_ = in_rust(&parameter.type_, lifetime);
            let _ = write!(parameters, "{}: {type_}, ", name::parameter(&parameter.name));
        }
        let result = function
            .result
            .as_ref()
            .map(|type_| format!("-> {}", in_rust(type_, lifetime)))
            .unwrap_or_default();
        let (generics, server) = if lends { ("<'m>", "&'m mut self") } else { ("", "&mut self") };
        let said = docs(&function.docs, || format!("Answers `{}`.", function.full_name()));
        let many = many(function.parameters.len() + 2);
        format!(
            "{said} {many} fn {}{generics}({server}, client: stub::Client, {parameters}) {result};\n",
            self.name
        )
    }

    /// Its arm of the dispatcher.
    pub fn arm(&self) -> String {
        let call = |arguments: &str| format!("server.{}(request.client(){arguments})", self.name);
        self.take_apart(|arguments| {
            if self.function.result.is_some() {
                format!("let result = {}; request.answer::<{}, _>(&result)", call(arguments), self.taken)
            } else {
                format!("{}; request.answer::<0, _>(&())", call(arguments))
            }
        })
    }

    /// The same of one whose server answers later.
    pub fn later_arm(&self) -> String {
        self.take_apart(|arguments| {
            format!(
                "server.{}(request.later(token), request.client(){arguments}); request.deferred()",
                self.name
            )
        })
    }

    /// An arm: takes the parameters, and does something with them as further arguments.
    fn take_apart(&self, with: impl FnOnce(&str) -> String) -> String {
        let parameters = &self.function.parameters;
        let names: Vec<String> =
            parameters.iter().map(|parameter| name::parameter(&parameter.name)).collect();
        let types = parameters.iter().map(|parameter| in_rust(&parameter.type_, Lifetime::Elided)).collect();
        let arguments: String = names.iter().map(|name| format!(", {name}")).collect();
        let (bound, types) = (nested(names), nested(types));
        let taken = if parameters.iter().any(|parameter| parameter.type_.has_own_resources()) {
            format!("recognised::<{types}>(|badge| server.target(badge).map(|target| target as u8))")
        } else {
            format!("parameters::<{types}>()")
        };
        let answer = with(&arguments);
        let tag = format!("tag::{}", name::constant(&self.name));
        let of = match &self.target {
            Some(target) => format!("({}::{target}, {tag})", name::TARGET),
            None => tag,
        };
        format!(
            "{of} => {{
                let Some({bound}) = request.{taken} else {{ return request.malformed() }};
                {answer}
            }}\n"
        )
    }
}

/// How a client waits for an answer.
#[derive(Clone, Copy)]
enum Form {
    /// It does nothing else.
    Waiting,
    /// Others go on.
    Async,
}

/// What differs between the two.
struct Forms {
    keyword: &'static str,
    suffix: &'static str,
    after: &'static str,
    besides: &'static str,
    inline: &'static str,
}

impl Form {
    const fn parts(self) -> Forms {
        match self {
            Self::Waiting => Forms { keyword: "", suffix: "", after: "", besides: "", inline: "#[inline]" },
            Self::Async => Forms {
                keyword: "async ",
                suffix: "_async",
                after: ".await",
                besides: "///\n/// Others go on while it waits; to drop the future is to give the call up.",
                inline: "",
            },
        }
    }
}

/// What a client has of each function, as what follows its name.
pub const FORMS: [&str; 4] = ["", "_async", "_send", "_answer"];

/// The name of one of these. What keeps a name from being another's is not needed where something follows.
pub fn in_form(name: &str, form: &str) -> String {
    if form.is_empty() { name.to_owned() } else { name.trim_end_matches('_').to_owned() + form }
}

fn is_short(size: Size) -> bool {
    size.bytes.is_some_and(|bytes| bytes <= MOST_ON_STACK)
}

/// A tuple, of tuples if it would be too long: the encoding is the same.
fn nested(parts: Vec<String>) -> String {
    if parts.len() <= MOST_VALUES {
        return tuple(parts);
    }
    tuple(parts.chunks(MOST_VALUES).map(|chunk| tuple(chunk.iter().cloned())))
}

fn many(parameters: usize) -> &'static str {
    if parameters > MANY {
        "#[expect(clippy::too_many_arguments, reason = \"as many as the interface has\")]"
    } else {
        ""
    }
}
