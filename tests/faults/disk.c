/* Stands between a process and its disk: records what is done to the files of one folder, step by
 * step, lets the nth step fail, or kills the process right before it. Preloaded; driven through the
 * functions disk_*() by preloaded_disk.py. One step at a time: the order of the record is the order
 * of the disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, CHANGE = 4 };

static pthread_mutex_t turn = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static char watched[PATH_MAX];
static size_t watched_size;
static int record = -1;
static long writes, syncs, changes;
static int failing_kinds, failing_error, failing_lasts;
static long failing_at, killing_at;

#define REAL(type, name, ...)                                 \
    static type (*real)(__VA_ARGS__);                         \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static int is_watched(const char *path)
{
    return watched_size && !strncmp(path, watched, watched_size) && path[watched_size] == '/' &&
           strcmp(path + strlen(path) - 4, "-shm");
}

static int path_of(int file, char *path)
{
    char link[64];
    ssize_t size;
    int kept = errno;

    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    size = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    errno = kept;
    if (size <= 4) return 0;
    path[size] = 0;
    return is_watched(path);
}

static int absolute(const char *path, char *whole)
{
    if (path[0] == '/') snprintf(whole, PATH_MAX, "%s", path);
    else whole[0] = 0; /* stores name their files by absolute paths */
    return whole[0] && is_watched(whole);
}

static void put(const void *data, size_t size)
{
    const char *at = data;
    while (size) {
        ssize_t done = syscall(SYS_write, record, at, size);
        if (done <= 0) return;
        at += done;
        size -= done;
    }
}

static void note(const char *what, unsigned long inode, long at, const char *path, const char *other,
                 const void *data, size_t size)
{
    char line[3 * PATH_MAX];
    int kept = errno;
    if (record < 0) return;
    put(line, snprintf(line, sizeof line, "%s\t%lu\t%ld\t%zu\t%s\t%s\n", what, inode, at, size,
                       path, other));
    put(data, size);
    errno = kept;
}

static unsigned long inode_of(int file)
{
    struct stat found;
    int kept = errno;
    if (fstat(file, &found)) found.st_ino = 0;
    errno = kept;
    return found.st_ino;
}

/* Whether the step that comes now is to fail; does not return when it is the one to die before. */
static int fails(int kind)
{
    long number, *count = kind == WRITE ? &writes : kind == SYNC ? &syncs : &changes;
    ++*count;
    if (killing_at && writes + syncs + changes == killing_at) kill(getpid(), SIGKILL), pause();
    if (!(failing_kinds & kind)) return 0;
    number = (failing_kinds & WRITE ? writes : 0) + (failing_kinds & SYNC ? syncs : 0) +
             (failing_kinds & CHANGE ? changes : 0);
    if (number < failing_at || (number > failing_at && !failing_lasts)) return 0;
    errno = failing_error;
    return 1;
}

#define ENTER pthread_mutex_lock(&turn)
#define LEAVE(result)                  \
    do {                               \
        int kept_ = errno;             \
        pthread_mutex_unlock(&turn);   \
        errno = kept_;                 \
        return result;                 \
    } while (0)

void disk_watch(const char *folder)
{
    snprintf(watched, sizeof watched, "%s", folder);
    watched_size = strlen(watched);
}

void disk_record(const char *path)
{
    ENTER;
    if (record >= 0) syscall(SYS_close, record);
    record = path ? syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600) : -1;
    pthread_mutex_unlock(&turn);
}

void disk_mark(const char *text)
{
    ENTER;
    note("mark", 0, 0, "", "", text, strlen(text));
    pthread_mutex_unlock(&turn);
}

void disk_fail(int kinds, long nth, int error, int lasts)
{
    ENTER;
    writes = syncs = changes = 0;
    failing_kinds = kinds, failing_at = nth, failing_error = error, failing_lasts = lasts;
    pthread_mutex_unlock(&turn);
}

void disk_kill(long nth)
{
    ENTER;
    writes = syncs = changes = 0;
    killing_at = nth;
    pthread_mutex_unlock(&turn);
}

long disk_steps(int kinds)
{
    return (kinds & WRITE ? writes : 0) + (kinds & SYNC ? syncs : 0) + (kinds & CHANGE ? changes : 0);
}

/* What fails half way has written half. */
static ssize_t writing(int file, const void *data, size_t size, off_t at, int positioned)
{
    char path[PATH_MAX];
    ssize_t done;
    int fail;

    if (!watched_size || !path_of(file, path))
        return positioned ? syscall(SYS_pwrite64, file, data, size, at)
                          : syscall(SYS_write, file, data, size);
    ENTER;
    fail = fails(WRITE);
    if (!positioned) at = lseek(file, 0, SEEK_CUR);
    done = syscall(SYS_pwrite64, file, data, fail ? size / 2 : size, at);
    if (done > 0) {
        note("write", inode_of(file), at, path, "", data, done);
        if (!positioned && !fail) lseek(file, at + done, SEEK_SET);
    }
    if (fail) {
        errno = failing_error;
        done = -1;
    }
    LEAVE(done);
}

