/*
 * Words of a line in a file of settings. What they mean is up to who reads the
 * file.
 */
#ifndef SERVICES_COMMON_WORDS_H
#define SERVICES_COMMON_WORDS_H

/* Cut the next word off a line, which is taken apart; NULL if there is none.
 * *line is then what follows. */
char *common_word_next(char **line);

#endif
