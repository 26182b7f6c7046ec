//! The preemption check: what compiled code does to notice that it shall stop.
//!
//! Problem: wasmtime's own check keeps two values alive through every function, the counter's address and the deadline, and calls the
//! runtime in a way that may change any register; so a loop with a check spills what it would else keep in registers, which costs more
//! than the check. Rule: the counter's address is loaded at each check, a counter that is not zero means stop, and the call
//! preserves all registers. Consequence: there are no deadlines in compiled code; who runs it says "call me at every check" by a
//! counter that is never zero.
//!
//! Part of the patched `wasmtime-internal-cranelift` (see `apply.sh`), where it is `func_environ::preemption`.

use super::*;

impl FuncEnvironment<'_> {
    /// A check at the entry of a function or the head of a loop.
    pub(super) fn preemption_check(&mut self, builder: &mut FunctionBuilder<'_>) {
        let stop = builder.create_block();
        builder.set_cold_block(stop);
        let go_on = builder.create_block();

        let address = self.epoch_ptr(builder);
        let counter = self.alias_regions.epoch_counter(&mut builder.cursor(), address);
        let is_set = builder.ins().icmp_imm_u(IntCC::NotEqual, counter, 0);
        builder.ins().brif(is_set, stop, &[], go_on, &[]);
        builder.seal_block(stop);

        builder.switch_to_block(stop);
        let new_epoch = self.preserving_new_epoch(builder.func);
        let context = self.vmctx_val(&mut builder.cursor());
        builder.ins().call(new_epoch, &[context]);
        builder.ins().jump(go_on, &[]);
        builder.seal_block(go_on);

        builder.switch_to_block(go_on);
    }

    /// The runtime's `new_epoch`, through the trampoline that wasmtime makes for calls which preserve all registers; it returns nothing.
    ///
    /// Kept where the ordinary form would be: wasmtime makes one trampoline for each of the runtime's functions, so a module may
    /// use one form only.
    fn preserving_new_epoch(&mut self, func: &mut Function) -> ir::FuncRef {
        let builtin = BuiltinFunctionIndex::new_epoch();
        let slot = builtin.index() as usize;
        if let Some(known) = self.builtin_functions.builtins[slot] {
            return known;
        }
        let mut signature = ir::Signature::new(CallConv::PreserveAll);
        signature.params.push(ir::AbiParam::new(self.pointer_type()));
        let (namespace, index) = FuncKey::PatchableToBuiltinTrampoline(builtin).into_raw_parts();
        let name = func.declare_imported_user_function(ir::UserExternalName { namespace, index });
        let signature = func.import_signature(signature);
        let function = func.import_function(ir::ExtFuncData {
            name: ir::ExternalName::User(name),
            signature,
            colocated: true,
            // The call is always there, unlike a debugger's.
            patchable: false,
        });
        self.builtin_functions.builtins[slot] = Some(function);
        function
    }
}