ssize_t write(int file, const void *data, size_t size) { return writing(file, data, size, 0, 0); }
ssize_t pwrite(int file, const void *data, size_t size, off_t at)
{
    return writing(file, data, size, at, 1);
}
ssize_t pwrite64(int file, const void *data, size_t size, off64_t at)
{
    return writing(file, data, size, at, 1);
}

static int syncing(int file, long call)
{
    char path[PATH_MAX];
    int done, fail;

    if (!watched_size || !(path_of(file, path) || !strcmp(path, watched))) return syscall(call, file);
    ENTER;
    fail = fails(SYNC);
    done = fail ? -1 : syscall(call, file);
    note(fail ? "sync failed" : "sync", inode_of(file), 0, path, "", "", 0);
    LEAVE(done);
}

int fsync(int file) { return syncing(file, SYS_fsync); }
int fdatasync(int file) { return syncing(file, SYS_fdatasync); }

static int cutting(int file, off_t size)
{
    char path[PATH_MAX];
    int done;

    if (!watched_size || !path_of(file, path)) return syscall(SYS_ftruncate, file, size);
    ENTER;
    done = fails(CHANGE) ? -1 : syscall(SYS_ftruncate, file, size);
    if (!done) note("cut", inode_of(file), size, path, "", "", 0);
    LEAVE(done);
}

int ftruncate(int file, off_t size) { return cutting(file, size); }
int ftruncate64(int file, off64_t size) { return cutting(file, size); }

static int opening(int folder, const char *name, int flags, mode_t mode)
{
    char path[PATH_MAX];
    struct stat before;
    int file, is_new, cuts;

    if (!watched_size || !(flags & (O_CREAT | O_TRUNC)) || !absolute(name, path))
        return syscall(SYS_openat, folder, name, flags, mode);
    ENTER;
    is_new = stat(path, &before) != 0;
    cuts = !is_new && (flags & O_TRUNC) && before.st_size;
    if ((is_new || cuts) && fails(CHANGE)) LEAVE(-1);
    file = syscall(SYS_openat, folder, name, flags, mode);
    if (file >= 0 && is_new) note("create", inode_of(file), 0, path, "", "", 0);
    if (file >= 0 && cuts) note("cut", inode_of(file), 0, path, "", "", 0);
    LEAVE(file);
}

#define MODE                                   \
    mode_t mode = 0;                           \
    if (flags & O_CREAT) {                     \
        va_list more;                          \
        va_start(more, flags);                 \
        mode = va_arg(more, mode_t);           \
        va_end(more);                          \
    }

int open(const char *name, int flags, ...) { MODE return opening(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...)
{
    MODE return opening(AT_FDCWD, name, flags | O_LARGEFILE, mode);
}
int openat(int folder, const char *name, int flags, ...)
{
    MODE return opening(folder, name, flags, mode);
}
int openat64(int folder, const char *name, int flags, ...)
{
    MODE return opening(folder, name, flags | O_LARGEFILE, mode);
}

int rename(const char *old, const char *new)
{
    char from[PATH_MAX], to[PATH_MAX];
    int done;
    REAL(int, "rename", const char *, const char *);

    if (!watched_size || !absolute(old, from) || !absolute(new, to)) return real(old, new);
    ENTER;
    done = fails(CHANGE) ? -1 : real(old, new);
    if (!done) note("rename", 0, 0, from, to, "", 0);
    LEAVE(done);
}

#define ON_NAME(function, word, call)                                  \
    {                                                                  \
        char path[PATH_MAX];                                           \
        int done;                                                      \
        if (!watched_size || !absolute(name, path)) return call;       \
        ENTER;                                                         \
        done = fails(CHANGE) ? -1 : call;                              \
        if (!done) note(word, 0, 0, path, "", "", 0);                  \
        LEAVE(done);                                                   \
    }

int unlink(const char *name) ON_NAME(unlink, "remove", syscall(SYS_unlinkat, AT_FDCWD, name, 0))
int rmdir(const char *name)
    ON_NAME(rmdir, "remove", syscall(SYS_unlinkat, AT_FDCWD, name, AT_REMOVEDIR))
int mkdir(const char *name, mode_t mode)
    ON_NAME(mkdir, "make folder", syscall(SYS_mkdirat, AT_FDCWD, name, mode))
