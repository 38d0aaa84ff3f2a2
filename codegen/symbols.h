/*
 * Which names of C a generated file declares, those of protoc-gen-c included.
 */
#ifndef CODEGEN_SYMBOLS_H
#define CODEGEN_SYMBOLS_H

#include "model.h"
#include "scope.h"

/** All that can be seen outside of functions and structs. */
void symbols_of_file(struct scope *scope, const struct file *file);

/** The members of a message's struct. */
void symbols_of_message(struct scope *scope, const struct message *message);

#endif
