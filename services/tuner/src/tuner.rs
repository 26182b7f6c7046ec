//! The search: one setting is tried beside the next one, window by window in turns, and taken if it is better. Whoever has found nothing better
//! on either side rests, ever longer, until the load shifts.
//!
//! Both are seen under the same load that way, whatever it is, and no model of it is needed. What a search costs is bounded by how rarely it tries.
//! (Hill climbing by paired comparisons; that tails want short quanta where service times are dispersed, and long ones where they are not, is Shinjuku's and
//! LibPreemptible's reason to have any of this: Kaffes et al., NSDI 2019; Li et al., HPCA 2024.)

use alloc::vec::Vec;

use crate::objective::Objective;
use crate::verdict::{Pairs, Verdict, Why, compare, is_kept, is_nearer};
use crate::window::Window;

/// One of the scheduler's times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knob {
    /// What it is called.
    pub name: &'static str,
    /// What it may be, in ns, ascending. Longer is cheaper.
    pub ladder: Vec<u64>,
    /// Where on the ladder it is.
    pub place: usize,
}

impl Knob {
    /// Of these values and at least `least_ns`, now at the one that is nearest above `now_ns`.
    #[must_use]
    pub fn new(name: &'static str, values: &[u64], least_ns: u64, now_ns: u64) -> Self {
        let mut ladder: Vec<u64> = values.iter().map(|value| *value.max(&least_ns)).collect();
        ladder.dedup();
        // What it is may be beyond all of them.
        if ladder.last().is_some_and(|last| *last < now_ns) {
            ladder.push(now_ns);
        }
        let place =
            ladder.iter().position(|value| *value >= now_ns).unwrap_or(ladder.len().saturating_sub(1));
        Self { name, ladder, place }
    }

    fn at(&self, place: usize) -> u64 {
        self.ladder.get(place).copied().unwrap_or(u64::MAX)
    }

    /// Its value, in ns.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.at(self.place)
    }

    /// So many steps away, or fewer where the ladder ends.
    fn beside(&self, way: Way, steps: usize) -> Option<usize> {
        let place = match way {
            Way::Longer => self.place.saturating_add(steps).min(self.ladder.len().saturating_sub(1)),
            Way::Shorter => self.place.saturating_sub(steps),
        };
        (place != self.place).then_some(place)
    }
}

/// In which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Longer,
    Shorter,
}

/// A setting is tried beside the present one.
#[derive(Clone, Debug)]
struct Trial {
    way: Way,
    place: usize,
    seen: Pairs,
    /// The last window of the present one, if that which lasts is the other's.
    own: Option<Window>,
}

#[derive(Clone, Debug)]
enum State {
    Tries(Trial),
    /// For so many windows more.
    Rests(u32),
}

/// Steps of the first trial of something longer where all that is near was found to be alike, and the objective is broken.
const FAR_REACH: usize = 2;
/// So many windows of each, and what is not clear by then is taken for the same.
const MOST_SEEN: usize = 8;
/// After so many of one that costs more, it has to look better: it may cost too much.
const FEWEST_SEEN: usize = 3;
/// The first rest, and the longest, in windows.
const FIRST_REST: u32 = 10;
const LONGEST_REST: u32 = 500;
/// And so many windows of it at least for each that the search took: half of those were of settings that are worse.
const RESTS_FOR_ONE: u32 = 10;
/// With fewer calls in a window chance shifts a rate by as much as a load does.
const FEWEST_CALLS: u64 = 50;

/// A setting has changed for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose.
    pub knob: &'static str,
    /// What it was, in ns.
    pub from_ns: u64,
    /// What it is, in ns.
    pub to_ns: u64,
    /// What was seen of both.
    pub seen: [Window; 2],
    /// Why.
    pub why: Why,
}

/// The search.
#[derive(Clone, Debug)]
pub struct Tuner {
    objective: Objective,
    knobs: Vec<Knob>,
    turn: usize,
    state: State,
    /// How far to go for the next trial: farther each time that something better was found; 0: only to the next one.
    steps: usize,
    is_far: bool,
    /// Steps of the next trial of something longer, at least.
    reach: usize,
    /// Windows that the search has taken since it last rested.
    spent: u32,
    /// Ways in which this knob has found nothing better, and how many knobs in a row have not.
    refused: Vec<Way>,
    barren: usize,
    next_rest: u32,
    /// What was last seen of the present setting.
    last: Window,
    /// Calls in a second, as a rule; 0: not known.
    usual_rate: u64,
}

impl Tuner {
    /// For an objective, with times that can be changed: at least one.
    #[must_use]
    pub fn new(objective: Objective, knobs: Vec<Knob>) -> Self {
        Self {
            objective,
            knobs,
            turn: 0,
            // The load is looked at first.
            state: State::Rests(1),
            steps: 1,
            is_far: false,
            spent: 0,
            reach: 1,
            refused: Vec::new(),
            barren: 0,
            next_rest: FIRST_REST,
            last: Window::default(),
            usual_rate: 0,
        }
    }

    /// What each is to be in the window that begins now, in ns.
    pub fn wanted(&self) -> impl Iterator<Item = u64> {
        self.knobs.iter().enumerate().map(|(number, knob)| match &self.state {
            State::Tries(trial) if trial.own.is_some() && number == self.turn => knob.at(trial.place),
            _ => knob.now_ns(),
        })
    }

