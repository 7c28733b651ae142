/**
 * A regular expression that is looked for in lines, and the lines in which it can be at all.
 *
 * The expression sees a line as text, decoded from UTF-8, without its newline. Decoding and testing every line costs
 * about 100 ns; so where the expression says that certain bytes must be there, these are looked for first, in all of the
 * text at once and at the speed of memory. `foo\(\w+, bar` must have ` bar`, or `foo(`, whichever is longer; an
 * expression with `|` outside of brackets, or without regard to case, must have nothing, and is tested on every line.
 *
 * That never loses a line: text decoded from bytes holds a character other than U+FFFD only where the bytes are that
 * character's.
 * @module
 */
import { decodeUtf8, decodeUtf8Lossy, encodeUtf8 } from '../base/bytes.js'

const NEWLINE = 10

/** A line that matched. */
export interface MatchedLine {
  /** Number of the line, from 0. */
  readonly index: number
  readonly text: string
}

/** A pattern, ready to be looked for. */
export class LinePattern {
  /** Bytes that every matching line has in it; undefined where there are none to be sure of. */
  readonly needle: Buffer | undefined
  readonly #pattern: RegExp

  constructor(pattern: RegExp) {
    // With `g` or `y` a pattern remembers where it was; lines have nothing to do with each other.
    this.#pattern = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''))
    const text = requiredText(pattern.source, pattern.flags)
    this.needle = text === '' ? undefined : Buffer.from(encodeUtf8(text))
  }

  /** The lines of `bytes` that match. */
  *matches(bytes: Uint8Array): Generator<MatchedLine> {
    if (this.needle !== undefined) return yield* this.#around(this.needle, bytes)
    const lines = decodeUtf8Lossy(bytes).split('\n')
    if (bytes.length === 0 || bytes[bytes.length - 1] === NEWLINE) lines.pop()
    for (const [index, text] of lines.entries()) if (this.#pattern.test(text)) yield { index, text }
  }

  /** Looks at the lines only that have the needle in them. */
  *#around(needle: Buffer, bytes: Uint8Array): Generator<MatchedLine> {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    let index = 0
    let counted = 0
    for (let hit = buffer.indexOf(needle); hit >= 0; ) {
      for (; counted < hit; counted++) if (bytes[counted] === NEWLINE) index++
      const start = buffer.lastIndexOf(NEWLINE, hit) + 1
      const newline = buffer.indexOf(NEWLINE, hit)
      const end = newline < 0 ? bytes.length : newline
      const text = decodeUtf8Lossy(bytes.subarray(start, end))
      if (this.#pattern.test(text)) yield { index, text }
      hit = newline < 0 ? -1 : buffer.indexOf(needle, newline)
    }
  }
}

/** Escapes that stand for something else than a certain character, and take two characters. */
const SHORT_ESCAPE = /[bBdDsSwWnrtvf]/

/**
 * A text that every match has in it; empty where there is none that is easily seen.
 *
 * Reads the pattern from left to right and gathers characters that stand for themselves; whatever may be left out or
 * stand for something else ends the text so far. Gives up on what it does not know.
 */
export function requiredText(source: string, flags: string): string {
  if (/[iv]/.test(flags)) return ''
  let best = ''
  let text = ''
  const end = (): void => {
    if (text.length > best.length) best = text
    text = ''
  }
  for (let i = 0; i < source.length; i++) {
    const char = source[i] as string
    if (char === '\\') {
      const next = source[++i] ?? ''
      if (SHORT_ESCAPE.test(next)) end()
      else if (/[\da-zA-Z]/.test(next) || next === '') return ''
      else text += next
    } else if (char === '[' || char === '(') {
      end()
      i = char === '[' ? endOfClass(source, i) : endOfGroup(source, i)
      if (i < 0) return ''
    } else if (char === '|') {
      return ''
    } else if (char === '*' || char === '?' || /^\{\d/.test(source.slice(i, i + 2))) {
      text = text.slice(0, -1)
      end()
      if (char === '{') i = source.indexOf('}', i)
    } else if ('.^$+'.includes(char)) {
      end()
    } else {
      text += char
    }
    if (i < 0) return ''
  }
  end()
  return decodeUtf8(encodeUtf8(best)) === best && !best.includes('\ufffd') ? best : ''
}

/** Index of the `]` that ends the class at `start`; negative where there is none. */
function endOfClass(source: string, start: number): number {
  for (let i = start + 1; i < source.length; i++) {
    if (source[i] === '\\') i++
    else if (source[i] === ']') return i
  }
  return -1
}

/** Index of the `)` that ends the group at `start`; negative where there is none. */
function endOfGroup(source: string, start: number): number {
  let depth = 0
  for (let i = start; i >= 0 && i < source.length; i++) {
    if (source[i] === '\\') i++
    else if (source[i] === '[') i = endOfClass(source, i)
    else if (source[i] === '(') depth++
    else if (source[i] === ')' && --depth === 0) return i
    if (i < 0) return -1
  }
  return -1
}
