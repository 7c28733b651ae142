/**
 * Blame: who put each line of a file there. Every line carries its lseq, so this is one read of the file and a look-up
 * of the versions that took those lseqs.
 * @module
 */
import { decodeUtf8Lossy, toHex } from '../base/bytes.js'
import { getOrMake } from '../base/map.js'
import type { VersionBrief } from '../history/header.js'
import type { Versions } from '../history/versions.js'
import type { Piece } from '../lines/pieces.js'
import { formatLseq, formatStream } from '../lseq/lseq.js'
import { gitId, person } from './describe.js'
import type { BlameLine } from './results.js'

/**
 * The lines of a file at a state, each with the version that put it.
 *
 * @param born - The file's first seq. Versions from there on are read while its lines are.
 */
export async function blameLines(reading: Promise<Piece[]>, born: number, versions: Versions): Promise<BlameLine[]> {
  const [pieces, holders] = await Promise.all([reading, versions.holdingLater(reading, born)])
  const credits = new Map<VersionBrief, Omit<BlameLine, 'n' | 'text' | 'lseq'>>()
  const lines: BlameLine[] = []
  for (const piece of pieces) {
    const version = holders.get(formatLseq(piece.seq, piece.stream)) ?? (await versions.expect(piece))
    const credit = getOrMake(credits, version, () => creditOf(version))
    const stream = formatStream(piece.stream)
    let { seq } = piece
    for (const text of textsOf(piece.bytes.subarray(piece.from, piece.to))) {
      lines.push({ n: lines.length + 1, text, ...credit, lseq: `${stream}-${(seq++).toString(16)}` })
    }
  }
  return lines
}

/** Lines without their newlines. They are decoded together, as no newline is part of another character. */
function textsOf(bytes: Uint8Array): string[] {
  const texts = decodeUtf8Lossy(bytes).split('\n')
  if (texts.at(-1) === '') texts.pop()
  return texts
}

function creditOf(version: VersionBrief): Omit<BlameLine, 'n' | 'text' | 'lseq'> {
  const git = gitId(version)
  return { version: toHex(version.id), ...(git === undefined ? {} : { git }), author: person(version.author) }
}
