//! Why bytes were not taken for an artefact of ours.
use core::fmt;

/// Why an artefact was refused. None of these is repaired: the reader discards it and compiles again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The file ends before what its header announces.
    Truncated,
    /// It does not begin like an artefact.
    NotAnArtifact,
    /// Written in another version of the format; that one.
    FormatVersion(u32),
    /// Made by another version of the engine.
    EngineVersion,
    /// Not sealed with our key: made by somebody else, or altered.
    ForeignSeal,
    /// Ours, but of another program.
    OtherProgram,
    /// Ours, but compiled with other settings.
    OtherSettings,
    /// The machine code or metadata is not what was sealed.
    BodyDamaged,
    /// A field holds what is never written there; which.
    Malformed(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Truncated => formatter.write_str("the artefact is cut short"),
            Refusal::NotAnArtifact => formatter.write_str("not an artefact of hallows"),
            Refusal::FormatVersion(found) => {
                write!(formatter, "artefact format {found}, this version reads {}", crate::FORMAT_VERSION)
            }
            Refusal::EngineVersion => {
                write!(formatter, "the artefact was not made for {}", crate::ENGINE_VERSION)
            }
            Refusal::ForeignSeal => formatter.write_str("the artefact was not made by this user's compiler"),
            Refusal::OtherProgram => formatter.write_str("the artefact belongs to another program"),
            Refusal::OtherSettings => formatter.write_str("the artefact was compiled with other settings"),
            Refusal::BodyDamaged => formatter.write_str("the artefact's code was damaged"),
            Refusal::Malformed(what) => write!(formatter, "the artefact is malformed: {what}"),
        }
    }
}

impl core::error::Error for Refusal {}
