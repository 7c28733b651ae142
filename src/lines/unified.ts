/**
 * Unified hunks: the hunks of a diff with lines around them, as patches want them.
 *
 * Hunks nearer to each other than twice the context become one. The shape is that of the `diff` package, which formats
 * it: starts count from 1, and a line has its sign before it and no newline behind it.
 * @module
 */
import { decodeUtf8 } from '../base/bytes.js'
import type { Lines } from './edit.js'
import { HUNK_FIELDS, type Hunks } from './hunk.js'
import { NEWLINE } from './split.js'

/** Lines around a change. */
const CONTEXT = 3

/** What stands behind a line that has no newline. */
const NO_NEWLINE = '\\ No newline at end of file'

/** A hunk with its context. */
export interface UnifiedHunk {
  oldStart: number
  oldLines: number
  newStart: number
  newLines: number
  lines: string[]
}

/**
 * The unified hunks of a diff.
 *
 * @returns undefined where a line in them is not text that survives: not UTF-8, or with a NUL in it.
 */
export function unifiedHunks(old: Lines, now: Lines, hunks: Hunks): UnifiedHunk[] | undefined {
  const unified: UnifiedHunk[] = []
  const count = old.tokens.length
  for (let first = 0; first < hunks.length; ) {
    let end = first + HUNK_FIELDS
    while (end < hunks.length && (hunks[end] as number) - (hunks[end - 3] as number) <= 2 * CONTEXT) end += HUNK_FIELDS
    const lines = new HunkLines()
    const oldFrom = Math.max(0, (hunks[first] as number) - CONTEXT)
    const before = (hunks[first] as number) - oldFrom
    let at = oldFrom
    for (let i = first; i < end; i += HUNK_FIELDS) {
      const [aStart = 0, aEnd = 0, bStart = 0, bEnd = 0] = hunks.subarray(i, i + HUNK_FIELDS)
      lines.add(' ', old, at, aStart)
      lines.add('-', old, aStart, aEnd)
      lines.add('+', now, bStart, bEnd)
      at = aEnd
    }
    const oldTo = Math.min(count, at + CONTEXT)
    lines.add(' ', old, at, oldTo)
    if (!lines.ok) return undefined
    const newFrom = (hunks[first + 2] as number) - before
    const newTo = (hunks[end - 1] as number) + oldTo - at
    unified.push({
      oldStart: oldFrom + 1,
      oldLines: oldTo - oldFrom,
      newStart: newFrom + 1,
      newLines: newTo - newFrom,
      lines: lines.lines,
    })
    first = end
  }
  return unified
}

class HunkLines {
  readonly lines: string[] = []
  /** Whether all lines are text. */
  ok = true

  add(sign: ' ' | '-' | '+', { bytes, starts }: Lines, from: number, to: number): void {
    for (let i = from; i < to && this.ok; i++) {
      const end = starts[i + 1] as number
      const whole = bytes[end - 1] === NEWLINE
      const text = decodeUtf8(bytes.subarray(starts[i], whole ? end - 1 : end))
      if (text === undefined || text.includes('\0')) {
        this.ok = false
        return
      }
      this.lines.push(sign + text)
      if (!whole) this.lines.push(NO_NEWLINE)
    }
  }
}
