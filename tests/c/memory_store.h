#ifndef HIRENOW_TESTS_C_MEMORY_STORE_H
#define HIRENOW_TESTS_C_MEMORY_STORE_H
/* A store in memory, written in C99 over c/adapters.h alone: proof that one can be, and a model for others. */

#include "hirenow/c/adapters.h"

/* Opens an empty store. `destroyed`, unless NULL, is counted up when it is destroyed. */
hirenow_status memory_store_open(hirenow_store **out, int *destroyed, hirenow_error **error);

#endif
