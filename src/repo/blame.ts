/**
 * Blame: who put each line of a file there. Every line carries its lseq, so this is one read of the file and a look-up
 * of the versions that took those lseqs.
 * @module
 */
import { decodeUtf8Lossy, toHex } from '../base/bytes.js'
import type { Version } from '../history/header.js'
import type { Versions } from '../history/versions.js'
import { type Run, type Weave, aliveAt, runStarts } from '../lines/weave.js'
import { type Lseq, formatLseq } from '../lseq/lseq.js'
import type { Streams, Vector } from '../lseq/vector.js'
import { gitId, person } from './describe.js'
import type { BlameLine } from './results.js'

const NEWLINE = 10

/** The lines of a weave at a state, each with the version that put it. */
export async function blameLines(weave: Weave, vector: Vector, versions: Versions): Promise<BlameLine[]> {
  const { streams } = versions
  const pieces = [...aliveAt(weave, vector)]
  const runs = [...new Set(pieces.map((piece) => piece.run))].map((run) => weave.runs[run] as Run)
  const holders = await versions.holding(runs.map((run) => lseqOf(run, streams)))
  const credits = new Map<Version, Omit<BlameLine, 'n' | 'text' | 'lseq'>>()
  const lines: BlameLine[] = []
  for (const piece of pieces) {
    const run = weave.runs[piece.run] as Run
    const { seq, stream } = lseqOf(run, streams)
    const version = holders.get(formatLseq(seq, stream)) ?? (await versions.expect({ seq, stream }))
    let credit = credits.get(version)
    if (credit === undefined) credits.set(version, (credit = creditOf(version)))
    const starts = runStarts(run)
    for (let i = piece.from; i < piece.to; i++) {
      lines.push({
        n: lines.length + 1,
        text: lineText(run.text.subarray(starts[i], starts[i + 1])),
        ...credit,
        lseq: formatLseq(seq + i, stream),
      })
    }
  }
  return lines
}

function lseqOf({ seq, slot }: Run, streams: Streams): Lseq {
  return { seq, stream: streams.id(slot) }
}

function creditOf(version: Version): Omit<BlameLine, 'n' | 'text' | 'lseq'> {
  const git = gitId(version)
  return { version: toHex(version.id), ...(git === undefined ? {} : { git }), author: person(version.author) }
}

/** A line without its newline. */
export function lineText(line: Uint8Array): string {
  return decodeUtf8Lossy(line.at(-1) === NEWLINE ? line.subarray(0, -1) : line)
}
