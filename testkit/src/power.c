/* Preloaded into a server: writes down what a power cut would undo.
 *
 *   write, truncate, create, unlink, rename below POWER_CUT_DATA
 *       -> a record in POWER_CUT_FOLDER/log with what was there before and what was to be there, then the real call
 *   fsync, fdatasync
 *       -> the real call, then a record that everything so far of that file (or folder) is safe
 *
 * A record is written before its call and with one write, so a process killed at any moment leaves at most a torn
 * record of a call that never happened. One mutex keeps the order of records and calls the same.
 *
 * Files in POWER_CUT_FOLDER switch it while the server runs: with `ignore-syncs` a sync succeeds and keeps nothing
 * safe (a disk that lies); with `fail` writes and syncs fail now and then, drawn from POWER_CUT_SEED.
 *
 * Real calls are raw system calls: the names are ours. SQLite's -shm file is left alone, it is rebuilt anyway.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITE = 1, TRUNCATE, CREATE, UNLINK, RENAME, SYNC };

/* Followed by the path (for a rename: from, NUL, to), the old bytes and the new ones. The native byte order. */
struct record {
    uint64_t kind, path_bytes, offset, size_before, old_bytes, new_bytes;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char data[PATH_MAX], folder[PATH_MAX - 64];
static int log_file = -1;
static uint64_t saved, draws;

__attribute__((constructor)) static void start(void) {
    const char *data_path = getenv("POWER_CUT_DATA"), *folder_path = getenv("POWER_CUT_FOLDER");
    const char *seed = getenv("POWER_CUT_SEED");
    if (!data_path || !folder_path) return;
    snprintf(data, sizeof data, "%s/", data_path);
    snprintf(folder, sizeof folder, "%s", folder_path);
    draws = seed ? strtoull(seed, NULL, 10) : 0;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/log", folder);
    log_file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_file < 0) abort();
}

static int switched_on(const char *name) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

/* Whether a write or sync is to fail now. SplitMix64. */
static int fails(void) {
    if (!switched_on("fail")) return 0;
    uint64_t bits = (draws += 0x9E3779B97F4A7C15u);
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9u;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBu;
    bits ^= bits >> 31;
    if (bits % 64 != 0) return 0;
    errno = bits & 64 ? EIO : ENOSPC;
    return 1;
}

static int is_ours(const char *path) {
    size_t length = strlen(path);
    if (log_file < 0 || strncmp(path, data, strlen(data)) != 0) return 0;
    return !(length > 4 && strcmp(path + length - 4, "-shm") == 0);
}

/* The path of an open regular file or folder of ours. */
static int path_of(int file, char *path, struct stat *about) {
    char link[64];
    if (log_file < 0 || fstat(file, about) != 0) return 0;
    if (!S_ISREG(about->st_mode) && !S_ISDIR(about->st_mode)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    if (S_ISDIR(about->st_mode)) {
        return strlen(data) == (size_t)length + 1 && strncmp(path, data, length) == 0;
    }
    return is_ours(path);
}

/* The whole path of a name that may be relative to the working folder. */
static int path_at(const char *name, char *path) {
    if (name[0] == '/') {
        snprintf(path, PATH_MAX, "%s", name);
    } else {
        char here[PATH_MAX / 2];
        if (!getcwd(here, sizeof here)) return 0;
        snprintf(path, PATH_MAX, "%s/%s", here, name);
    }
    return is_ours(path);
}

static void note(struct record record, const char *path, const void *old, const void *new) {
    struct iovec parts[] = {
        {&record, sizeof record},
        {(void *)path, record.path_bytes},
        {(void *)old, record.old_bytes},
        {(void *)new, record.new_bytes},
    };
    size_t whole = sizeof record + record.path_bytes + record.old_bytes + record.new_bytes;
    if (syscall(SYS_writev, log_file, parts, 4) != (ssize_t)whole) abort();
}

/* What a file of ours holds there now; to be freed. */
static void *read_old(const char *path, uint64_t offset, uint64_t *bytes) {
    void *old = malloc(*bytes ? *bytes : 1);
    int file = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    ssize_t count = file < 0 || !old ? -1 : syscall(SYS_pread64, file, old, *bytes, offset);
    if (count < 0) abort();
    *bytes = count;
    syscall(SYS_close, file);
    return old;
}

static void note_truncate(const char *path, uint64_t size, uint64_t size_before) {
    struct record record = {TRUNCATE, strlen(path), size, size_before, 0, 0};
    record.old_bytes = size_before > size ? size_before - size : 0;
    void *old = read_old(path, size, &record.old_bytes);
    note(record, path, old, NULL);
    free(old);
}

/* Keeps a file that is about to lose its name, under a number. 0: there is none. */
static uint64_t save(const char *path) {
    char kept[PATH_MAX];
    snprintf(kept, sizeof kept, "%s/saved-%llu", folder, (unsigned long long)saved + 1);
    if (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, kept, 0) != 0) return 0;
    return ++saved;
}