    /// What was seen in a window by what was [`wanted`](Self::wanted) for it. What changes for good.
    pub fn saw(&mut self, window: Window) -> Option<Change> {
        match &mut self.state {
            State::Rests(left) => {
                *left = left.saturating_sub(1);
                let is_over = *left == 0;
                let has_shifted = self.has_shifted(&window);
                self.learn(&window);
                if has_shifted {
                    self.next_rest = FIRST_REST;
                    self.usual_rate = window.rate();
                }
                if is_over || has_shifted {
                    self.begin();
                }
                None
            }
            State::Tries(trial) => {
                self.spent += 1;
                if let Some(own) = trial.own.take() {
                    trial.seen.add(own, window);
                    let trial = trial.clone();
                    return self.judge(&trial);
                }
                trial.own = Some(window);
                self.learn(&window);
                None
            }
        }
    }

    fn learn(&mut self, window: &Window) {
        self.last = *window;
        let rate = window.rate();
        self.usual_rate = if self.usual_rate == 0 { rate } else { (self.usual_rate * 7 + rate) / 8 };
    }

    /// The load is another one, or the objective is not kept any more.
    fn has_shifted(&self, window: &Window) -> bool {
        let (rate, usual) = (window.rate(), self.usual_rate);
        let is_known = usual > 0 && window.answered.max(self.last.answered) >= FEWEST_CALLS;
        let is_other_load = is_known && (rate * 10 > usual * 13 || rate * 13 < usual * 10);
        is_other_load || is_kept(self.objective, &self.last) && !is_kept(self.objective, window)
    }

    /// Tries what is beside the present setting, or rests if nothing is left to try.
    fn begin(&mut self) {
        loop {
            let ways: &[Way] = match self.objective {
                Objective::Throughput => &[Way::Longer, Way::Shorter],
                // Whoever keeps it pays no more for it.
                Objective::Tail { .. } if is_kept(self.objective, &self.last) => &[Way::Longer],
                Objective::Tail { .. } => &[Way::Shorter, Way::Longer],
            };
            let Some(knob) = self.knobs.get(self.turn) else { return };
            let way = ways.iter().find(|way| !self.refused.contains(way) && knob.beside(**way, 1).is_some());
            if let Some(way) = way {
                // Whoever breaks an objective may be far from keeping it.
                let is_broken = ways.first() == Some(&Way::Shorter);
                let steps = match way {
                    Way::Shorter if is_broken && self.steps > 0 => knob.place.div_ceil(2),
                    Way::Shorter => self.steps.max(1),
                    Way::Longer => self.steps.max(self.reach),
                };
                self.is_far = steps > 1;
                self.state = State::Tries(Trial {
                    way: *way,
                    place: knob.beside(*way, steps).unwrap_or(knob.place),
                    seen: Pairs::default(),
                    own: None,
                });
                return;
            }
            self.refused.clear();
            self.steps = 1;
            self.turn = (self.turn + 1) % self.knobs.len();
            self.barren += 1;
            if self.barren >= self.knobs.len() {
                self.barren = 0;
                // Whoever breaks an objective has less to lose.
                let is_kept = is_kept(self.objective, &self.last);
                // Or is on a plain, where all that is near is alike.
                self.reach = if is_kept { 1 } else { FAR_REACH };
                let longest = if is_kept { LONGEST_REST } else { LONGEST_REST / 10 };
                let rest = self.next_rest.max(self.spent.saturating_mul(RESTS_FOR_ONE)).min(longest);
                self.state = State::Rests(rest);
                self.spent = 0;
                self.next_rest = (rest * 2).min(LONGEST_REST);
                return;
            }
        }
    }

    fn judge(&mut self, trial: &Trial) -> Option<Change> {
        let is_cheaper = trial.way == Way::Longer;
        let Pairs { own, other, .. } = &trial.seen;
        let is_hopeless = matches!(self.objective, Objective::Tail { .. })
            && !is_cheaper
            && trial.seen.len() >= FEWEST_SEEN
            && !is_nearer(other, own, 100);
        let is_last = trial.seen.len() >= MOST_SEEN || is_hopeless;
        match compare(self.objective, &trial.seen, is_cheaper, is_last) {
            Verdict::Open => None,
            Verdict::Worse(_) => {
                // What is too far says nothing of what is near.
                if self.is_far {
                    self.steps = 0;
                    if trial.way == Way::Longer {
                        self.reach = 1;
                    }
                } else {
                    self.refused.push(trial.way);
                }
                self.begin();
                None
            }
            Verdict::Better(why) => {
                let knob = self.knobs.get_mut(self.turn)?;
                let from_ns = knob.now_ns();
                knob.place = trial.place;
                let change =
                    Change { knob: knob.name, from_ns, to_ns: knob.now_ns(), seen: [*own, *other], why };
                self.last = *other;
                self.barren = 0;
                self.next_rest = FIRST_REST;
                self.reach = 1;
                self.steps = (self.steps * 2).max(1);
                // Not back to where it comes from.
                self.refused = [match trial.way {
                    Way::Longer => Way::Shorter,
                    Way::Shorter => Way::Longer,
                }]
                .to_vec();
                self.begin();
                Some(change)
            }
        }
    }
}
