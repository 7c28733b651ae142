/**
 * Finds origins that are not true: lines that claim to have been put before, by somebody else, and were not.
 *
 * Blame believes origins (origin.ts), so whoever could write false ones could put words into the mouths of others. A true
 * one names a line of the same file with the same bytes, put by a version that the writer knew, and the first one of
 * that line: it has no origin itself.
 * @module
 */
import { equalBytes } from '../base/bytes.js'
import { getOrMake } from '../base/map.js'
import type { Streams } from '../lseq/vector.js'
import type { Origin } from './origin.js'
import { lineCount, linesOf, type Run, type Weave } from './weave.js'

/**
 * The runs of a weave that have false origins.
 *
 * @param knows - Whether the version that put `run` stands on the one that put `other`.
 */
export function falseOrigins(weave: Weave, streams: Streams, knows: (run: Run, other: Run) => boolean): Run[] {
  const claiming = weave.runs.filter(({ origins }) => origins.length > 0)
  if (claiming.length === 0) return []
  const bySlot = new Map<number, Run[]>()
  for (const run of weave.runs) getOrMake(bySlot, run.slot, () => [] as Run[]).push(run)
  for (const runs of bySlot.values()) runs.sort((a, b) => a.seq - b.seq)

  const isTrue = (run: Run, { from, to, seq, stream }: Origin): boolean => {
    if (to > lineCount(run)) return false
    const slot = streams.find(stream)
    const runs = slot === undefined ? [] : (bySlot.get(slot) ?? [])
    for (let line = from; line < to; line++) {
      const first = runs.findLast((other) => other.seq <= seq + line - from)
      if (first === undefined || !knows(run, first)) return false
      const index = seq + line - from - first.seq
      if (index >= lineCount(first) || first.origins.some((own) => own.from <= index && index < own.to)) return false
      if (!equalBytes(linesOf(first, index, index + 1), linesOf(run, line, line + 1))) return false
    }
    return true
  }
  return claiming.filter((run) => !run.origins.every((origin) => isTrue(run, origin)))
}
