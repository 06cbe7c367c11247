/* The machine's clock, an hour back as long as the file named by CLOCK_BACK_WHILE is there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(clock, at);
    const char *file = getenv("CLOCK_BACK_WHILE");
    if (clock == CLOCK_REALTIME && file && access(file, F_OK) == 0) at->tv_sec -= 3600;
    return done;
}
