/* go_like.c - a program without any C library that carries the note of Go's linker (built -nostdlib -static).
 */
__asm__(".section .note.go.buildid,\"a\",@note\n"
        ".long 4, 8, 4\n"
        ".ascii \"Go\\0\\0\"\n"
        ".ascii \"testtest\"\n"
        ".text\n"
        ".globl _start\n"
        "_start:\n"
        "mov $1, %edi\n"
        "lea ready(%rip), %rsi\n"
        "mov $7, %edx\n"
        "mov $1, %eax\n" /* write */
        "syscall\n"
        "1: mov $34, %eax\n" /* pause */
        "syscall\n"
        "jmp 1b\n"
        ".section .rodata\n"
        "ready: .ascii \"5\\nready\"\n");
