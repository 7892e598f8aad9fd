/*
 * execs.c - a program without any C library that becomes itself again as fast as the kernel can: it adds one
 * to the eventfd(2) that it got as descriptor 100, and execs. Linked to where the stack is without
 * randomisation (setarch -R), so that an exec makes the fewest page tables.
 */
__asm__(".text\n"
        ".globl _start\n"
        "_start:\n"
        "mov $100, %edi\n"
        "lea one(%rip), %rsi\n"
        "mov $8, %edx\n"
        "mov $1, %eax\n" /* write */
        "syscall\n"
        "mov (%rsp), %rbx\n" /* argc */
        "lea self(%rip), %rdi\n"
        "lea 8(%rsp), %rsi\n"
        "lea 16(%rsp,%rbx,8), %rdx\n"
        "mov $59, %eax\n" /* execve */
        "syscall\n"
        "mov $60, %eax\n" /* exit */
        "mov $1, %edi\n"
        "syscall\n"
        ".balign 8\n"
        "one: .quad 1\n"
        "self: .ascii \"/proc/self/exe\\0\"\n");
