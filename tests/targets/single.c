/* single.c - one thread: blocks of many sizes, every other one freed again: tcache, fastbins, bins, mmapped.
 */
#include <stdint.h>
#include <stdlib.h>

#include "truth.h"

int main(void)
{
    truth_init();
    uint32_t random = 12345;
    size_t places[6000];
    for (size_t i = 0; i < 6000; i++) {
        random = random * 1664525u + 1013904223u;
        uint32_t choice = random >> 8;
        size_t bytes = choice % 100 == 0 ? choice % 300000 : choice % 10 == 0 ? choice % 9000 : choice % 700;
        places[i] = truth_malloc(bytes + 1);
    }
    for (size_t i = 0; i < 6000; i++) {
        random = random * 1664525u + 1013904223u;
        if ((random >> 16) % 2 == 0) {
            truth_free(places[i]);
        }
    }
    for (size_t i = 0; i < 300; i++) {
        random = random * 1664525u + 1013904223u;
        truth_malloc((random >> 12) % 3000 + 1);
    }
    truth_serve(NULL);
    return 0;
}
