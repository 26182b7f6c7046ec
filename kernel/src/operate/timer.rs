//! Timers: arm, disarm.

use hallows_abi::{Error, OnTimer, Reply, Rights};

use super::Request;
use crate::lock::{Token, level};
use crate::objects::TimerSetting;
use crate::slot::Via;
use crate::timers::Due;
use crate::{Context, Engine, Kernel, Nanos};

/// The shortest period of a timer, in ns: a few hundred timers that fired at every look of the timekeeper would delay all quanta and
/// deadlines.
const SHORTEST_PERIOD_NS: u64 = 10_000;

impl<E: Engine> Kernel<E> {
    pub(super) fn operate_timer(
        &self,
        context: &mut Context,
        request: &Request<'_, E>,
        operation: OnTimer,
    ) -> Result<Reply, Error> {
        request.needs(Rights::SEND)?;
        let (index, record) = (request.index(), self.timers.at(request.index()));
        let (at_ns, period_ns, slack_ns) = match operation {
            OnTimer::Arm { at_ns, every_ns, slack_ns } => {
                let period_ns = if every_ns == 0 { 0 } else { every_ns.max(SHORTEST_PERIOD_NS) };
                (at_ns.min(Nanos::NEVER.0), period_ns, slack_ns)
            }
            OnTimer::Disarm => (Nanos::NEVER.0, 0, 0),
        };
        let armed_on = context.core.0;
        let (mut setting, mut token) = record.setting.lock(&mut context.token);
        // Under the lock that its end disarms it under: the next timer at this index is not this one's to set.
        if !record.generation.is(request.generation()) {
            return Err(Error::Gone);
        }
        self.unqueue_timer(&mut token, index, &setting);
        *setting = TimerSetting { at_ns, period_ns, slack_ns, armed_on, ..*setting };
        self.queue_timer(&mut token, armed_on, index, &setting);
        Ok(Reply::Done)
    }

    fn unqueue_timer<const M: u8>(&self, token: &mut Token<'_, M>, timer: u32, setting: &TimerSetting) {
        if setting.at_ns != Nanos::NEVER.0 {
            let agenda = &self.core(setting.armed_on).agenda;
            agenda.change(token, |queue| queue.remove(setting.due_ns(), Due::Timer(timer)));
        }
    }

    /// Disarms a timer; the capability that it holds.
    pub(crate) fn disarm_timer(&self, token: &mut Token<'static, { level::NONE }>, timer: u32) -> Via {
        let (mut setting, mut token) = self.timers.at(timer).setting.lock(token);
        self.unqueue_timer(&mut token, timer, &setting);
        setting.at_ns = Nanos::NEVER.0;
        setting.target
    }
}
