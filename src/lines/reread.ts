/**
 * Reading the lines of a new version when an old one is at hand.
 *
 * Between the first and the last change of a version most lines are still old ones. A line read by hashing costs 3 ns a
 * byte, the same line compared with the old one next to nothing. So after every line that is read the slow way and turns
 * out to be an old one, both versions are compared on from there, and tokens and starts of what is equal are copied.
 *
 *     old  A B C D E F G H ...         B is new. C is known, it is line 2 of the old version:
 *     new  A X C D E F G H ...         compare from D on, copy all that follows.
 *
 * Where a token is in the old version is a hint: an array by token that is never cleared, so an entry may be left from an
 * earlier call and is checked before use. A wrong or missing hint costs time and nothing else, because tokens are copied
 * only for equal bytes.
 * @module
 */
import { asBuffer, commonBytes, lineStartBefore } from './common.js'
import type { LineInterner, LineList } from './intern.js'

/** With fewer old lines than this it is not worth the while to look for them. */
const MIN_OLD_LINES = 8

/** A version of a text file as lines. */
export interface Lines {
  readonly bytes: Uint8Array
  /** One token per line, of the file's interner. */
  readonly tokens: Int32Array
  /** One offset per line and, last, the length: line `i` is bytes `[starts[i], starts[i + 1])`. */
  readonly starts: Uint32Array
  /**
   * Whether a line before the last has no newline, as may be in a join: one side has a last line without one, the other
   * has put something behind it. Read again, the bytes would give other lines.
   */
  readonly ragged?: boolean
}

/** Reads new versions. Its array of hints is kept from call to call. */
export class Rereader {
  /** By token: a line of the old version that has it, if that is still so. */
  #lineOf = new Int32Array(256)

  /**
   * Appends tokens and starts of the lines in `[start, end)` of `bytes` to `out`.
   *
   * @param start - Where a line starts.
   * @param old - The version to compare with.
   * @param from - Its lines `[from, to)` are the ones to look for.
   * @param interner - The one that gave `old` its tokens.
   */
  read(
    bytes: Uint8Array,
    start: number,
    end: number,
    old: Lines,
    from: number,
    to: number,
    interner: LineInterner,
    out: LineList,
  ): void {
    if (to - from < MIN_OLD_LINES) {
      interner.internRange(bytes, start, end, out)
      return
    }
    const { tokens, starts } = old
    const lineOf = this.#remember(tokens, from, to, interner.size)
    const left = asBuffer(old.bytes)
    const right = asBuffer(bytes)
    const leftEnd = starts[to] as number
    /** The next old line that is expected, and the next byte to read. */
    let line = from
    let at = start
    while (at < end) {
      at = interner.internLine(bytes, at, end, out)
      const token = out.tokens[out.length - 1] as number
      let found = line
      if (line >= to || tokens[line] !== token) {
        found = token < lineOf.length ? (lineOf[token] as number) : -1
        if (found < line || found >= to || tokens[found] !== token) continue
      }
      line = found + 1
      if (line >= to || at >= end) continue
      const leftAt = starts[line] as number
      const same = commonBytes(left, leftAt, right, at, Math.min(leftEnd - leftAt, end - at))
      if (same === 0) continue
      const whole = leftAt + same === leftEnd && at + same === end ? same : lineStartBefore(right, at + same) - at
      if (whole === 0) continue
      const next = lineAt(starts, leftAt + whole)
      out.pushAll(tokens, starts, line, next, at - leftAt)
      line = next
      at += whole
    }
  }

  /** Notes where the lines `[from, to)` are; of equal ones the first. */
  #remember(tokens: Int32Array, from: number, to: number, size: number): Int32Array {
    if (size > this.#lineOf.length) this.#lineOf = new Int32Array(size * 2)
    const lineOf = this.#lineOf
    for (let i = to - 1; i >= from; i--) lineOf[tokens[i] as number] = i
    return lineOf
  }
}

/** Index of the line that starts at byte `at`, which must be one; the number of lines for the end. */
export function lineAt(starts: Uint32Array, at: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((starts[middle] as number) < at) low = middle + 1
    else high = middle
  }
  return low
}
