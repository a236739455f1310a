#pragma once
/// Planted: the check of includes must refuse this one.

#include <openssl/evp.h>
