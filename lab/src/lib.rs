//! `hallows lab`: tails under load, ours and those of other ways to do the same work on the same cores.
//!
//! Requests come when it was decided, at random, whatever becomes of those before them; each is an amount of work. Whoever works on them takes part
//! in one sweep over loads, in turns; policies take part as models in virtual time. What is behind the words: the README.
#![forbid(unsafe_code)]

mod contender;
mod error;
mod figures;
mod key_value;
mod model;
pub mod report;
pub mod rivals;
mod run;
mod schedule;
mod service;
mod sweep;
mod work;

pub use contender::Contender;
pub use error::LabError;
pub use figures::ClassFigures;
pub use hallows_lab_work::{Operation, Store, Times};
pub use hallows_load::Arrivals;
pub use hallows_load::percentiles::Percentiles;
pub use key_value::{KeyValue, OwnTimes};
pub use model::{Costs, Model};
pub use run::{Board, Finished, Padded, Run, generate};
pub use schedule::{Offer, Request};
pub use service::{Asks, FORMS, Mode, Recorded, Service, Trace};
pub use sweep::{Bound, Kind, Participant, Plan, Point, Progress, Report, sweep};
pub use work::Work;
