// SPDX-License-Identifier: GPL-2.0-or-later
// nDPI's header, in one place. Internal to ids/applications: nothing else may include it.
#pragma once

extern "C" {
#include <ndpi_api.h>
}
