//! Segments and the stacks of interrupts: the tables that 64-bit mode still wants (SDM vol. 3, 3.4 and 8.7).

use spin::Once;
use x86_64::{
    instructions::{
        segmentation::{CS, DS, ES, SS, Segment},
        tables::load_tss,
    },
    structures::{
        gdt::{Descriptor, GlobalDescriptorTable, SegmentSelector},
        tss::TaskStateSegment,
    },
};

use super::stacks::{InterruptStack, interrupt_stack_top};

static TASK_STATE: Once<TaskStateSegment> = Once::new();
static SEGMENTS: Once<(GlobalDescriptorTable, Selectors)> = Once::new();

struct Selectors {
    code: SegmentSelector,
    data: SegmentSelector,
    task_state: SegmentSelector,
}

/// Loads the tables on this core. The boot code's own tables are not needed afterwards.
pub fn load() {
    let task_state = TASK_STATE.call_once(|| {
        let mut task_state = TaskStateSegment::new();
        for stack in [
            InterruptStack::DoubleFault,
            InterruptStack::NonMaskable,
            InterruptStack::MachineCheck,
            InterruptStack::Exception,
            InterruptStack::Device,
        ] {
            task_state.interrupt_stack_table[stack as usize] = interrupt_stack_top(stack);
        }
        task_state
    });
    let (table, selectors) = SEGMENTS.call_once(|| {
        let mut table = GlobalDescriptorTable::new();
        let code = table.append(Descriptor::kernel_code_segment());
        let data = table.append(Descriptor::kernel_data_segment());
        let task_state = table.append(Descriptor::tss_segment(task_state));
        (table, Selectors { code, data, task_state })
    });
    table.load();
    // SAFETY: the selectors are those of the table just loaded; code and data are flat, as the boot code's were.
    unsafe {
        CS::set_reg(selectors.code);
        DS::set_reg(selectors.data);
        ES::set_reg(selectors.data);
        SS::set_reg(selectors.data);
        load_tss(selectors.task_state);
    }
}
