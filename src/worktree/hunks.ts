/**
 * Choosing hunks: from old and new content and a choice, the content that has only the chosen changes.
 *
 * A change is a range of old lines that became a range of new ones, as our own diff finds them. What is shown as one hunk
 * may hold several, because the lines around them meet; it can be split into them, and any subset can be chosen.
 *
 * Pure: bytes in, bytes out. Lines are never altered, so that a file without a newline at its end, with CRLF or in any
 * encoding comes out byte for byte.
 * @module
 */
import { diffContents, type Edit, type Lines, NO_LINES } from '../lines/edit.js'
import { HUNK_FIELDS } from '../lines/hunk.js'
import { LineInterner } from '../lines/intern.js'
import { hunkGroups, type UnifiedHunk, unifiedHunks } from '../lines/unified.js'

/** Two contents of a text file, and the changes between them. */
export interface FileChanges {
  readonly old: Lines
  readonly now: Edit
  /** Number of changes. */
  readonly count: number
}

/** Consecutive changes `[first, end)` that are shown as one hunk. */
export interface ChangeRange {
  readonly first: number
  readonly end: number
}

/** The changes from `old` to `now`, both text. */
export function changesOfContents(old: Uint8Array, now: Uint8Array): FileChanges {
  const interner = new LineInterner()
  const was = diffContents(NO_LINES, old, interner)
  const edit = diffContents(was, now, interner)
  return { old: was, now: edit, count: edit.hunks.length / HUNK_FIELDS }
}

/** The changes as they are shown at first: those together whose surrounding lines meet. */
export function shownRanges({ now }: FileChanges): ChangeRange[] {
  return [...hunkGroups(now.hunks)].map(([first, end]) => ({ first: first / HUNK_FIELDS, end: end / HUNK_FIELDS }))
}

/** The changes of a range one by one. */
export function splitRange({ first, end }: ChangeRange): ChangeRange[] {
  return Array.from({ length: end - first }, (_, i) => ({ first: first + i, end: first + i + 1 }))
}

/**
 * A range as a hunk with lines around it; line numbers of the new side are those with all changes made.
 *
 * @returns undefined where a line has a NUL in it.
 */
export function rangeAsHunk({ old, now }: FileChanges, { first, end }: ChangeRange): UnifiedHunk | undefined {
  // Together even where other lines lie between them: the context that joins them is all the lines there are.
  const hunks = now.hunks.subarray(first * HUNK_FIELDS, end * HUNK_FIELDS)
  return unifiedHunks(old, now, hunks)?.[0]
}

/**
 * The old content with those changes made that `chosen` says.
 *
 * A last line without a newline needs no care: what follows it on the other side is in the same change.
 */
export function contentWith({ old, now }: FileChanges, chosen: (change: number) => boolean): Uint8Array {
  const parts: Uint8Array[] = []
  let at = 0
  for (let i = 0; i < now.hunks.length; i += HUNK_FIELDS) {
    if (!chosen(i / HUNK_FIELDS)) continue
    const [aStart = 0, aEnd = 0, bStart = 0, bEnd = 0] = now.hunks.subarray(i, i + HUNK_FIELDS)
    parts.push(linesOf(old, at, aStart), linesOf(now, bStart, bEnd))
    at = aEnd
  }
  parts.push(linesOf(old, at, old.tokens.length))
  return Buffer.concat(parts)
}

function linesOf({ bytes, starts }: Lines, from: number, to: number): Uint8Array {
  return bytes.subarray(starts[from], starts[to])
}
