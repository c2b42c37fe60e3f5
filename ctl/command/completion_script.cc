// The scripts only ask: all knowledge is in `netctl __complete`.
#include "ctl/command/complete.h"

namespace margay::command {
namespace {

// The words are cut from the line at blanks, because bash's own cut them at "=" and ":" too; bash then replaces only
// what stands behind the last of those, so candidates lose the part before it.
constexpr std::string_view kBash = R"script(# bash completion for netctl: source <(netctl completion bash)
_netctl() {
  local line=${COMP_LINE:0:COMP_POINT} words candidate current behind files=
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=${words[${#words[@]}-1]}
  behind=${current##*[=:]}
  COMPREPLY=()
  while IFS= read -r candidate; do
    case $candidate in
      :0) files=1 ;;
      :*) ;;
      *) candidate=${candidate%%$'\t'*}
         COMPREPLY+=("${candidate:$((${#current} - ${#behind}))}") ;;
    esac
  done < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
  [[ $files ]] && compopt -o default
  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
  return 0
} 2>/dev/null
complete -F _netctl netctl
)script";

constexpr std::string_view kZsh = R"script(#compdef netctl
# zsh completion for netctl: netctl completion zsh > "${fpath[1]}/_netctl"
_netctl() {
  local line files=
  local -a candidates
  for line in "${(@f)$(${words[1]} __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      :0) files=1 ;;
      :*|'') ;;
      *$'\t'*) candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
      *) candidates+=("${line//:/\\:}") ;;
    esac
  done
  (( ${#candidates} )) && _describe -V netctl candidates
  [[ -n $files ]] && _files
  return 0
}
if [[ ${funcstack[1]} == _netctl ]]; then _netctl "$@"; else compdef _netctl netctl; fi
)script";

constexpr std::string_view kFish =
    R"script(# fish completion for netctl: netctl completion fish > ~/.config/fish/completions/netctl.fish
function __netctl_candidates
  set -l words (commandline -opc) (commandline -ct)
  for line in ($words[1] __complete $words[2..-1] 2>/dev/null)
    switch $line
      case ':0'
        __fish_complete_path (commandline -ct)
      case ':*'
      case '*'
        echo $line
    end
  end
end
complete -c netctl -f -a '(__netctl_candidates)'
)script";

}  // namespace

std::string completion_script(std::string_view shell) {
  if (shell == "bash") return std::string(kBash);
  if (shell == "zsh") return std::string(kZsh);
  if (shell == "fish") return std::string(kFish);
  return {};
}

}  // namespace margay::command
