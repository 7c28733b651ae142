/**
 * Finds origins that are not true: lines that claim to have been put before, by somebody else, and were not.
 *
 * Blame believes origins (origin.ts), so whoever could write false ones could put words into the mouths of others. A true
 * one names a line of the same file with the same bytes, put by a version that the writer knew, and the first one of
 * that line: it has no origin itself. A line that was picked may be one that this replica was never sent; and when it is
 * sent later and turns out to be another, the version that picked it is here, and others stand on it. So what a version
 * says of lines that it does not stand on is never more than doubtful.
 * @module
 */
import { equalBytes } from '../base/bytes.js'
import { getOrMake } from '../base/map.js'
import type { Lseq } from '../lseq/lseq.js'
import type { Streams } from '../lseq/vector.js'
import type { Origin } from './origin.js'
import { lineCount, linesOf, type Run, type Weave } from './weave.js'

/** What is known of the version that put a run. */
export interface OriginKnowledge {
  /** Whether that version stands on whatever took an lseq of the stream at `slot`, or took it itself. */
  covers(run: Run, slot: number, seq: number): boolean
  /** What it took lines from besides, where it names anything. */
  sources(run: Run): OriginSources | undefined
}

/** Versions from which lines were taken. */
export interface OriginSources {
  /** Whether one of them is not here. */
  readonly isMissing: boolean
  /** Whether one of those that are here stands on whatever took an lseq, or took it itself. */
  covers(slot: number, seq: number): boolean
}

/** Runs whose origins are not true. */
export interface FalseOrigins {
  /** What the version that put them stands on says otherwise. */
  readonly untrue: readonly Run[]
  /** What they name is not what the version stands on, and what is here of it by now says otherwise. */
  readonly doubtful: readonly Run[]
}

/**
 * The runs of a weave that have false origins.
 *
 * @param isAsked - Which of the runs are looked at; by default all.
 */
export function falseOrigins(
  weave: Weave,
  streams: Streams,
  known: OriginKnowledge,
  isAsked: (run: Run) => boolean = () => true,
): FalseOrigins {
  const claiming = weave.runs.filter((run) => run.origins.length > 0 && isAsked(run))
  if (claiming.length === 0) return { untrue: [], doubtful: [] }
  const bySlot = new Map<number, Run[]>()
  for (const run of weave.runs) getOrMake(bySlot, run.slot, () => [] as Run[]).push(run)
  for (const runs of bySlot.values()) runs.sort((a, b) => a.seq - b.seq)

  /** Whether a line is the same as the one with the lseq `seq`, and that is the first of it; undefined where that is not here. */
  const isFirst = (run: Run, line: number, slot: number, seq: number): boolean | undefined => {
    const first = bySlot.get(slot)?.findLast((other) => other.seq <= seq)
    if (first === undefined || seq - first.seq >= lineCount(first)) return undefined
    const index = seq - first.seq
    if (first.origins.some((own) => own.from <= index && index < own.to)) return false
    return equalBytes(linesOf(first, index, index + 1), linesOf(run, line, line + 1))
  }
  /**
   * Whether a line that the version stands on, or took lines from, has the same bytes and says to be the same one: who puts
   * that again, as merges and picks do, takes over what it says, and is not the one to answer for it.
   */
  const isTakenOver = (run: Run, line: number, { seq, stream }: Lseq): boolean =>
    weave.runs.some((other) =>
      other.origins.some((origin) => {
        const index = origin.from + seq - origin.seq
        if (origin.stream !== stream || index < origin.from || index >= origin.to || other === run) return false
        const at = other.seq + index
        const isThere = known.covers(run, other.slot, at) || known.sources(run)?.covers(other.slot, at) === true
        if (!isThere || index >= lineCount(other)) return false
        return equalBytes(linesOf(other, index, index + 1), linesOf(run, line, line + 1))
      }),
    )
  const judged = (run: Run, { from, to, seq, stream }: Origin): 'true' | 'untrue' | 'doubtful' => {
    if (to > lineCount(run)) return 'untrue'
    const slot = streams.find(stream)
    const sources = known.sources(run)
    let isDoubtful = false
    for (let line = from; line < to; line++) {
      const at = seq + line - from
      const same = slot === undefined ? undefined : isFirst(run, line, slot, at)
      if (slot !== undefined && known.covers(run, slot, at)) {
        if (same !== true) return 'untrue'
        continue
      }
      if (isTakenOver(run, line, { seq: at, stream })) continue
      if (sources === undefined) return 'untrue'
      // A source that is not here may cover it, and have what is not here.
      const mayBe = sources.isMissing || (slot !== undefined && sources.covers(slot, at))
      if (!mayBe || same === false || (same === undefined && !sources.isMissing)) isDoubtful = true
    }
    return isDoubtful ? 'doubtful' : 'true'
  }
  const untrue: Run[] = []
  const doubtful: Run[] = []
  for (const run of claiming) {
    const found = run.origins.map((origin) => judged(run, origin))
    if (found.includes('untrue')) untrue.push(run)
    else if (found.includes('doubtful')) doubtful.push(run)
  }
  return { untrue, doubtful }
}
