/**
 * Words: what changed within lines, for people.
 *
 * A word is a run of letters, digits, underscores and bytes beyond ASCII; white space within a line is one token to a
 * run; any other byte is a token by itself. The diff of lines works on tokens of any kind, so it finds the words, too,
 * and takes linear time.
 *
 * Pure: bytes in, pieces out. Joining all pieces but the added ones gives the old bytes, all but the deleted ones the new.
 * @module
 */
import { toLatin1 } from '../base/bytes.js'
import { diffTokens } from './diff.js'
import { HUNK_FIELDS } from './hunk.js'
import { LineInterner, LineList } from './intern.js'
import { NEWLINE } from './split.js'

/** Text that both sides have, or only one of them. */
export interface Piece {
  readonly kind: 'same' | 'deleted' | 'added'
  /** Binary string. */
  readonly text: string
}

/** Words of `old` and `now`, told apart. */
export function wordDiff(old: Uint8Array, now: Uint8Array): Piece[] {
  const interner = new LineInterner()
  const [a, b] = [wordsOf(old, interner), wordsOf(now, interner)]
  const hunks = diffTokens(a.tokens, b.tokens, interner)
  const pieces: Piece[] = []
  const add = (kind: Piece['kind'], bytes: Uint8Array, starts: Uint32Array, from: number, to: number): void => {
    if (from < to) pieces.push({ kind, text: toLatin1(bytes, starts[from], starts[to]) })
  }
  let common = 0
  for (let i = 0; i < hunks.length; ) {
    const [aStart = 0, , bStart = 0] = hunks.subarray(i)
    let [aEnd = 0, , bEnd = 0] = hunks.subarray(i + 1)
    i += HUNK_FIELDS
    // Changes with nothing but a space between them read better as one.
    while (i < hunks.length && isGap(toLatin1(old, a.starts[aEnd], a.starts[hunks[i] as number]))) {
      aEnd = hunks[i + 1] as number
      bEnd = hunks[i + 3] as number
      i += HUNK_FIELDS
    }
    add('same', old, a.starts, common, aStart)
    add('deleted', old, a.starts, aStart, aEnd)
    add('added', now, b.starts, bStart, bEnd)
    common = aEnd
  }
  add('same', old, a.starts, common, a.tokens.length)
  return pieces
}

/**
 * Pieces line by line, to be shown: newlines are taken out.
 *
 * A deleted newline ends a line only where something deleted stands in that line, or nothing at all: where two lines
 * were joined, the line that came of it is shown.
 */
export function linesOfPieces(pieces: readonly Piece[]): Piece[][] {
  const lines: Piece[][] = []
  let line: Piece[] = []
  for (const { kind, text } of pieces) {
    for (const [i, part] of text.split('\n').entries()) {
      const joined = kind === 'deleted' && line.length > 0 && line.every((piece) => piece.kind !== 'deleted')
      if (i > 0 && !joined) {
        // An empty line that came or went would not be seen.
        if (line.length === 0 && kind !== 'same') line.push({ kind, text: '' })
        lines.push(line)
        line = []
      }
      if (part !== '') line.push({ kind, text: part })
    }
  }
  if (line.length > 0) lines.push(line)
  return lines
}

interface Words {
  readonly tokens: Int32Array
  /** One offset per token and, last, the length. */
  readonly starts: Uint32Array
}

function wordsOf(bytes: Uint8Array, interner: LineInterner): Words {
  const list = new LineList()
  for (let at = 0; at < bytes.length; ) {
    const kind = kindOfByte(bytes[at] as number)
    let end = at + 1
    if (kind !== OTHER) while (end < bytes.length && kindOfByte(bytes[end] as number) === kind) end++
    list.push(interner.intern(bytes, at, end), at)
    at = end
  }
  const starts = new Uint32Array(list.length + 1)
  starts.set(list.starts.subarray(0, list.length))
  starts[list.length] = bytes.length
  return { tokens: list.tokens.slice(0, list.length), starts }
}

const OTHER = 0
const WORD = 1
const SPACE = 2

/** Newlines are tokens by themselves, so that lines stay apart. */
function kindOfByte(byte: number): number {
  if (byte === NEWLINE) return OTHER
  if (byte <= 32) return SPACE
  const letter = byte | 0x20
  if (byte >= 0x80 || byte === 0x5f || (letter >= 0x61 && letter <= 0x7a)) return WORD
  return byte >= 0x30 && byte <= 0x39 ? WORD : OTHER
}

function isGap(text: string): boolean {
  return /^[ \t]+$/.test(text)
}
