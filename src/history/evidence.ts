/**
 * Evidence of equivocation: a writer signed two versions that follow the same one in its stream.
 *
 * The first that came stands; the second is refused, and its header and signature are kept as proof, beside the entries
 * and not among them:
 *
 *     q | stream (3) | id (32)   ->   the value of the version's entry
 *
 * @module
 */
import { concatBytes } from '../base/bytes.js'
import type { Entry } from '../lseq/batch.js'
import { encodeLseq } from '../lseq/lseq.js'
import type { Store } from '../lseq/store.js'
import type { VersionRef } from './header.js'

/** First byte of the store's keys of evidence. */
export const EVIDENCE = 'q'.charCodeAt(0)

/** Key in the store for a version that was refused. */
export function evidenceKey({ stream, id }: Pick<VersionRef, 'stream' | 'id'>): Uint8Array {
  return concatBytes(Uint8Array.of(EVIDENCE), encodeLseq(0, stream).subarray(5), id)
}

/** All evidence that a store holds: the store's key and the version's value. */
export async function* readEvidence(store: Store): AsyncGenerator<Entry> {
  for await (const pairs of store.scan({ gte: Uint8Array.of(EVIDENCE), lt: Uint8Array.of(EVIDENCE + 1) })) {
    for (const [key, value] of pairs) yield { key, value }
  }
}
