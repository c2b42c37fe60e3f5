// The field lists of FelixConfiguration's parts. For this folder's own .cc files.
#pragma once

#include "datastore/model/felix_bpf.h"
#include "datastore/model/felix_host.h"
#include "datastore/model/felix_netfilter.h"
#include "datastore/model/felix_process.h"
#include "datastore/model/felix_reporting.h"
#include "datastore/model/felix_routes.h"
#include "datastore/model/felix_tunnels.h"

namespace margay::codec {

class Reader;
class Writer;

void fields(Reader& a, model::FelixProcess& s);
void fields(Writer& a, const model::FelixProcess& s);
void fields(Reader& a, model::FelixHost& s);
void fields(Writer& a, const model::FelixHost& s);
void fields(Reader& a, model::FelixNetfilter& s);
void fields(Writer& a, const model::FelixNetfilter& s);
void fields(Reader& a, model::FelixRoutes& s);
void fields(Writer& a, const model::FelixRoutes& s);
void fields(Reader& a, model::FelixTunnels& s);
void fields(Writer& a, const model::FelixTunnels& s);
void fields(Reader& a, model::FelixBpf& s);
void fields(Writer& a, const model::FelixBpf& s);
void fields(Reader& a, model::FelixReporting& s);
void fields(Writer& a, const model::FelixReporting& s);

}  // namespace margay::codec
