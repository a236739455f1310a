/* The installed C library: its header, its name, and a store. */

#include <stdio.h>

#include <hirenow/c/adapters.h>

int main(void) {
  hirenow_store *store = NULL;
  const hirenow_status status = hirenow_store_open("memory:", NULL, &store, NULL);
  printf("libhirenow %s: %s\n", hirenow_version(), hirenow_status_name(status));
  hirenow_store_free(store);
  return status;
}
