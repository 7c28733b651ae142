/**
 * Hunks word by word: the lines around a change as they are, the changed ones in pieces.
 * @module
 */
import { decodeUtf8Lossy, fromLatin1 } from '../base/bytes.js'
import { diffContents, type Lines, NO_LINES } from '../lines/edit.js'
import { HUNK_FIELDS } from '../lines/hunk.js'
import { LineInterner } from '../lines/intern.js'
import { CONTEXT, hunkGroups } from '../lines/unified.js'
import { linesOfPieces, type Piece, wordDiff } from '../lines/words.js'
import type { WordHunk } from './results.js'

/** @param context - Lines to show before and behind a change. */
export function wordHunks(old: Uint8Array, now: Uint8Array, context = CONTEXT): WordHunk[] {
  const interner = new LineInterner()
  const was = diffContents(NO_LINES, old, interner)
  const edit = diffContents(was, now, interner)
  const { hunks } = edit
  const shown: WordHunk[] = []
  for (const [first, end] of hunkGroups(hunks, context)) {
    const from = Math.max(0, (hunks[first] as number) - context)
    const to = Math.min(was.tokens.length, (hunks[end - 3] as number) + context)
    const before = (hunks[first] as number) - from
    const pieces: Piece[] = []
    let at = from
    for (let i = first; i < end; i += HUNK_FIELDS) {
      const [aStart = 0, aEnd = 0, bStart = 0, bEnd = 0] = hunks.subarray(i, i + HUNK_FIELDS)
      pieces.push({ kind: 'same', text: textOf(was, at, aStart) })
      pieces.push(...wordDiff(bytesOf(was, aStart, aEnd), bytesOf(edit, bStart, bEnd)))
      at = aEnd
    }
    pieces.push({ kind: 'same', text: textOf(was, at, to) })
    const newFrom = (hunks[first + 2] as number) - before
    const newLines = (hunks[end - 1] as number) + to - at - newFrom
    shown.push({ oldStart: from + 1, oldLines: to - from, newStart: newFrom + 1, newLines, lines: shownLines(pieces) })
  }
  return shown
}

function bytesOf({ bytes, starts }: Lines, from: number, to: number): Uint8Array {
  return bytes.subarray(starts[from], starts[to])
}

function textOf(lines: Lines, from: number, to: number): string {
  return Buffer.from(bytesOf(lines, from, to)).toString('latin1')
}

function shownLines(pieces: readonly Piece[]): Piece[][] {
  return linesOfPieces(pieces).map((line) =>
    line.map(({ kind, text }) => ({ kind, text: decodeUtf8Lossy(fromLatin1(text)) })),
  )
}
