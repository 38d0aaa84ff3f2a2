/*
 * Feeds every file of a folder to a fuzz target, without libFuzzer: so the
 * corpus is a test that any compiler can build.
 *
 *   fuzz-NAME FOLDER
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_SIZE_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Copies the input to a block of its exact size, so that ASan sees a byte read
 * behind it. */
static int
replay(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);

    if (exact == NULL) {
        return -1;
    }
    for (size_t i = 0; i < size; i++) {
        exact[i] = data[i];
    }
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

static int
replay_file(const char *folder, const char *name, uint8_t *buffer)
{
    char path[1024];
    FILE *file;
    size_t size;
    int bad;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    size = fread(buffer, 1, INPUT_SIZE_MAX, file);
    bad = ferror(file);
    fclose(file);
    if (bad) {
        perror(path);
        return -1;
    }
    /* Names the input, should the target crash. */
    printf("%s\n", path);
    fflush(stdout);
    return replay(buffer, size);
}

static int
replay_folder(const char *folder)
{
    uint8_t *buffer = malloc(INPUT_SIZE_MAX);
    DIR *dir = opendir(folder);
    struct dirent *entry;
    unsigned n_files = 0;
    int code = -1;

    if (buffer == NULL || dir == NULL) {
        perror(folder);
        goto out;
    }
    code = replay(buffer, 0);
    while (code == 0 && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            code = replay_file(folder, entry->d_name, buffer);
            n_files++;
        }
    }
    if (code == 0 && n_files == 0) {
        fprintf(stderr, "%s: no input\n", folder);
        code = -1;
    }
out:
    if (dir != NULL) {
        closedir(dir);
    }
    free(buffer);
    return code;
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "Usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    return replay_folder(argv[1]) == 0 ? 0 : 1;
}
