/**
 * Finds origins that are not true: lines that claim to have been put before, by somebody else, and were not.
 *
 * Blame believes origins (origin.ts), so whoever could write false ones could put words into the mouths of others. A true
 * one names a line of the same file with the same bytes, put by a version that the writer knew, and the first one of
 * that line: it has no origin itself. A line that was picked may be one that this replica was never sent.
 * @module
 */
import { equalBytes } from '../base/bytes.js'
import { getOrMake } from '../base/map.js'
import type { Lseq } from '../lseq/lseq.js'
import type { Streams } from '../lseq/vector.js'
import type { Origin } from './origin.js'
import { lineCount, linesOf, type Run, type Weave } from './weave.js'

/** What is known of who put lines. */
export interface OriginKnowledge {
  /** Whether the version that put `run` stands on the one that put `other`, or took lines from one that does. */
  knows(run: Run, other: Run): boolean
  /** Whether `run` may hold a line that was put with an lseq of which nothing is here. */
  mayMiss(run: Run, lseq: Lseq): boolean
}

/** The runs of a weave that have false origins. */
export function falseOrigins(weave: Weave, streams: Streams, known: OriginKnowledge): Run[] {
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
      const at = seq + line - from
      const first = runs.findLast((other) => other.seq <= at)
      if (first === undefined || at - first.seq >= lineCount(first)) {
        if (known.mayMiss(run, { seq: at, stream })) continue
        return false
      }
      if (!known.knows(run, first)) return false
      const index = at - first.seq
      if (first.origins.some((own) => own.from <= index && index < own.to)) return false
      if (!equalBytes(linesOf(first, index, index + 1), linesOf(run, line, line + 1))) return false
    }
    return true
  }
  return claiming.filter((run) => !run.origins.every((origin) => isTrue(run, origin)))
}
