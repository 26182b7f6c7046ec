//! Meters: what a thread has used of its time budget, and when it gets more.
//!
//! A cap with full replenishment at the beginning of each period: the *deferrable server* of Strosnider, Lehoczky and Sha, "The deferrable
//! server algorithm for enhanced aperiodic responsiveness in hard real-time environments", IEEE Transactions on Computers 44(1), 1995; what
//! seL4's mixed-criticality kernel calls a scheduling context has the same two numbers (Lyons, McLeod, Almatary, Heiser,
//! "Scheduling-context capabilities", EuroSys 2018). Its replenishments follow each stretch of use by a period, as a *sporadic server*'s do
//! (Sprunt, Sha, Lehoczky 1989), for which it keeps a list of them; two numbers are enough here, and what they cost is known: in any stretch of
//! time `t` a thread gets at most `⌈t / period⌉ + 1` budgets, and once its largest debt.
//!
//! What is used beyond the budget is *debt*: it is taken off the next replenishments, and is bounded.

use hallows_abi::TimeBudget;

use crate::TimePicture;

/// Between which two of its threads a core is: its number, and how many it has switched to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The core.
    pub core: u32,
    /// How many.
    pub switches: u64,
}

/// The meter of one thread. All times are of the machine's clock, in ns.
#[derive(Debug, Default)]
pub struct Meter {
    budget: Option<TimeBudget>,
    /// Since when the thread runs, or was last looked at; not while it does not run.
    since_ns: Option<u64>,
    /// When it last stopped to run.
    ended_ns: u64,
    /// Where it gave way then, if it did.
    gave_way: Option<Switch>,
    /// When the present period ends; 0 before the first.
    ends_ns: u64,
    /// What is used in the present period, with the debt from those before.
    used_ns: u64,
    /// The most debt that was allowed since there last was none.
    most_debt_ns: u64,
    throttlings: u64,
}

impl Meter {
    /// Of a new cell.
    pub fn new(budget: Option<TimeBudget>) -> Self {
        Self { budget, ..Self::default() }
    }

    /// How much there is.
    pub const fn budget(&self) -> Option<TimeBudget> {
        self.budget
    }

    /// The thread begins to run. If it gave way and nobody else has come, the time since then is its own, too: otherwise who gives way all the
    /// time would not pay for the switches, which are most of what it takes from others.
    pub fn begin(&mut self, now_ns: u64, at: Switch) {
        let stayed = self.gave_way.take() == Some(at);
        self.since_ns = Some(if stayed { self.ended_ns } else { now_ns });
    }

    /// The thread, which has just stopped, is ready to go on.
    pub fn give_way(&mut self, at: Switch) {
        self.gave_way = Some(at);
    }

    /// How long it has run since this was last asked.
    pub fn take_elapsed(&mut self, now_ns: u64) -> u64 {
        let Some(since_ns) = self.since_ns else { return 0 };
        // Who asks may have read the clock before the thread began.
        let elapsed_ns = now_ns.saturating_sub(since_ns);
        self.since_ns = Some(since_ns.max(now_ns));
        elapsed_ns
    }

    /// The thread does not run any more.
    pub fn end(&mut self, now_ns: u64) {
        self.since_ns = None;
        self.ended_ns = now_ns;
    }

    /// It stands still for its budget.
    pub fn count_throttling(&mut self) {
        self.throttlings += 1;
    }

    /// Begins the period that it is now: each one that has begun since gives a budget, which is first what pays the debt.
    pub fn advance(&mut self, now_ns: u64) {
        let Some(TimeBudget { budget_ns, period_ns }) = self.budget else { return };
        if self.ends_ns == 0 {
            self.ends_ns = now_ns.saturating_add(period_ns);
        }
        let Some(late_ns) = now_ns.checked_sub(self.ends_ns) else { return };
        let periods = 1 + late_ns.checked_div(period_ns).unwrap_or(0);
        self.used_ns = self.used_ns.saturating_sub(periods.saturating_mul(budget_ns));
        self.ends_ns = self.ends_ns.saturating_add(periods.saturating_mul(period_ns));
        if self.used_ns <= budget_ns {
            self.most_debt_ns = 0;
        }
    }

