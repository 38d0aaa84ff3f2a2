/*
 * Lets criterion's programs run under sanitizers. Linked into every test
 * program; only that of a sanitizer does anything.
 */
#if defined(__SANITIZE_ADDRESS__)

#include <stdlib.h>

/* LeakSanitizer asks this at the end of a process. Criterion's runner leaks a
 * little for each test with a timeout; the processes of the tests themselves,
 * which BoxFort marks in their environment, are looked at. */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
    return getenv("BXFI_MAP") == NULL;
}

#endif

#if defined(__SANITIZE_THREAD__)

/*
 * BoxFort, which runs criterion's tests in processes of their own, shares
 * memory with them at a fixed address. It chooses that at random where TSan
 * keeps its shadow, and TSan refuses. Here such a mapping is moved to where
 * TSan lets programs have theirs, below the program itself.
 */

#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UNSEEN __attribute__((no_sanitize_thread))
#define OURS UNSEEN __attribute__((visibility("default")))

/* What BoxFort chooses from, in steps of 16 MiB, and where it goes. */
#define BOXFORT_MIN UINT64_C(0x200000000000)
#define BOXFORT_MAX UINT64_C(0x600000000000)
#define STEPS_MASK UINT64_C(0x3fff000000)
#define MOVED_MIN UINT64_C(0x550000000000)
#define MOVED_MAX UINT64_C(0x554000000000)

/* TSan's own. */
void *__interceptor_mmap64(void *address, size_t size, int protection,
                           int flags, int fd, off_t offset);

/* Has no header of its own without _LARGEFILE64_SOURCE. */
void *mmap64(void *address, size_t size, int protection, int flags, int fd,
             off_t offset);

/* TSan itself calls what is here, before it can follow a function. */
static UNSEEN void *
moved(void *address)
{
    uint64_t at = (uintptr_t)address;

    if (at >= BOXFORT_MIN && at < BOXFORT_MAX &&
        !(at >= MOVED_MIN && at < MOVED_MAX)) {
        at = MOVED_MIN + (at & STEPS_MASK);
    }
    return (void *)(uintptr_t)at;
}

/* With this BoxFort asks whether its address is free. */
OURS int
mincore(void *address, size_t size, unsigned char *pages)
{
    return (int)syscall(SYS_mincore, moved(address), size, pages);
}

OURS void *
mmap64(void *address, size_t size, int protection, int flags, int fd,
       off_t offset)
{
    if ((flags & MAP_FIXED) != 0 && (flags & MAP_SHARED) != 0) {
        address = moved(address);
    }
    return __interceptor_mmap64(address, size, protection, flags, fd, offset);
}

#endif

/* A file must declare something. */
extern const int sanitizers_unused;
