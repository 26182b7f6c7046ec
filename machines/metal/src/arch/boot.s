# From the loader's 32-bit entry to 64-bit Rust with paging on.
#
# On entry (Xen's PVH ABI): protected mode, no paging, flat segments, ebx = physical address of the start info,
# interrupts off, no usable stack. What lies in .boot and .boot_data is linked at its physical address.
#
# The page tables made here are crude (everything writable and executable, 4 GiB seen three times) and live only
# until Rust has built proper ones.

.section .boot, "ax"
.code32
.globl boot_entry
boot_entry:
    cli
    cld
    movl %ebx, %edi

    # Page directories: 2048 entries of 2 MiB map the first 4 GiB. present | writable | large page
    xorl %ecx, %ecx
1:  movl %ecx, %eax
    shll $21, %eax
    orl $0x83, %eax
    movl %eax, boot_directories(, %ecx, 8)
    incl %ecx
    cmpl $2048, %ecx
    jne 1b

    # One pointer table leads to all four directories …
    movl $boot_directories, %eax
    orl $3, %eax
    xorl %ecx, %ecx
2:  movl %eax, boot_pointers_low(, %ecx, 8)
    addl $4096, %eax
    incl %ecx
    cmpl $4, %ecx
    jne 2b
    # … another to the first one only, at its entry for the last 2 GiB.
    movl $boot_directories, %eax
    orl $3, %eax
    movl %eax, boot_pointers_high + 510 * 8

    # The top table: where this code runs, the direct map, the kernel's window.
    movl $boot_pointers_low, %eax
    orl $3, %eax
    movl %eax, boot_root
    movl %eax, boot_root + 256 * 8
    movl $boot_pointers_high, %eax
    orl $3, %eax
    movl %eax, boot_root + 511 * 8

    # cr4.PAE; efer.LME and NXE; cr0.PG, WP and PE (SDM vol. 3, 10.8.5).
    movl %cr4, %eax
    orl $0x20, %eax
    movl %eax, %cr4
    movl $boot_root, %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x900, %eax
    wrmsr
    movl %cr0, %eax
    orl $0x80010001, %eax
    movl %eax, %cr0

    lgdt boot_descriptor_table
    ljmp $8, $boot_long_mode

.code64
boot_long_mode:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movabsq $boot_stack_top, %rsp
    # Ends the chain of frame pointers.
    xorl %ebp, %ebp
    # The start info's address is the argument; its upper half is not defined after the switch.
    movl %edi, %edi
    movabsq $machine_start, %rax
    call *%rax
    ud2

# Descriptors with their accessed bit set, so that the processor need not write them here.
.balign 8
boot_descriptors:
    .quad 0
    .quad 0x00af9b000000ffff    # 64-bit code
    .quad 0x00cf93000000ffff    # data
boot_descriptor_table:
    .word 23
    .long boot_descriptors

.section .boot_data, "aw", @nobits
.balign 4096
boot_root:
    .skip 4096
boot_pointers_low:
    .skip 4096
boot_pointers_high:
    .skip 4096
boot_directories:
    .skip 4 * 4096
