/**
 * Blame: who put each line of a file there. Every line carries its lseq, so this is one read of the file and a look-up
 * of the versions that took those lseqs. Lines that were picked from a version that was never sent here count as lines of
 * the version that picked them.
 * @module
 */
import { decodeUtf8Lossy, toHex } from '../base/bytes.js'
import { getOrMake } from '../base/map.js'
import type { VersionBrief } from '../history/header.js'
import { missingVersion, type Versions } from '../history/versions.js'
import type { Piece } from '../lines/pieces.js'
import { formatStream, type Lseq } from '../lseq/lseq.js'
import { gitId, person } from './describe.js'
import type { BlameLine } from './results.js'

/** The lines of a file at a state, each with the version that put it. */
export async function blameLines(pieces: readonly Piece[], versions: Versions): Promise<BlameLine[]> {
  const holders = await versions.holdingBriefly(lseqsOf(pieces))
  const credits = new Map<VersionBrief, Omit<BlameLine, 'n' | 'text' | 'lseq'>>()
  const lines: BlameLine[] = []
  for (const piece of pieces) {
    const first = holders.get(piece)
    const at: Lseq = first === undefined && piece.again !== undefined ? piece.again : piece
    const version = first ?? holders.get(at) ?? missingVersion(at)
    const { version: id, git, author } = getOrMake(credits, version, () => creditOf(version))
    const stream = formatStream(at.stream)
    let { seq } = at
    for (const text of textsOf(piece.bytes.subarray(piece.from, piece.to))) {
      const n = lines.length + 1
      const lseq = `${stream}-${(seq++).toString(16)}`
      // Written out: spreading takes five times as long, and there are thousands of lines.
      lines.push(
        git === undefined ? { n, text, version: id, author, lseq } : { n, text, version: id, git, author, lseq },
      )
    }
  }
  return lines
}

function* lseqsOf(pieces: readonly Piece[]): Generator<Lseq> {
  for (const piece of pieces) {
    yield piece
    if (piece.again !== undefined) yield piece.again
  }
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
