/**
 * The scripts that make a shell ask this program what may follow. They give it the line in COMP_LINE, as bash's own
 * `complete -C` does; it prints one candidate a line. Behind a folder no blank is put, so that one can go on.
 */
export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** @param program the name that it is typed by */
export function completionScript(shell: Shell, program: string): string {
  return SCRIPTS[shell].replaceAll('%p', program)
}

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_%p_complete() {
  local candidate
  COMPREPLY=()
  while IFS= read -r candidate; do
    COMPREPLY+=("$candidate")
  done < <(COMP_LINE="$COMP_LINE" COMP_POINT="$COMP_POINT" %p "$1" "$2" "$3" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == */ ]]; then
    compopt -o nospace 2>/dev/null
  fi
}
complete -o default -F _%p_complete %p
`,
  zsh: `#compdef %p
_%p() {
  local candidate
  local -a folders others
  for candidate in "\${(@f)$(COMP_LINE="\${(j: :)words[1,CURRENT]}" %p 2>/dev/null)}"; do
    if [[ $candidate == */ ]]; then folders+=("$candidate")
    elif [[ -n $candidate ]]; then others+=("$candidate")
    fi
  done
  if (( $#folders + $#others == 0 )); then _files; return; fi
  compadd -S '' -- $folders
  compadd -- $others
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
compdef _%p %p
`,
  fish: `function __%p_complete
  set -l line (commandline -cp)
  set -l found (env COMP_LINE="$line" %p 2>/dev/null)
  if test (count $found) -gt 0
    string join \\n -- $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c %p -f -a '(__%p_complete)'
`,
}
