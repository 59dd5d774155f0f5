/* Loaded before all other libraries: the n-th call on a file below a folder fails, whoever makes it. A write fails
   half-way. Nothing fails, and nothing is counted, before arm_faults() was called. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[4096], log_name[4096];
static long number, calls;
static int error_number, stays, armed;

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) \
        real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

void arm_faults(const char *below, const char *log, long which, int error, int from_then_on)
{
    snprintf(folder, sizeof folder, "%s/", below);
    snprintf(log_name, sizeof log_name, "%s", log);
    number = which, error_number = error, stays = from_then_on, calls = 0, armed = 1;
}

static int due(const char *name, int descriptor)
{
    char link[64], path[4096], line[8192];
    if (!armed)
        return 0;
    int kept = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = kept;
    if (length < 0)
        return 0;
    path[length] = 0;
    if (strncmp(path, folder, strlen(folder)))
        return 0;
    armed = 0;
    int log = open(log_name, O_WRONLY | O_APPEND | O_CLOEXEC);
    snprintf(line, sizeof line, "worker %s %s\n", name, path + strlen(folder));
    if (log >= 0) {
        if (write(log, line, strlen(line)) < 0)
            perror("the log of failing calls");
        close(log);
    }
    armed = 1;
    errno = kept;
    calls++;
    return calls == number || (stays && number > 0 && calls > number);
}

static int fail(void)
{
    errno = error_number;
    return -1;
}

ssize_t write(int fd, const void *data, size_t size)
{
    REAL(write);
    if (!due("write", fd))
        return real(fd, data, size);
    real(fd, data, size / 2);
    return fail();
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    REAL(pwrite);
    if (!due("pwrite", fd))
        return real(fd, data, size, offset);
    real(fd, data, size / 2, offset);
    return fail();
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    REAL(pwrite64);
    if (!due("pwrite", fd))
        return real(fd, data, size, offset);
    real(fd, data, size / 2, offset);
    return fail();
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(writev);
    if (!due("writev", fd))
        return real(fd, parts, count);
    real(fd, parts, count / 2);
    return fail();
}

int ftruncate(int fd, off_t size)
{
    REAL(ftruncate);
    return due("ftruncate", fd) ? fail() : real(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    REAL(ftruncate64);
    return due("ftruncate", fd) ? fail() : real(fd, size);
}

off_t lseek(int fd, off_t offset, int whence)
{
    REAL(lseek);
    return due("lseek", fd) ? fail() : real(fd, offset, whence);
}

off64_t lseek64(int fd, off64_t offset, int whence)
{
    REAL(lseek64);
    return due("lseek", fd) ? fail() : real(fd, offset, whence);
}
