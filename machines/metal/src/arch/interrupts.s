# Entries of all 256 interrupt vectors, and the way back out of a trapped program.
#
# Each entry is 16 bytes long, so that the entry of vector n is at interrupt_entries + 16 n. It makes every frame look alike
# (vector and error code are always there, see `InterruptFrame`) and calls Rust. No SSE register is saved: Rust code for
# this target has no floating point and no vectors, so a handler cannot touch a program's. (The one exception is the
# assembly that hashes artefacts, which no handler does.)

.text
.balign 16
.globl interrupt_entries
interrupt_entries:
.set vector, 0
.rept 256
    .balign 16
    # These push an error code themselves (SDM vol. 3, table 6-1; AMD APM vol. 2, table 8-1).
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    pushq $0
    .endif
    pushq $vector
    jmp interrupt_common
    .set vector, vector + 1
.endr

.balign 16
interrupt_common:
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    cld
    # The processor aligned the stack before its five words; with vector, error code and fifteen registers it is aligned again.
    movq %rsp, %rdi
    call handle_interrupt
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rbp
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rbx
    popq %rax
    addq $16, %rsp
    iretq

# Where a trapped program continues, on its own stack and with interrupts as they were: rdi, rsi, rdx, rcx are the
# arguments of the engine's trap handler, r8 is the handler. It does not return if the trap is the program's.
.balign 16
.globl trap_landing
trap_landing:
    andq $-16, %rsp
    call *%r8
    call trap_not_recognised
    ud2
