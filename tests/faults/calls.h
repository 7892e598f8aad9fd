/* calls.h - which system calls can fail how: the faults that an injector plants (man pages, section 2). */
#ifndef FAULTS_CALLS_H
#define FAULTS_CALLS_H

#include <stddef.h>
#include <stdint.h>

/** Planted faults that are no errno: a call that does only half of its work. */
#define FAULT_SHORT (-1)
#define FAULTS_MAX 7

/** A system call and its faults, ended by 0: errno values that the kernel gives for it, or FAULT_SHORT. */
struct faulty_call {
    const char *name;
    int number; /* negative: this machine has no such call */
    int faults[FAULTS_MAX + 1];
    uint64_t second; /* it fails so only where its second argument is this; 0: always */
};

extern struct faulty_call FAULTY_CALLS[];
extern const size_t FAULTY_CALLS_COUNT;

/** Fill in the numbers; before anything else. */
void faulty_calls_resolve(void);

/** The row of call @number with that @second argument; NULL: there is no way for it to fail. */
const struct faulty_call *faulty_call_find(int number, uint64_t second);

/** "EMFILE" …, "short". */
const char *fault_name(int fault);

#endif
