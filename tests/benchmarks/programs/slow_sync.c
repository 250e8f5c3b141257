/* Preloaded, it makes each sync a millisecond slower, as a busy disk does, and counts them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

long slow_syncs = 0;

static int slowly(const char *name, int file)
{
    struct timespec millisecond = {0, 1000000};
    int (*sync)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);

    __atomic_add_fetch(&slow_syncs, 1, __ATOMIC_RELAXED);
    nanosleep(&millisecond, NULL);
    return sync(file);
}

int fsync(int file) { return slowly("fsync", file); }
int fdatasync(int file) { return slowly("fdatasync", file); }
