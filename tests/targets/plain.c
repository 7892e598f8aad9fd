/* plain.c - allocates by whatever malloc it gets, says "ready" and waits; needs no more than ISO C and POSIX.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS 1000
#define BLOCK_BYTES 1000

int main(void)
{
    char byte;
    for (int i = 0; i < BLOCKS; i++) {
        char *volatile block = malloc(BLOCK_BYTES);
        if (block == NULL) {
            return 1;
        }
        memset(block, 1, BLOCK_BYTES);
    }
    if (write(STDOUT_FILENO, "5\nready", 7) != 7) {
        return 1;
    }
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return 0;
}
