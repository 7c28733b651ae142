/**
 * Did you mean: the known word nearest to a mistyped one.
 * @module
 */
import { closest, distance } from 'fastest-levenshtein'

/**
 * @param typed - What the user wrote.
 * @param known - What could have been meant.
 * @returns The nearest known word, `undefined` where none is near: where more than a third of it would have to change,
 *   and it is not a matter of letters in the wrong order either.
 */
function suggest(typed: string, known: readonly string[]): string | undefined {
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
  const topics = [...new Set(commands.filter((id) => id.includes(' ')).map((id) => id.slice(0, id.indexOf(' '))))]
  return words[0] === undefined ? undefined : suggest(words[0], topics)
}
