// JSON merge patch (RFC 7396): a patch is a document of the same shape; null removes, an object goes deeper, everything
// else replaces.
//
// Pure; nothing fails. Members keep their places, new ones come last.
#pragma once

#include "base/json/value.h"

namespace margay::patch {

json::Value merge_patch(json::Value target, const json::Value& patch);

// The smallest patch that makes `after` of `before`: merge_patch(before, make_merge_patch(before, after)) == after, if
// no member in `after` is null (a merge patch cannot say that). Documents that are no objects give `after` itself.
json::Value make_merge_patch(const json::Value& before, const json::Value& after);

// What a client sends that keeps its last configuration: sets what `modified` says where `current` differs, removes
// what `original` said and `modified` no longer does; leaves alone what others added to `current`.
json::Value make_three_way_merge_patch(const json::Value& original, const json::Value& modified,
                                       const json::Value& current);

}  // namespace margay::patch
