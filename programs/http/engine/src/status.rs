//! Status codes (RFC 9110, section 15) that a server of files gives.

macro_rules! statuses {
    ($($name:ident = $code:literal, $reason:literal;)*) => {
        /// A status code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Status {
            $(#[doc = $reason] $name = $code,)*
        }

        impl Status {
            /// All of them, the lowest first.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What it means, for people.
            #[must_use]
            pub const fn reason(self) -> &'static str {
                match self {
                    $(Self::$name => $reason,)*
                }
            }

            /// The first line of an answer.
            pub(crate) const fn line(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("HTTP/1.1 ", $code, " ", $reason, "\r\n"),)*
                }
            }
        }
    };
}

statuses! {
    Ok = 200, "OK";
    PartialContent = 206, "Partial Content";
    MovedPermanently = 301, "Moved Permanently";
    NotModified = 304, "Not Modified";
    BadRequest = 400, "Bad Request";
    NotFound = 404, "Not Found";
    MethodNotAllowed = 405, "Method Not Allowed";
    RequestTimeout = 408, "Request Timeout";
    PreconditionFailed = 412, "Precondition Failed";
    ContentTooLarge = 413, "Content Too Large";
    TargetTooLong = 414, "URI Too Long";
    RangeNotSatisfiable = 416, "Range Not Satisfiable";
    ExpectationFailed = 417, "Expectation Failed";
    FieldsTooLarge = 431, "Request Header Fields Too Large";
    ServerError = 500, "Internal Server Error";
    NotImplemented = 501, "Not Implemented";
    Unavailable = 503, "Service Unavailable";
    VersionNotSupported = 505, "HTTP Version Not Supported";
}

impl Status {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }
}
