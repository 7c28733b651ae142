/**
 * Blame: who put each line of a file there. Every line carries its lseq, so this is one read of the file and a look-up
 * of the versions that took those lseqs.
 * @module
 */
import { decodeUtf8Lossy, toHex } from '../base/bytes.js'
import { getOrMake } from '../base/map.js'
import type { Version } from '../history/header.js'
import type { Versions } from '../history/versions.js'
import { aliveAt, type Run, runStarts, type Weave } from '../lines/weave.js'
import { formatLseq, type Lseq } from '../lseq/lseq.js'
import type { Streams, Vector } from '../lseq/vector.js'
import { gitId, person } from './describe.js'
import type { BlameLine } from './results.js'

const NEWLINE = 10

/** Lines of a run that were first put in a row by one version. */
export interface Stretch {
  readonly run: Run
  readonly from: number
  readonly to: number
  /** Lseq with which the first of them was first put. */
  readonly first: Lseq
}

/** The lines of a weave at a state, each with the version that put it. */
export async function blameLines(weave: Weave, vector: Vector, versions: Versions): Promise<BlameLine[]> {
  const stretches: Stretch[] = []
  for (const { run, from, to } of aliveAt(weave, vector)) {
    stretches.push(...stretchesOf(weave.runs[run] as Run, from, to, versions.streams))
  }
  const holders = await versions.holding(stretches.map(({ first }) => first))
  const credits = new Map<Version, Omit<BlameLine, 'n' | 'text' | 'lseq'>>()
  const lines: BlameLine[] = []
  for (const { run, from, to, first } of stretches) {
    const version = holders.get(formatLseq(first.seq, first.stream)) ?? (await versions.expect(first))
    const credit = getOrMake(credits, version, () => creditOf(version))
    const starts = runStarts(run)
    for (let i = from; i < to; i++) {
      lines.push({
        n: lines.length + 1,
        text: lineText(run.text.subarray(starts[i], starts[i + 1])),
        ...credit,
        lseq: formatLseq(first.seq + i - from, first.stream),
      })
    }
  }
  return lines
}

/** Cuts lines of a run at the ends of their origins, which is where another version may have put them first. */
export function* stretchesOf(run: Run, from: number, to: number, streams: Streams): Generator<Stretch> {
  const own = streams.id(run.slot)
  let at = from
  for (const origin of run.origins) {
    const start = Math.max(origin.from, at)
    const end = Math.min(origin.to, to)
    if (start >= end) continue
    if (at < start) yield { run, from: at, to: start, first: { seq: run.seq + at, stream: own } }
    yield { run, from: start, to: end, first: { seq: origin.seq + start - origin.from, stream: origin.stream } }
    at = end
  }
  if (at < to) yield { run, from: at, to, first: { seq: run.seq + at, stream: own } }
}

function creditOf(version: Version): Omit<BlameLine, 'n' | 'text' | 'lseq'> {
  const git = gitId(version)
  return { version: toHex(version.id), ...(git === undefined ? {} : { git }), author: person(version.author) }
}

/** A line without its newline. */
export function lineText(line: Uint8Array): string {
  return decodeUtf8Lossy(line.at(-1) === NEWLINE ? line.subarray(0, -1) : line)
}
