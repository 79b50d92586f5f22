/** The shells that are supported. */
export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/**
 * Each script runs `asyncfn complete -- WORDS...` with the words up to the cursor, the last of which may be empty. It prints
 * a candidate in each line, with a tab and a description if there is one. If there is none, the shell completes files.
 */
const scripts: Readonly<Record<Shell, string>> = {
  bash: `# bash completion of asyncfn
_asyncfn() {
  local IFS=$'\\n'
  COMPREPLY=($(asyncfn complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o default -F _asyncfn asyncfn
`,
  zsh: `#compdef asyncfn
# zsh completion of asyncfn
_asyncfn() {
  local -a candidates
  local line
  while IFS= read -r line; do
    candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(asyncfn complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( $#candidates )); then
    _describe asyncfn candidates
  else
    _files
  fi
}
# The first completion runs this file as the function; otherwise it is read at the start of a shell.
if [[ "\${funcstack[1]}" == _asyncfn ]]; then
  _asyncfn "$@"
else
  compdef _asyncfn asyncfn
fi
`,
  fish: `# fish completion of asyncfn
function __asyncfn_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l candidates (asyncfn complete -- $words[2..-1] 2>/dev/null)
  if test (count $candidates) -gt 0
    printf '%s\\n' $candidates
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c asyncfn -f -a '(__asyncfn_complete)'
`,
};

export function completionScript(shell: Shell): string {
  return scripts[shell];
}
