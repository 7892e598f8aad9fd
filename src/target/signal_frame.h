/*
 * signal_frame.h - what the kernel puts on the stack of a thread that handles a signal, by what little else
 * has in it: on x86 the segment registers of the interrupted code (arch/x86/include/uapi/asm/sigcontext.h),
 * on arm64 the head of its vector registers (arch/arm64/include/uapi/asm/sigcontext.h).
 */
#ifndef TARGET_SIGNAL_FRAME_H
#define TARGET_SIGNAL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How far above the stack pointer a frame is looked for: room for a handler and what it calls. */
#define SIGNAL_FRAME_BELOW_BYTES 65536u

/**
 * Whether @stack, @bytes of a thread's stack from its stack pointer upwards, looks like one with such a
 * frame; of a 32-bit thread where @word_bytes is 4. True also where one was left by a handler that has
 * returned; and false for a 32-bit thread of an arm64 kernel.
 */
bool signal_frame_is_in(const uint8_t *stack, size_t bytes, unsigned word_bytes);

#endif
