// What a host does first: includes the installed headers and links the installed adapters.

#include <cstdio>

#include <hirenow/lifecycle.hpp>

int main() {
  std::printf("hirenow: a lifecycle of %zu rows\n", hirenow::transition_table.size());
}
