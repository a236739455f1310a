#pragma once
/// Planted: the check of includes must refuse this one.

#include <sqlite3.h>
