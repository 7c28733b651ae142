/**
 * Shell completion: scripts for bash, zsh and fish, made from what the commands say of themselves.
 *
 * The scripts are static, so completing a word starts no process. All three know the same things: commands of one or two
 * words, their flags, and whether the value of a flag is a directory. Arguments are completed as files.
 * @module
 */

/** What completion must know of a command. */
export interface CompletedCommand {
  /** Words of the command, `git import`. */
  readonly name: string
  readonly summary: string
  readonly flags: readonly CompletedFlag[]
}

/** What completion must know of a flag. */
export interface CompletedFlag {
  readonly name: string
  /** One letter, where there is one. */
  readonly char?: string
  readonly summary: string
  /** What must follow: nothing, a directory, or anything else. */
  readonly value: 'none' | 'directory' | 'text'
}

/** The shells that can be served. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const

/** One of the shells. */
export type Shell = (typeof SHELLS)[number]

/** How to make a shell read the script, one line for its start-up file or folder. */
export const INSTALL: Record<Shell, string> = {
  bash: 'echo \'eval "$(weft completion bash)"\' >> ~/.bashrc',
  zsh: 'weft completion zsh > /usr/local/share/zsh/site-functions/_weft',
  fish: 'weft completion fish > ~/.config/fish/completions/weft.fish',
}

/** The script of one shell. */
export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  return { bash, zsh, fish }[shell](commands)
}

/** First words with what to say of them: commands of one word, and topics, which have commands below them. */
function firstWords(commands: readonly CompletedCommand[]): Map<string, string> {
  const words = new Map<string, string>()
  for (const { name, summary } of commands) {
    const [first = '', second] = name.split(' ')
    if (second === undefined) words.set(first, summary)
    else if (!words.has(first)) words.set(first, `Commands: ${below(first, commands).map(secondWord).join(', ')}`)
  }
  return words
}

function topics(commands: readonly CompletedCommand[]): string[] {
  return [...firstWords(commands).keys()].filter((word) => below(word, commands).length > 0)
}

function below(topic: string, commands: readonly CompletedCommand[]): CompletedCommand[] {
  return commands.filter(({ name }) => name.startsWith(`${topic} `))
}

function secondWord({ name }: CompletedCommand): string {
  return name.slice(name.indexOf(' ') + 1)
}

function spellings({ name, char }: CompletedFlag): string[] {
  return char === undefined ? [`--${name}`] : [`--${name}`, `-${char}`]
}

/** Spellings of the flags of all commands whose value is of one kind. */
function spellingsOf(commands: readonly CompletedCommand[], value: CompletedFlag['value']): string[] {
  const all = commands.flatMap(({ flags }) => flags.filter((flag) => flag.value === value).flatMap(spellings))
  return [...new Set(all)].sort()
}

function bash(commands: readonly CompletedCommand[]): string {
  const first = [...firstWords(commands).keys()]
  const seconds = topics(commands).map((topic) => {
    const words = below(topic, commands).map(secondWord)
    return `    ${topic}) words="${words.join(' ')}" ;;`
  })
  const flags = commands.map(
    (command) => `    "${command.name}") flags="${command.flags.flatMap(spellings).join(' ')}" ;;`,
  )
  return `# Completion of weft for bash. Load it with: ${INSTALL.bash.slice(6, INSTALL.bash.lastIndexOf("'"))}
_weft() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" first="" second="" i words="" flags=""
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      -C) ((i++)) ;;
      -*) ;;
      *) if [[ -z $first ]]; then first="\${COMP_WORDS[i]}"; else second="\${COMP_WORDS[i]}"; break; fi ;;
    esac
  done
  case "$prev" in
    ${spellingsOf(commands, 'directory').join('|')}) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    ${spellingsOf(commands, 'text').join('|')}) return ;;
  esac
  if [[ -z $first ]]; then
    COMPREPLY=($(compgen -W "${first.join(' ')} -C" -- "$cur"))
    return
  fi
  case "$first" in
${seconds.join('\n')}
  esac
  if [[ -n $words && -z $second ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi
  [[ -n $words ]] && first="$first $second"
  case "$first" in
${flags.join('\n')}
  esac
  if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$cur")); else COMPREPLY=($(compgen -f -- "$cur")); fi
}
complete -o filenames -F _weft weft
`
}

function zsh(commands: readonly CompletedCommand[]): string {
  const described = (entries: Iterable<readonly [string, string]>, indent: string): string =>
    [...entries].map(([word, summary]) => `${indent}${quoted(`${word}:${summary}`)}`).join('\n')
  const seconds = topics(commands).map((topic) => {
    const entries = below(topic, commands).map((command) => [secondWord(command), command.summary] as const)
    return `    ${topic}) second=(\n${described(entries, '      ')}\n    ) ;;`
  })
  const flags = commands.map(({ name, flags: own }) => {
    const specs = own.flatMap((flag) => spellings(flag).map((spelling) => zshSpec(spelling, flag)))
    return `    ${quoted(name)}) flags=(${specs.join(' ')}) ;;`
  })
  return `#compdef weft
# Completion of weft for zsh. Install it with: ${INSTALL.zsh}
_weft() {
  local -a first second flags
  local at=2 name
  while [[ $words[at] == -* && at -lt CURRENT ]]; do [[ $words[at] == -C ]] && ((at++)); ((at++)); done
  first=(
${described(firstWords(commands), '    ')}
  )
  if ((CURRENT <= at)); then _describe -t commands 'weft command' first; return; fi
  name=$words[at]
  case "$name" in
${seconds.join('\n')}
  esac
  if (($#second)); then
    if ((CURRENT == at + 1)); then _describe -t commands "weft $name command" second; return; fi
    name="$name $words[at+1]"
  fi
  case "$name" in
${flags.join('\n')}
  esac
  _arguments -s $flags '*:file:_files'
}
_weft "$@"
`
}

function zshSpec(spelling: string, { summary, value }: CompletedFlag): string {
  const text = summary.replace(/[[\]:\\]/g, '\\$&')
  const action = { none: '', directory: ':directory:_files -/', text: ':value: ' }[value]
  return quoted(`${spelling}[${text}]${action}`)
}

function fish(commands: readonly CompletedCommand[]): string {
  const lines = [...firstWords(commands)].map(
    ([word, summary]) => `complete -c weft -n __fish_use_subcommand -f -a ${word} -d ${quoted(summary)}`,
  )
  for (const topic of topics(commands)) {
    const words = below(topic, commands)
    const none = `not __fish_seen_subcommand_from ${words.map(secondWord).join(' ')}`
    for (const command of words) {
      const when = quoted(`__fish_seen_subcommand_from ${topic}; and ${none}`)
      lines.push(`complete -c weft -n ${when} -f -a ${secondWord(command)} -d ${quoted(command.summary)}`)
    }
  }
  for (const { name, flags } of commands) {
    const when = quoted(
      name
        .split(' ')
        .map((word) => `__fish_seen_subcommand_from ${word}`)
        .join('; and '),
    )
    for (const { name: long, char, summary, value } of flags) {
      const kind = { none: '', directory: " -x -a '(__fish_complete_directories)'", text: ' -x' }[value]
      lines.push(
        `complete -c weft -n ${when} -l ${long}${char === undefined ? '' : ` -s ${char}`}${kind} -d ${quoted(summary)}`,
      )
    }
  }
  return `# Completion of weft for fish. Install it with: ${INSTALL.fish}\n${lines.join('\n')}\n`
}

/** A word in single quotes, as all three shells read them. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
