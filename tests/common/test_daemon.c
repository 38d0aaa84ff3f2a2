/*
 * What all daemons can be asked to do.
 */
#include "common/daemon.h"

#include <criterion/criterion.h>
#include <sys/prctl.h>
#include <sys/resource.h>

Test(daemon, lets_no_core_file_be_made)
{
    struct common_daemon daemon;
    struct rlimit limit = {1, 1};

    common_daemon_init(&daemon, "prog");
    cr_assert(common_daemon_no_core(&daemon));
    cr_assert_eq(getrlimit(RLIMIT_CORE, &limit), 0);
    cr_expect_eq(limit.rlim_cur, 0);
    cr_expect_eq(limit.rlim_max, 0);
    cr_expect_eq(prctl(PR_GET_DUMPABLE, 0L, 0L, 0L, 0L), 0);
}
