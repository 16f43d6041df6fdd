// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/stage_graph.h"

#include "dataplane/pipeline/worker.h"

namespace masugata::dataplane {
namespace {

template <class Stage>
std::string line_of() {
  std::string line(stage_name(Stage::kId));
  line.resize(11, ' ');
  line += "->";
  for (const StageId exit : Stage::kExits) line += " " + std::string(stage_name(exit));
  if (Stage::kExits.empty()) {
    line += Stage::kId == StageId::Punt ? " (kernel twin)" : " (port)";
  }
  return line + "\n";
}

}  // namespace

std::string stage_graph_text() {
  return line_of<DecodeStage>() + line_of<DefragmentStage>() + line_of<DecryptStage>() +
         line_of<TrackStage>() + line_of<AdmitStage>() + line_of<InspectStage>() +
         line_of<EgressStage>() + line_of<EncryptStage>() + line_of<PuntStage>() +
         line_of<TransmitStage>();
}

}  // namespace masugata::dataplane
