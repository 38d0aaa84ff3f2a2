/*
 * What a user of payctl and petctl has before him: kvd, paymentd and petstored
 * as processes, with their files in one folder, and the tools told of them by
 * the environment.
 */
#ifndef TESTS_CLIENTS_FRONT_H
#define TESTS_CLIENTS_FRONT_H

#include "support/daemon.h"

#include <criterion/criterion.h>
#include <rpcrt/status.h>
#include <stdbool.h>
#include <string.h>

#define FRONT_GOOD_CARD "4111111111111111"
#define FRONT_POOR_CARD "5555555555554444"
#define FRONT_WRONG_CARD "4111111111111112"
#define FRONT_PATH_SIZE 160u

struct front {
    char folder[64];
    struct daemon kvd;
    struct daemon paymentd;
    struct daemon petstored;
    bool has_shop;
    struct daemon_result result; /* of the last front_run() */
};

/* A folder alone, for tests that need no daemon. */
void front_folder(struct front *front);

/* Also start kvd and paymentd, and petstored if there is to be a shop; the
 * operator's token is in "operator", the merchant's in "merchant", the password
 * of sam, who is staff, in "sam". */
void front_open(struct front *front, bool with_shop);

/* End what was started, each with exit code 0, and remove the folder. */
void front_close(struct front *front);

/* The path of a file in the folder. */
const char *front_path(const struct front *front, const char *name,
                       char ret_path[FRONT_PATH_SIZE]);
/* The same with "@" in front, for an argument that names a file. */
const char *front_at(const struct front *front, const char *name,
                     char ret_path[FRONT_PATH_SIZE]);
/* Write such a file. */
void front_write(const struct front *front, const char *name, const char *text);

/* Run a tool with words that end with NULL; returns the exit code. */
int front_run(struct front *front, const char *variable, const char *input,
              const char *const *words);

#define PAYCTL(front, ...)                                                     \
    front_run(front, "PAYCTL", NULL, (const char *const[]){__VA_ARGS__, NULL})
#define PETCTL(front, ...)                                                     \
    front_run(front, "PETCTL", NULL, (const char *const[]){__VA_ARGS__, NULL})

/* Expectations, which show what was printed. */
#define EXPECT_EXIT(front, wanted, run)                                        \
    do {                                                                       \
        int got_ = (run);                                                      \
        cr_assert_eq(got_, wanted, "exit code %d: %s%s", got_,                 \
                     (front)->result.out, (front)->result.err);                \
    } while (0)
#define EXPECT_OUT(front, text)                                                \
    cr_assert_str_eq((front)->result.out, text, "'%s' '%s'",                   \
                     (front)->result.out, (front)->result.err)
#define EXPECT_IN(text, part)                                                  \
    cr_assert_not_null(strstr(text, part), "'%s' is not in '%s'", part, text)
#define EXPECT_NOT_IN(text, part)                                              \
    cr_assert_null(strstr(text, part), "'%s' is in '%s'", part, text)

/* The value of a text member of JSON, the first with that name. */
void front_member(const char *json, const char *name, char *ret_value,
                  size_t size);

#endif