    /// The thread, which has a reservation, is woken. By when it must be done, in ns. With what is left it goes on if that is no more than its share of what is
    /// left of the period; else a new one begins now (the rule of the constant bandwidth server).
    pub fn arrive(&mut self, now_ns: u64) -> u64 {
        self.advance(now_ns);
        if let Some(budget) = self.budget {
            let rest_ns = self.ends_ns.saturating_sub(now_ns);
            let left = TimeBudget { budget_ns: self.left_ns(), period_ns: rest_ns };
            if left.is_more_than(budget) {
                self.ends_ns = now_ns.saturating_add(budget.period_ns);
                self.used_ns = 0;
            }
        }
        self.deadline_ns()
    }

    /// By when a thread that has a reservation must be done with what it does now, in ns: the end of the period that it has time in. What it uses beyond its time,
    /// inside of a server, puts that off by the periods that pay for it, so it comes behind those who have time.
    pub fn deadline_ns(&self) -> u64 {
        match self.budget {
            Some(budget) if self.left_ns() == 0 => self.replenished_ns().saturating_add(budget.period_ns),
            _ => self.ends_ns,
        }
    }

    /// The thread has used so much time until now; its debt may be so much.
    pub fn spend(&mut self, now_ns: u64, elapsed_ns: u64, most_debt_ns: u64) {
        let Some(TimeBudget { budget_ns, .. }) = self.budget else { return };
        // What was used before the present period began belongs to the last one.
        self.advance(now_ns.saturating_sub(elapsed_ns));
        let before_ns = elapsed_ns.min(self.ends_ns.saturating_sub(now_ns.saturating_sub(elapsed_ns)));
        self.used_ns = self.used_ns.saturating_add(before_ns);
        self.advance(now_ns);
        self.used_ns = self.used_ns.saturating_add(elapsed_ns - before_ns);
        self.most_debt_ns = self.most_debt_ns.max(most_debt_ns);
        self.used_ns = self.used_ns.min(budget_ns.saturating_add(self.most_debt_ns));
    }

    /// Pays for another's time, as far as the budget goes. How much.
    pub fn pay(&mut self, now_ns: u64, elapsed_ns: u64) -> u64 {
        self.advance(now_ns);
        let paid_ns = elapsed_ns.min(self.left_ns());
        if self.budget.is_some() {
            self.used_ns = self.used_ns.saturating_add(paid_ns);
        }
        paid_ns
    }

    /// What is left in the present period.
    pub fn left_ns(&self) -> u64 {
        self.budget.map_or(u64::MAX, |budget| budget.budget_ns.saturating_sub(self.used_ns))
    }

    /// When there will be some again, if there is nothing left.
    pub fn replenished_ns(&self) -> u64 {
        let Some(TimeBudget { budget_ns, period_ns }) = self.budget else { return 0 };
        let periods = self.used_ns.checked_div(budget_ns).unwrap_or(0).max(1);
        self.ends_ns.saturating_add((periods - 1).saturating_mul(period_ns))
    }

