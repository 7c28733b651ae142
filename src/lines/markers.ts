/**
 * The text of a merged file, with markers around what conflicts.
 *
 *     <<<<<<< main 3f2a9c01b2d4, Ana
 *     lines of the left side
 *     ||||||| base
 *     lines of the base
 *     =======
 *     lines of the right side
 *     >>>>>>> topic 77e0c2aa9d10, Ben
 *
 * Markers are for people. Programs are told the line numbers of the markers beside the text, so nothing is ever guessed
 * back; a file whose own lines look like markers gets longer ones, all of one length.
 * @module
 */
import { fromLatin1 } from '../base/bytes.js'
import type { LineInterner } from './intern.js'
import type { Part, Span } from './merge.js'
import { NEWLINE } from './split.js'
import type { ThreeWay } from './three-way.js'

/** Characters in a marker, at the least. */
const MARKER = 7

const CHARS = '<|=>'

/** Lines of the merged text on which the markers of one conflict stand, from 1. */
export interface Markers {
  readonly start: number
  readonly base: number
  readonly middle: number
  readonly end: number
}

/** What stands behind the markers of a conflict: binary strings without newline. */
export interface MarkerLabels {
  readonly left: string
  readonly base: string
  readonly right: string
}

/** A merged file. */
export interface MarkedText {
  readonly bytes: Uint8Array
  /** One for each part that conflicts, in order. */
  readonly markers: readonly Markers[]
}

/**
 * The merged text.
 *
 * @param labels - One for each part that conflicts, in order.
 */
export function markedText(three: ThreeWay, parts: readonly Part[], labels: readonly MarkerLabels[]): MarkedText {
  const text = new MarkedWriter(three.interner)
  const { base, left, right } = three
  const markers: Markers[] = []
  const length = labels.length > 0 ? markerLength(three) : MARKER
  for (const part of parts) {
    if (part.kind !== 'conflict') {
      if (part.kind === 'right') text.lines(right.tokens, part.right)
      else text.lines(left.tokens, part.left)
      continue
    }
    const label = labels[markers.length]
    if (label === undefined) throw new RangeError(`labels: expected one for each conflict, got ${labels.length}`)
    const start = text.marker('<', length, label.left)
    text.lines(left.tokens, part.left)
    const before = text.marker('|', length, label.base)
    text.lines(base.tokens, part.base)
    const middle = text.marker('=', length, '')
    text.lines(right.tokens, part.right)
    markers.push({ start, base: before, middle, end: text.marker('>', length, label.right) })
  }
  return { bytes: text.finish(), markers }
}

/** The bytes of some lines, as a binary string. */
export function textOfLines(interner: LineInterner, tokens: Int32Array, { from, to }: Span): string {
  let text = ''
  for (let i = from; i < to; i++) text += Buffer.from(interner.line(tokens[i] as number)).toString('latin1')
  return text
}

/** Longer than any marker that the file's own lines might be taken for. */
function markerLength({ interner }: ThreeWay): number {
  let longest = 0
  for (let token = 0; token < interner.size; token++) {
    const line = interner.line(token)
    const [char] = line
    if (char === undefined || !CHARS.includes(String.fromCharCode(char))) continue
    let count = 1
    while (line[count] === char) count++
    longest = Math.max(longest, count)
  }
  return Math.max(MARKER, longest + 1)
}

class MarkedWriter {
  readonly #interner: LineInterner
  readonly #parts: Uint8Array[] = []
  #lines = 0
  #newline = '\n'
  #ended = true

  constructor(interner: LineInterner) {
    this.#interner = interner
    const line = interner.size > 0 ? interner.line(0) : undefined
    if (line !== undefined && line.at(-1) === NEWLINE && line.at(-2) === 13) this.#newline = '\r\n'
  }

  lines(tokens: Int32Array, { from, to }: Span): void {
    // A last line without newline may have been moved before others.
    if (!this.#ended && from < to) this.#parts.push(fromLatin1(this.#newline))
    for (let i = from; i < to; i++) {
      const line = this.#interner.line(tokens[i] as number)
      this.#parts.push(line)
      this.#ended = line.at(-1) === NEWLINE
    }
    this.#lines += to - from
  }

  /** Adds a marker and returns its line number. */
  marker(char: string, length: number, label: string): number {
    const separator = label === '' ? '' : ' '
    const newline = this.#ended ? '' : this.#newline
    this.#parts.push(fromLatin1(`${newline}${char.repeat(length)}${separator}${label}${this.#newline}`))
    this.#ended = true
    return ++this.#lines
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#parts)
  }
}
