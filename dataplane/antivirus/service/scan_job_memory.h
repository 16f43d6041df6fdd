// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps what is remembered of scan jobs in a file.
#pragma once

#include <map>
#include <string>

#include "dataplane/antivirus/service/scan_job_run.h"
#include "result/result.h"

namespace masugata::dataplane {

using ScanJobMemories = std::map<std::string, ScanJobMemory>;  // by job

// Nothing of a file that is not there, cannot be read or is not one of ours: such jobs are new.
[[nodiscard]] ScanJobMemories load_memories(const std::string& file);
// In one step; on the disk when it returns. Makes the folder.
[[nodiscard]] Status save_memories(const std::string& file, const ScanJobMemories& memories);

}  // namespace masugata::dataplane