static ssize_t write_at(int file, const void *bytes, size_t count, off_t offset, int moves) {
    char path[PATH_MAX];
    struct stat about;
    ssize_t result;
    if (!path_of(file, path, &about)) {
        return moves ? syscall(SYS_write, file, bytes, count) : syscall(SYS_pwrite64, file, bytes, count, offset);
    }
    pthread_mutex_lock(&mutex);
    if (moves) offset = lseek(file, 0, fcntl(file, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
    if (fails()) {
        result = -1;
    } else {
        struct record record = {WRITE, strlen(path), offset, about.st_size, count, count};
        void *old = read_old(path, offset, &record.old_bytes);
        note(record, path, old, bytes);
        free(old);
        result = moves ? syscall(SYS_write, file, bytes, count) : syscall(SYS_pwrite64, file, bytes, count, offset);
    }
    pthread_mutex_unlock(&mutex);
    return result;
}

ssize_t write(int file, const void *bytes, size_t count) { return write_at(file, bytes, count, 0, 1); }
ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    return write_at(file, bytes, count, offset, 0);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
    return write_at(file, bytes, count, offset, 0);
}

static ssize_t write_parts(int file, const struct iovec *parts, int count, off_t offset) {
    ssize_t total = 0;
    for (int part = 0; part < count; part++) {
        ssize_t done = write_at(file, parts[part].iov_base, parts[part].iov_len, offset + total, 0);
        if (done < 0) return total ? total : -1;
        total += done;
        if ((size_t)done < parts[part].iov_len) break;
    }
    return total;
}
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) {
    return write_parts(file, parts, count, offset);
}
ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t offset) {
    return write_parts(file, parts, count, offset);
}

int ftruncate(int file, off_t size) {
    char path[PATH_MAX];
    struct stat about;
    if (!path_of(file, path, &about)) return syscall(SYS_ftruncate, file, size);
    pthread_mutex_lock(&mutex);
    note_truncate(path, size, about.st_size);
    int result = syscall(SYS_ftruncate, file, size);
    pthread_mutex_unlock(&mutex);
    return result;
}
int ftruncate64(int file, off64_t size) { return ftruncate(file, size); }

static int sync_file(int file, int number) {
    char path[PATH_MAX];
    struct stat about;
    if (!path_of(file, path, &about)) return syscall(number, file);
    pthread_mutex_lock(&mutex);
    int result = fails() ? -1 : syscall(number, file);
    if (result == 0 && !switched_on("ignore-syncs")) {
        note((struct record){SYNC, strlen(path), 0, 0, 0, 0}, path, NULL, NULL);
    }
    pthread_mutex_unlock(&mutex);
    return result;
}
int fsync(int file) { return sync_file(file, SYS_fsync); }
int fdatasync(int file) { return sync_file(file, SYS_fdatasync); }

static int open_at(int at, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    struct stat about;
    int writes = (flags & O_ACCMODE) != O_RDONLY && (at == AT_FDCWD || name[0] == '/');
    if (!writes || !path_at(name, path)) return syscall(SYS_openat, at, name, flags, mode);
    pthread_mutex_lock(&mutex);
    int exists = stat(path, &about) == 0;
    if (!exists && flags & O_CREAT) {
        note((struct record){CREATE, strlen(path), 0, 0, 0, 0}, path, NULL, NULL);
    } else if (exists && flags & O_TRUNC && !(flags & O_EXCL)) {
        note_truncate(path, 0, about.st_size);
    }
    int file = syscall(SYS_openat, at, name, flags, mode);
    pthread_mutex_unlock(&mutex);
    return file;
}

#define MODE(flags, last)                       \
    mode_t mode = 0;                            \
    if ((flags) & O_CREAT) {                    \
        va_list list;                           \
        va_start(list, last);                   \
        mode = va_arg(list, mode_t);            \
        va_end(list);                           \
    }

int open(const char *name, int flags, ...) {
    MODE(flags, flags)
    return open_at(AT_FDCWD, name, flags, mode);
}
int open64(const char *name, int flags, ...) {
    MODE(flags, flags)
    return open_at(AT_FDCWD, name, flags, mode);
}
int openat(int at, const char *name, int flags, ...) {
    MODE(flags, flags)
    return open_at(at, name, flags, mode);
}
int openat64(int at, const char *name, int flags, ...) {
    MODE(flags, flags)
    return open_at(at, name, flags, mode);
}

int unlink(const char *name) {
    char path[PATH_MAX];
    if (!path_at(name, path)) return syscall(SYS_unlinkat, AT_FDCWD, name, 0);
    pthread_mutex_lock(&mutex);
    uint64_t number = save(path);
    if (number) note((struct record){UNLINK, strlen(path), number, 0, 0, 0}, path, NULL, NULL);
    int result = syscall(SYS_unlinkat, AT_FDCWD, name, 0);
    pthread_mutex_unlock(&mutex);
    return result;
}

int rename(const char *from, const char *to) {
    char paths[2 * PATH_MAX], target[PATH_MAX];
    if (!path_at(to, target) || !path_at(from, paths)) {
        return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    }
    pthread_mutex_lock(&mutex);
    size_t length = strlen(paths);
    memcpy(paths + length + 1, target, strlen(target) + 1);
    uint64_t number = save(target);
    note((struct record){RENAME, length + 1 + strlen(target), number, 0, 0, 0}, paths, NULL, NULL);
    int result = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    pthread_mutex_unlock(&mutex);
    return result;
}
