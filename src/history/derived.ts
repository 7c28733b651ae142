/**
 * The derived indexes: entries of the kinds `I` and `X`, which can be dropped and made again from the versions.
 *
 *     I | v | first 8 bytes of a version's id    | lseq   ->  nothing
 *     I | g | first 8 bytes of a git commit's id | lseq   ->  nothing, or the whole id
 *     X | lseq                                            ->  the version's vector: lseqs (8), sorted by stream
 *
 * A name found here is checked against the version's header. A version that was not made from a commit says nothing of
 * one there: where it has been exported, the whole id of the commit that came of it stands here (git/exported.ts).
 *
 * Vectors are kept for one version in 64, chosen by its id, so that every replica keeps the same ones, in whatever order
 * the versions came; any other is the join of its parents', and the walk down to those that are kept is short
 * (versions.ts). All but what an export notes follows from the versions and is made again wherever they come in. Versions of
 * refs are looked up by nobody, and have none of it.
 * @module
 */
import { compareBytes, fromLatin1, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { Entry } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import { LSEQ_BYTES, type Lseq, readLseq, writeLseq } from '../lseq/lseq.js'
import { extraOf, GIT_EXTRA } from './extra.js'
import { Graph } from './graph.js'
import { decodeVersion, type Version } from './header.js'
import { kindRange, withLseq } from './keys.js'

/** Bytes of an id that the index keeps. */
export const ID_PREFIX = 8

/** The vector of a version is kept where these bits of the last byte of its id are 0. */
const VECTOR_MASK = 63

/** What an id names: a version, or the git commit it was made from. */
export type IdKind = 'v' | 'g'

/** What is derived depends on this of a version. */
type DerivedFrom = Pick<Version, 'id' | 'last' | 'stream' | 'extra'>

const NOTHING = new Uint8Array(0)

/** Whether an entry is one of an index: nobody signed it. */
export function isDerived(key: Uint8Array): boolean {
  return key[0] === INDEX || key[0] === VECTOR
}

const INDEX = 'I'.charCodeAt(0)
const VECTOR = 'X'.charCodeAt(0)

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

/** Whether the vector of the version with this id is kept. */
export function keepsVector(id: Uint8Array): boolean {
  return ((id.at(-1) as number) & VECTOR_MASK) === 0
}

/**
 * What is derived of a version of contents.
 *
 * @param vector - What it covers; asked for where that is kept.
 */
export function derivedEntries(version: DerivedFrom, vector: () => readonly Lseq[]): Entry[] {
  const { id, last, stream } = version
  const derived: Entry[] = [{ key: idKey('v', id, last, stream), value: NOTHING }]
  const commit = extraOf(version, GIT_EXTRA)
  if (commit !== undefined) derived.push({ key: idKey('g', commit, last, stream), value: NOTHING })
  if (keepsVector(id)) derived.push({ key: vectorKey(last, stream), value: encodeVector(vector()) })
  return derived
}

/** What is derived of all versions of a store, in key order: for a store whose versions were taken over whole. */
export async function deriveAll(entries: Pick<EntryStore, 'scan'>): Promise<Entry[]> {
  const graph = new Graph()
  const derived: Entry[] = []
  for await (const batch of entries.scan(kindRange('V'))) {
    for (let i = 0; i < batch.count; i++) {
      const version = decodeVersion(batch.value(i))
      const { vector } = graph.add(version)
      const lseqs = () =>
        [...vector.entries()].map(([slot, number]) => ({
          seq: graph.node(number).last,
          stream: graph.streams.id(slot),
        }))
      if (version.tree !== undefined) derived.push(...derivedEntries(version, lseqs))
    }
  }
  return derived.sort((a, b) => compareBytes(a.key, b.key))
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
