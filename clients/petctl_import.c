/*
 * Bringing a catalogue into the shop: several calls are on their way at once.
 * Each entry has an id that stays the same, so a call without an answer is made
 * again, and so is a whole import.
 */
#include "petctl.h"
#include "petctl_catalogue.h"
#include "progress.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define JOBS_DEFAULT 16u
#define JOBS_MAX 64u
#define TRIES_MAX 5u
#define PAUSE_MS 200u

/* A call, and what it carries. */
struct slot {
    struct import *import;
    struct rpcrt_call *call;
    const struct catalogue_entry *entry; /* NULL: free */
    unsigned tries;
    bool done; /* under the import's lock */
};

struct import {
    struct cli *cli;
    struct catalogue catalogue;
    struct progress progress;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct slot slots[JOBS_MAX];
    size_t n_slots;
    size_t n_busy;
    size_t n_taken;
    int exit_code; /* of what makes going on useless; 0: go on */
};

/* On a thread of the runtime. */
static void
slot_done(struct rpcrt_call *call, void *arg)
{
    struct slot *slot = arg;

    (void)call;
    (void)pthread_mutex_lock(&slot->import->lock);
    slot->done = true;
    (void)pthread_cond_signal(&slot->import->ended);
    (void)pthread_mutex_unlock(&slot->import->lock);
}

static void
slot_start(struct slot *slot)
{
    Petstore__V1__AddPetRequest request = PETSTORE__V1__ADD_PET_REQUEST__INIT;
    Petstore__V1__Money price = PETSTORE__V1__MONEY__INIT;
    Petstore__V1__Pet pet = PETSTORE__V1__PET__INIT;

    price.minor = slot->entry->price;
    price.currency = slot->entry->currency;
    pet.id = slot->entry->id;
    pet.species = slot->entry->species;
    pet.name = slot->entry->name;
    pet.description = slot->entry->description;
    pet.price = &price;
    request.pet = &pet;
    slot->done = false;
    slot->tries++;
    petstore_add_pet_start(slot->call, &request, slot_done, slot);
}

/* Wait until a call has ended, and return its slot. */
static struct slot *
slot_wait(struct import *import)
{
    struct slot *found = NULL;
    size_t i;

    (void)pthread_mutex_lock(&import->lock);
    while (found == NULL) {
        for (i = 0; i < import->n_slots && found == NULL; i++) {
            if (import->slots[i].entry != NULL && import->slots[i].done) {
                found = &import->slots[i];
            }
        }
        if (found == NULL) {
            (void)pthread_cond_wait(&import->ended, &import->lock);
        }
    }
    (void)pthread_mutex_unlock(&import->lock);
    return found;
}

/* Whether a refusal is this entry's own, and the others may yet be taken. */
static bool
is_of_entry(enum rpcrt_code code)
{
    return code == RPCRT_INVALID_ARGUMENT || code == RPCRT_ALREADY_EXISTS;
}

/* Take what a call has brought. Made again if it has no answer. */
static void
slot_finish(struct slot *slot)
{
    static const struct timespec pause = {0, PAUSE_MS * 1000000L};
    struct import *import = slot->import;
    const Petstore__V1__AddPetReply *reply = NULL;
    enum rpcrt_code code = petstore_add_pet_take(slot->call, &reply);
    char text[CLI_FAILURE_SIZE];

    if (code != RPCRT_OK && cli_failure_is_passing(slot->call) &&
        slot->tries < TRIES_MAX && import->exit_code == 0) {
        (void)nanosleep(&pause, NULL);
        slot_start(slot);
        return;
    }
    if (code == RPCRT_OK) {
        import->n_taken++;
    } else if (is_of_entry(code)) {
        cli_failure_text(import->cli, slot->call, text);
        progress_clear(&import->progress);
        catalogue_complain(import->cli, &import->catalogue, slot->entry->line,
                           slot->entry->number, "%s", text);
        import->catalogue.n_wrong++;
    } else if (import->exit_code == 0) {
        cli_failure_text(import->cli, slot->call, text);
        progress_clear(&import->progress);
        catalogue_complain(import->cli, &import->catalogue, slot->entry->line,
                           slot->entry->number, "stopped here: %s", text);
        import->exit_code = CLI_EXIT_STATUS + (int)code;
    }
    progress_step(&import->progress);
    slot->entry = NULL;
    import->n_busy--;
}

/* Send all entries, as many at once as there are slots. */
static void
import_run(struct import *import)
{
    size_t next = 0;
    size_t i;

    while (import->n_busy > 0 ||
           (next < import->catalogue.n_entries && import->exit_code == 0)) {
        for (i = 0; i < import->n_slots && import->exit_code == 0 &&
                    next < import->catalogue.n_entries;
             i++) {
            struct slot *slot = &import->slots[i];

            if (slot->entry == NULL) {
                slot->entry = &import->catalogue.entries[next++];
                slot->tries = 0;
                import->n_busy++;
                slot_start(slot);
            }
        }
        slot_finish(slot_wait(import));
    }
}

/* Make the calls; 0 or the exit code. */
static int
slots_open(struct import *import)
{
    size_t n = petctl_options.jobs == 0 ? JOBS_DEFAULT : petctl_options.jobs;
    int exit_code = 0;

    if (n > JOBS_MAX) {
        return cli_usage(import->cli, "--jobs: at most %u", JOBS_MAX);
    }
    if (!cli_connect(import->cli, &exit_code)) {
        return exit_code;
    }
    while (import->n_slots < n) {
        struct slot *slot = &import->slots[import->n_slots];

        slot->import = import;
        if (!cli_call_new(import->cli, &slot->call)) {
            return CLI_EXIT_FAILED;
        }
        import->n_slots++;
    }
    return 0;
}

static void
print_summary(const struct import *import)
{
    const struct catalogue *catalogue = &import->catalogue;
    size_t n_all = json_array_size(catalogue->root);
    struct output_json json;

    if (import->cli->json) {
        output_json_begin(&json);
        output_json_number(&json, "entries", n_all);
        output_json_number(&json, "taken", import->n_taken);
        output_json_number(&json, "wrong", catalogue->n_wrong);
        output_json_end(&json);
        (void)putchar('\n');
    } else {
        (void)printf("%zu of %zu pets are in the shop, %zu entries are wrong\n",
                     import->n_taken, n_all, catalogue->n_wrong);
    }
}

int
petctl_import(struct cli *cli, int argc, char **argv)
{
    struct import import = {.cli = cli};
    int exit_code;
    size_t i;

    (void)argc;
    if (!catalogue_read(cli, argv[0], petctl_options.currency,
                        &import.catalogue)) {
        return CLI_EXIT_FAILED;
    }
    (void)pthread_mutex_init(&import.lock, NULL);
    (void)pthread_cond_init(&import.ended, NULL);
    exit_code = slots_open(&import);
    if (exit_code == 0) {
        progress_begin(&import.progress, cli->program,
                       import.catalogue.n_entries);
        import_run(&import);
        progress_end(&import.progress);
        print_summary(&import);
        exit_code = import.exit_code != 0          ? import.exit_code
                    : import.catalogue.n_wrong > 0 ? CLI_EXIT_FAILED
                                                   : 0;
    }
    for (i = 0; i < import.n_slots; i++) {
        rpcrt_call_free(import.slots[i].call);
    }
    (void)pthread_cond_destroy(&import.ended);
    (void)pthread_mutex_destroy(&import.lock);
    catalogue_free(&import.catalogue);
    return exit_code;
}
