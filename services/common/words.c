/*
 * Cutting a line into words: see words.h.
 */
#include "common/words.h"

#include <string.h>

char *
common_word_next(char **line)
{
    static const char blanks[] = " \t\r\n";
    char *word = *line + strspn(*line, blanks);
    size_t length = strcspn(word, blanks);

    if (length == 0) {
        return NULL;
    }
    *line = word + length;
    if (**line != '\0') {
        *(*line)++ = '\0';
    }
    return word;
}