    /// For people; nothing if there is no budget.
    pub fn picture(&self, now_ns: u64, throttled: bool) -> Option<TimePicture> {
        let budget = self.budget?;
        let mut now = Self { since_ns: self.since_ns, most_debt_ns: 0, ..Self::new(Some(budget)) };
        (now.ends_ns, now.used_ns) = (self.ends_ns, self.used_ns);
        if self.ends_ns != 0 {
            now.advance(now_ns);
        }
        Some(TimePicture {
            budget,
            used_ns: now.used_ns.min(budget.budget_ns),
            debt_ns: now.used_ns.saturating_sub(budget.budget_ns),
            throttled,
            throttlings: self.throttlings,
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test's panic is its failure")]
mod tests {
    use super::*;

    const FIFTH: TimeBudget = TimeBudget { budget_ns: 200, period_ns: 1_000 };

    fn fifth() -> Meter {
        let mut meter = Meter::new(Some(FIFTH));
        meter.advance(10_000);
        meter
    }

    #[test]
    fn a_budget_lasts_until_it_is_used_and_comes_back_with_the_period() {
        let mut meter = fifth();
        meter.spend(10_150, 150, 0);
        assert_eq!(meter.left_ns(), 50);
        meter.spend(10_200, 50, 0);
        assert_eq!((meter.left_ns(), meter.replenished_ns()), (0, 11_000));
        meter.advance(10_999);
        assert_eq!(meter.left_ns(), 0);
        meter.advance(11_000);
        assert_eq!(meter.left_ns(), 200);
    }

    #[test]
    fn what_is_not_used_is_lost() {
        let mut meter = fifth();
        meter.advance(1_000_000);
        assert_eq!(meter.left_ns(), 200);
    }

    #[test]
    fn debt_is_paid_from_the_next_replenishments() {
        let mut meter = fifth();
        meter.spend(10_650, 650, 10_000);
        // Three budgets and 50: there is some again when the fourth comes.
        assert_eq!((meter.left_ns(), meter.replenished_ns()), (0, 13_000));
        for (at, left) in [(11_000, 0), (12_000, 0), (12_999, 0), (13_000, 150)] {
            meter.advance(at);
            assert_eq!(meter.left_ns(), left, "at {at}");
        }
    }

    #[test]
    fn debt_is_no_more_than_is_allowed() {
        let mut meter = fifth();
        meter.spend(10_900, 900, 100);
        assert_eq!(meter.picture(10_900, true).unwrap().debt_ns, 100);
        // What was allowed inside of a server holds until the debt is paid.
        let mut meter = fifth();
        meter.spend(10_300, 300, 500);
        meter.spend(10_600, 300, 0);
        assert_eq!(meter.picture(10_600, true).unwrap().debt_ns, 400);
    }

    #[test]
    fn time_across_the_end_of_a_period_is_part_of_both() {
        let mut meter = fifth();
        meter.advance(10_900);
        meter.spend(11_050, 150, 0);
        assert_eq!(meter.left_ns(), 150);
    }

    #[test]
    fn who_helps_pays_no_more_than_it_has() {
        let mut meter = fifth();
        assert_eq!(meter.pay(10_100, 150), 150);
        assert_eq!(meter.pay(10_200, 100), 50);
        assert_eq!(meter.pay(10_300, 100), 0);
        assert_eq!(meter.picture(10_300, false).unwrap().debt_ns, 0);
        assert_eq!(Meter::default().pay(10_100, 150), 150);
    }

    #[test]
    fn a_clock_that_was_read_before_the_beginning_counts_nothing() {
        let mut meter = fifth();
        meter.begin(10_100, Switch { core: 0, switches: 1 });
        assert_eq!(meter.take_elapsed(10_050), 0);
        assert_eq!(meter.take_elapsed(10_150), 50);
        meter.end(10_150);
        assert_eq!(meter.take_elapsed(10_900), 0);
    }

    #[test]
    fn who_gives_way_to_nobody_pays_for_the_switch() {
        let here = Switch { core: 1, switches: 7 };
        let since = |gave_way: Option<Switch>| {
            let mut meter = fifth();
            meter.begin(10_000, here);
            meter.end(10_100);
            if let Some(at) = gave_way {
                meter.give_way(at);
            }
            meter.begin(10_130, here);
            let first = meter.take_elapsed(10_150);
            // What it gave way for is over.
            meter.end(10_150);
            meter.begin(10_190, here);
            (first, meter.take_elapsed(10_200))
        };
        assert_eq!(since(Some(here)), (50, 10));
        assert_eq!(since(None), (20, 10));
        assert_eq!(since(Some(Switch { switches: 6, ..here })), (20, 10));
        assert_eq!(since(Some(Switch { core: 0, ..here })), (20, 10));
    }

    /// Runs whenever it may, with stretches of every length: what it gets in all is what its budgets allow.
    #[test]
    fn over_many_periods_nobody_gets_more_than_its_budgets_and_one_debt() {
        const MOST_DEBT_NS: u64 = 700;
        let mut state = 1_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for budget_ns in [1, 50, 200, 999, 1_000] {
            let mut meter = Meter::new(Some(TimeBudget { budget_ns, period_ns: 1_000 }));
            let (mut now, mut used) = (5_000, 0);
            meter.advance(now);
            for _ in 0..20_000 {
                if meter.left_ns() == 0 {
                    now = now.max(meter.replenished_ns());
                    meter.advance(now);
                    assert!(meter.left_ns() > 0, "replenished, and nothing there");
                }
                // At most a whole debt beyond what is left, as the kernel sees to it.
                let stretch = 1 + random(meter.left_ns() + MOST_DEBT_NS);
                now += stretch;
                used += stretch;
                meter.spend(now, stretch, MOST_DEBT_NS);
                now += if random(4) == 0 { random(3_000) } else { 0 };
                meter.advance(now);
                let periods = (now - 5_000) / 1_000 + 1;
                assert!(
                    used <= periods * budget_ns + MOST_DEBT_NS,
                    "{used} in {periods} periods of {budget_ns}"
                );
            }
        }
    }
}
