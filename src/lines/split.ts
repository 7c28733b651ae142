/**
 * What is text, and where its lines are.
 *
 * A line ends after `\n` and is kept byte for byte: a `\r` before the `\n` belongs to the line, and so does a missing
 * final newline, so `a` and `a\n` are different lines. Joining the lines gives back the content. Empty content is text of
 * zero lines.
 *
 * Content is text unless a NUL byte is among its first 8,000 bytes (git's own test, so both agree about most files) or a
 * line is over 64 KiB: diffing such a "line" says nothing to people and makes keys and values of absurd size.
 * @module
 */

/** `\n`. */
export const NEWLINE = 10

/** How far the test for binary content looks for a NUL byte, as git does (`FIRST_FEW_BYTES` in its xdiff-interface.c). */
const NUL_WINDOW = 8000

/** Greatest size of a text line in bytes, newline included. */
export const MAX_LINE = 65536

/**
 * Whether content is kept as lines: no NUL in the first 8,000 bytes, no line over 64 KiB.
 *
 * The newlines are found backwards, from the last place where the current line may end: of every 64 KiB only the bytes
 * behind its last newline are looked at.
 */
export function isText(bytes: Uint8Array): boolean {
  if (bytes.subarray(0, NUL_WINDOW).includes(0)) return false
  let start = 0
  while (bytes.length - start > MAX_LINE) {
    const last = bytes.subarray(start, start + MAX_LINE).lastIndexOf(NEWLINE)
    if (last < 0) return false
    start += last + 1
  }
  return true
}

/** Number of lines: newlines, and one more when the last line has none. */
export function countLines(bytes: Uint8Array): number {
  const length = bytes.length
  let count = 0
  for (let i = 0; i < length; i++) if (bytes[i] === NEWLINE) count++
  return length > 0 && bytes[length - 1] !== NEWLINE ? count + 1 : count
}

/**
 * Where the lines start.
 *
 * @returns One offset per line and, last, the length of the content: line `i` is `[starts[i], starts[i + 1])`.
 */
export function lineStarts(bytes: Uint8Array): Uint32Array {
  const length = bytes.length
  const starts = new Uint32Array(countLines(bytes) + 1)
  let line = 1
  for (let i = 0; i < length; i++) if (bytes[i] === NEWLINE) starts[line++] = i + 1
  starts[starts.length - 1] = length
  return starts
}

/** Where the first `lines` lines of `bytes[from, to)` end; `to` when there are not more. */
export function endOfLines(bytes: Uint8Array, from: number, to: number, lines: number): number {
  let at = from
  for (let left = lines; left > 0 && at < to; ) if (bytes[at++] === NEWLINE) left--
  return at
}
