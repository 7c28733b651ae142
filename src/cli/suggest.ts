/**
 * Did you mean: the known word nearest to a mistyped one.
 * @module
 */
import { closest, distance } from 'fastest-levenshtein'
import { CodedError } from '../base/error.js'
import { commandHint } from './from-git.js'

/**
 * @param typed - What the user wrote.
 * @param known - What could have been meant.
 * @returns The nearest known word, `undefined` where none is near: where more than a third of it would have to change,
 *   and it is not a matter of letters in the wrong order either.
 */
export function suggest(typed: string, known: readonly string[]): string | undefined {
  const shuffled = known.find((word) => letters(word) === letters(typed))
  if (shuffled !== undefined || known.length === 0) return shuffled
  const best = closest(typed, known)
  const limit = Math.max(1, Math.floor(Math.max(typed.length, best.length) / 3))
  return distance(typed, best) <= limit ? best : undefined
}

function letters(word: string): string {
  return [...word].sort().join('')
}

/**
 * Finds the command that was meant among ids of one or more words.
 *
 * @param words - Everything typed before the first flag, arguments included.
 * @param commands - Ids with spaces, `snapshot list`.
 */
export function suggestCommand(words: readonly string[], commands: readonly string[]): string | undefined {
  for (let length = Math.min(2, words.length); length > 0; length--) {
    const found = suggest(
      words.slice(0, length).join(' '),
      commands.filter((id) => id.split(' ').length === length),
    )
    if (found !== undefined) return found
  }
  // `import` for `git import`.
  const last = commands.find((id) => id.endsWith(` ${words[0]}`))
  if (last !== undefined) return last
  const topics = [...new Set(commands.filter((id) => id.includes(' ')).map((id) => id.slice(0, id.indexOf(' '))))]
  return words[0] === undefined ? undefined : suggest(words[0], topics)
}

/**
 * The error for words that are no command; it names the one that was probably meant, or says how git's is done here.
 *
 * @param words - Everything typed before the first flag.
 * @param commands - Ids with spaces.
 */
export function unknownCommand(words: readonly string[], commands: readonly string[]): CodedError {
  // oclif takes words behind a command without arguments for more of its name.
  const known = [2, 1].find((length) => commands.includes(words.slice(0, length).join(' ')))
  if (known !== undefined && known < words.length) {
    const command = words.slice(0, known).join(' ')
    const below = commands.filter((id) => id.startsWith(`${command} `))
    const meant = suggest(words.slice(0, known + 1).join(' '), below)
    return new CodedError(
      'USAGE',
      `The command ${command} takes no arguments, but got ${words.slice(known).join(' ')}.`,
      {
        hint: meant === undefined ? `Run weft ${command} --help to see what it takes.` : `Did you mean weft ${meant}?`,
        data: meant === undefined ? undefined : { suggestion: meant },
      },
    )
  }
  const git = words[0] === 'git' ? words.slice(0, 2) : words.slice(0, 1)
  const plain = words[0] === 'git' && commands.includes(git[1] ?? '') ? `Run weft ${git[1]}.` : undefined
  const inGit = plain ?? commandHint(git.at(-1) ?? '')
  if (inGit !== undefined) {
    return new CodedError('COMMAND_UNKNOWN', `There is no command ${git.join(' ')} in weft.`, { hint: inGit })
  }
  const meant = suggestCommand(words, commands)
  const topic = commands.some((id) => id.startsWith(`${words[0]} `))
  const typed = words.slice(0, topic ? 2 : 1).join(' ')
  return new CodedError('COMMAND_UNKNOWN', `There is no command ${typed} in weft.`, {
    hint: meant === undefined ? 'Run weft --help to see all commands.' : `Did you mean weft ${meant}?`,
    data: meant === undefined ? undefined : { suggestion: meant },
  })
}
