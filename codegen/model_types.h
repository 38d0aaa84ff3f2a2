/*
 * The second half of building a model: names of types and imports become
 * pointers. For model.c only.
 */
#ifndef CODEGEN_MODEL_TYPES_H
#define CODEGEN_MODEL_TYPES_H

#include "model.h"

void model_resolve(struct model *model);

#endif
