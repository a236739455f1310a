/* Holds the store that is written in C to every promise that a store must keep. */

#include <stdio.h>

#include "memory_store.h"

static int destroyed, made;

static hirenow_status make(void *ctx, hirenow_store **out) {
  (void)ctx;
  ++made;
  return memory_store_open(out, &destroyed, NULL);
}

int main(void) {
  hirenow_error *error;
  hirenow_text *report;
  size_t checks, failures;
  const hirenow_status status = hirenow_check_store(make, NULL, NULL, &checks, &failures, &report, &error);
  if (status) {
    fprintf(stderr, "%s: %s\n", hirenow_status_name(status), hirenow_error_get_message(error));
    return 1;
  }
  fputs(hirenow_text_get(report), stdout);
  hirenow_text_free(report);
  printf("%d stores made, %d destroyed\n", made, destroyed);
  return failures == 0 && checks > 240 && made == destroyed ? 0 : 1;
}
