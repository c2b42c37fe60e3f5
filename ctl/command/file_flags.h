// The flags that name files, which many commands share.
#pragma once

#include "ctl/command/spec.h"

namespace margay::command {

inline constexpr Flag kFileFlags[] = {
    {.name = "filename",
     .letter = 'f',
     .alias = "file",
     .kind = ValueKind::kTexts,
     .value_name = "FILE",
     .help = "YAML or JSON file, directory, or - for standard input; may be repeated",
     .candidates = Candidates::kFiles},
    {.name = "recursive", .letter = 'R', .help = "look into the directories of a directory too"},
};

}  // namespace margay::command
