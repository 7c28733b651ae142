/**
 * Placing hunks: where in a content the lines are that a patch wants to change.
 *
 * A hunk is taken where it says that it stands, moved by as much as the hunks before it were. If the lines there are
 * others, it is looked for everywhere behind the hunk before; at last with one, then two of its outermost lines left out.
 * It is taken only if there is one such place: `patch` takes the nearest, and so may change the wrong copy of a block that
 * occurs twice.
 *
 * Pure: lines in, lines out.
 * @module
 */
import type { PatchHunk } from './patch-text.js'

/** Lines around a change that may differ. */
const MAX_FUZZ = 2

/** A hunk that was placed elsewhere than it says, or not with all of its lines. */
export interface PlacedHunk {
  /** From 1. */
  readonly hunk: number
  /** Line of the old content, from 1. */
  readonly line: number
  /** Lines further down than it says. */
  readonly offset: number
  /** Lines that were left out on each side. */
  readonly fuzz: number
}

/** A hunk that fits nowhere, or in several places. */
export interface RejectedHunk {
  /** From 1. */
  readonly hunk: number
  /** Lines of the old content at which it fits, from 1; none or several. */
  readonly lines: readonly number[]
}

/** What came of placing hunks: the new content, unless some were rejected. Lines have their newlines. */
export interface Placing {
  readonly lines: readonly string[]
  readonly moved: readonly PlacedHunk[]
  readonly rejected: readonly RejectedHunk[]
}

/** Lines to find, those to put there, and whether they must be at an end of the content. */
interface Wanted {
  readonly old: readonly string[]
  readonly now: readonly string[]
  /** Lines left out at the beginning. */
  readonly skipped: number
  readonly atStart: boolean
  readonly atEnd: boolean
}

/** Makes the changes of hunks, which must be in order, in a content. */
export function placeHunks(lines: readonly string[], hunks: readonly PatchHunk[]): Placing {
  const result: string[] = []
  const moved: PlacedHunk[] = []
  const rejected: RejectedHunk[] = []
  let done = 0
  let offset = 0
  for (const [i, hunk] of hunks.entries()) {
    const expected = hunk.oldStart - 1 + offset
    const found = findHunk(lines, hunk, done, expected)
    if ('places' in found) {
      rejected.push({ hunk: i + 1, lines: found.places.map((place) => place + 1) })
      continue
    }
    const { at, fuzz, wanted } = found
    for (; done < at; done++) result.push(lines[done] as string)
    result.push(...wanted.now)
    done += wanted.old.length
    const own = at - wanted.skipped - (hunk.oldStart - 1)
    if (own !== 0 || fuzz > 0) moved.push({ hunk: i + 1, line: at + 1, offset: own, fuzz })
    offset = own
  }
  for (; done < lines.length; done++) result.push(lines[done] as string)
  return { lines: result, moved, rejected }
}

type Found = { at: number; fuzz: number; wanted: Wanted } | { places: readonly number[] }

function findHunk(lines: readonly string[], hunk: PatchHunk, from: number, expected: number): Found {
  const { leading, trailing, old, oldStart } = hunk
  if (old.length === 0) {
    // Nothing says where it belongs but its number, which then must be right.
    const fits = expected >= from && expected <= lines.length
    return fits ? { at: expected, fuzz: 0, wanted: without(hunk, 0) } : { places: [] }
  }
  const exact = without(hunk, 0, leading < trailing && oldStart <= 1, trailing < leading)
  if (fitsAt(lines, exact, expected, from)) return { at: expected, fuzz: 0, wanted: exact }
  for (let fuzz = 0; fuzz <= MAX_FUZZ; fuzz++) {
    const wanted = fuzz === 0 ? exact : without(hunk, fuzz)
    if (wanted.old.length === 0) break
    const places = allPlaces(lines, wanted, from)
    const [at] = places
    if (at !== undefined && places.length === 1) return { at, fuzz, wanted }
    if (places.length > 1) return { places }
  }
  return { places: [] }
}

/** The hunk without some of the lines around its change. */
function without({ old, now, leading, trailing }: PatchHunk, fuzz: number, atStart = false, atEnd = false): Wanted {
  const skipped = Math.min(fuzz, leading)
  const end = Math.min(fuzz, trailing)
  return {
    old: old.slice(skipped, old.length - end),
    now: now.slice(skipped, now.length - end),
    skipped,
    atStart,
    atEnd,
  }
}

function allPlaces(lines: readonly string[], wanted: Wanted, from: number): number[] {
  const places: number[] = []
  for (let at = from; at + wanted.old.length <= lines.length; at++) if (fitsAt(lines, wanted, at, from)) places.push(at)
  return places
}

function fitsAt(lines: readonly string[], { old, atStart, atEnd }: Wanted, at: number, from: number): boolean {
  const end = at + old.length
  if (at < from || end > lines.length || (atStart && at !== 0) || (atEnd && end !== lines.length)) return false
  for (let i = 0; i < old.length; i++) if (lines[at + i] !== old[i]) return false
  return true
}
