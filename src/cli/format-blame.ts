/**
 * Blame in words: who put each line there, in columns.
 * @module
 */
import type { Blame, BlameLine } from '../repo/results.js'
import { cells, shortId } from './format.js'
import type { Style } from './style.js'

/** Widest author column: names beyond it are cut, so that the lines themselves start far to the left. */
const AUTHOR_WIDTH = 18

/** Version, author, day, line number, line. What repeats the line above is dimmed. */
export function formatBlame({ lines }: Blame, style: Style): string {
  const { safe, dim, yellow } = style
  const authors = new Map<string, string>()
  for (const { author } of lines) if (!authors.has(author.name)) authors.set(author.name, fit(safe(author.name)))
  const width = Math.max(0, ...[...authors.values()].map((name) => cells(name)))
  for (const [name, text] of authors) authors.set(name, text + ' '.repeat(width - cells(text)))
  const digits = String(lines.length).length
  let text = ''
  let above: BlameLine | undefined
  let again = ''
  for (const line of lines) {
    const { version, author } = line
    let origin = again
    if (version !== above?.version || author !== above.author) {
      const id = shortId(version)
      const who = `${authors.get(author.name)} ${author.time.slice(0, 10)}`
      origin = `${yellow(id)} ${who}`
      again = dim(`${id} ${who}`)
    }
    above = line
    text += `${origin} ${dim(String(line.n).padStart(digits))} ${safe(line.text)}\n`
  }
  return text
}

/** Cuts a name to the column, by the cells it takes and not by its characters. */
function fit(name: string): string {
  if (cells(name) <= AUTHOR_WIDTH) return name
  let text = ''
  for (const char of name) {
    if (cells(text + char) > AUTHOR_WIDTH - 1) break
    text += char
  }
  return `${text}…`
}
