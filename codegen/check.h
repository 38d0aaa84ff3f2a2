/*
 * Refuses what would not compile, would clash, or can't be done: everything
 * that reaches the emitters is fine.
 */
#ifndef CODEGEN_CHECK_H
#define CODEGEN_CHECK_H

#include "model.h"
#include "problems.h"

void check_model(const struct model *model, struct problems *problems);

#endif
