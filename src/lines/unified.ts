/**
 * Unified hunks: the hunks of a diff with lines around them, as patches want them.
 *
 * Hunks nearer to each other than twice the context become one. The shape is that of the `diff` package, which formats
 * it: starts count from 1, and a line has its sign before it and no newline behind it. Lines are binary strings.
 * @module
 */
import { toLatin1 } from '../base/bytes.js'
import type { Lines } from './edit.js'
import { HUNK_FIELDS, type Hunks } from './hunk.js'
import { NEWLINE } from './split.js'

/** Lines around a change, where nobody asks for another number of them. */
export const CONTEXT = 3

/** What stands behind a line that has no newline. */
export const NO_NEWLINE = '\\ No newline at end of file'

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
 * @param context - Lines to show before and behind a change.
 * @returns undefined where a line in them has a NUL in it, which no patch survives.
 */
export function unifiedHunks(old: Lines, now: Lines, hunks: Hunks, context = CONTEXT): UnifiedHunk[] | undefined {
  const unified: UnifiedHunk[] = []
  const count = old.tokens.length
  for (const [first, end] of hunkGroups(hunks, context)) {
    const lines = new HunkLines()
    const oldFrom = Math.max(0, (hunks[first] as number) - context)
    const before = (hunks[first] as number) - oldFrom
    let at = oldFrom
    for (let i = first; i < end; i += HUNK_FIELDS) {
      const [aStart = 0, aEnd = 0, bStart = 0, bEnd = 0] = hunks.subarray(i, i + HUNK_FIELDS)
      lines.add(' ', old, at, aStart)
      lines.add('-', old, aStart, aEnd)
      lines.add('+', now, bStart, bEnd)
      at = aEnd
    }
    const oldTo = Math.min(count, at + context)
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
  }
  return unified
}

/** Which hunks are shown as one because their contexts meet: ranges `[first, end)` of the numbers in `hunks`. */
export function* hunkGroups(hunks: Hunks, context = CONTEXT): Generator<[first: number, end: number]> {
  for (let first = 0; first < hunks.length; ) {
    let end = first + HUNK_FIELDS
    while (end < hunks.length && (hunks[end] as number) - (hunks[end - 3] as number) <= 2 * context) end += HUNK_FIELDS
    yield [first, end]
    first = end
  }
}

class HunkLines {
  readonly lines: string[] = []
  /** Whether no line has a NUL. */
  ok = true

  add(sign: ' ' | '-' | '+', { bytes, starts }: Lines, from: number, to: number): void {
    for (let i = from; i < to && this.ok; i++) {
      const end = starts[i + 1] as number
      const whole = bytes[end - 1] === NEWLINE
      const text = toLatin1(bytes, starts[i], whole ? end - 1 : end)
      if (text.includes('\0')) {
        this.ok = false
        return
      }
      this.lines.push(sign + text)
      if (!whole) this.lines.push(NO_NEWLINE)
    }
  }
}
