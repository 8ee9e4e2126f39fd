/* Tells a function's process the tests' time instead of the machine's: preloaded beside a binary that knows nothing of it. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Milliseconds since 1970, in a file that a test writes. */
static const volatile int64_t *millis;

__attribute__((constructor)) static void open_clock(void) {
    const char *path = getenv("TEST_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *millis, PROT_READ, MAP_SHARED, file, 0);
    if (at == MAP_FAILED) _exit(97);
    millis = at;
    close(file);
}

/* What waits goes by other clocks, which stay as they are. */
int clock_gettime(clockid_t clock, struct timespec *out) {
    if (clock != CLOCK_REALTIME) return (int)syscall(SYS_clock_gettime, clock, out);
    int64_t now = *millis;
    out->tv_sec = now / 1000;
    out->tv_nsec = now % 1000 * 1000000;
    return 0;
}
