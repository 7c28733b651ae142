/**
 * The derived indexes: entries of the kinds `I` and `X`, which can be dropped and made again from the versions.
 *
 *     I | v | first 8 bytes of a version's id    | lseq   ->  nothing
 *     I | g | first 8 bytes of a git commit's id | lseq   ->  nothing, or the whole id
 *     X | lseq                                            ->  the version's vector: lseqs (8), sorted by stream
 *
 * A name found here is checked against the version's header. A version that was not made from a commit says nothing of
 * one there: where it has been exported, the whole id of the commit that came of it stands here (git/exported.ts). Vectors are kept for every 256th version and for
 * those without children; any other is the join of its parents', and the walk down to those that are kept is short
 * (versions.ts).
 * @module
 */
import { fromLatin1, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { LSEQ_BYTES, type Lseq, readLseq, writeLseq } from '../lseq/lseq.js'
import { withLseq } from './keys.js'

/** Bytes of an id that the index keeps. */
export const ID_PREFIX = 8

/** A version in so many has its vector kept. */
export const VECTOR_EVERY = 256

/** What an id names: a version, or the git commit it was made from. */
export type IdKind = 'v' | 'g'

/** @param id - Id or the beginning of one. */
export function idPrefix(kind: IdKind, id: Uint8Array): Uint8Array {
  return fromLatin1(`I${kind}${toLatin1(id.subarray(0, ID_PREFIX))}`)
}

export function idKey(kind: IdKind, id: Uint8Array, seq: number, stream: number): Uint8Array {
  return withLseq(idPrefix(kind, id), seq, stream)
}

export function vectorKey(seq: number, stream: number): Uint8Array {
  return withLseq(fromLatin1('X'), seq, stream)
}

/** The value of a kept vector. */
export function encodeVector(lseqs: readonly Lseq[]): Uint8Array {
  const out = new Uint8Array(lseqs.length * LSEQ_BYTES)
  let at = 0
  for (const { seq, stream } of [...lseqs].sort((a, b) => a.stream - b.stream)) at = writeLseq(out, at, seq, stream)
  return out
}

/** @throws {CodedError} `BAD_RECORD` for bytes that `encodeVector` does not write: each stream is there once, in order. */
export function decodeVector(value: Uint8Array): Lseq[] {
  const lseqs: Lseq[] = []
  let ordered = value.length % LSEQ_BYTES === 0
  for (let at = 0; ordered && at < value.length; at += LSEQ_BYTES) {
    const lseq = readLseq(value, at)
    ordered = lseq.stream > (lseqs.at(-1)?.stream ?? -1)
    lseqs.push(lseq)
  }
  if (!ordered) throw new CodedError('BAD_RECORD', 'A version vector is malformed.')
  return lseqs
}
