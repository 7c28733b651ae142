/**
 * Versions whose past is not here: kept aside, and tried again whenever something has come.
 *
 *     `a` | lseq of the version   ->   its entries, as a page (lseq/page.ts)
 *
 * They are part of nothing until they are let in: no reader looks there. What is kept is bounded, so that nobody can fill a disk
 * with versions of which the past never comes; what does not fit is said to be refused, and may be sent again.
 * @module
 */
import type { Entry } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import { encodeLseq, type Lseq, readLseq } from '../lseq/lseq.js'
import { decodePage, encodePageSync } from '../lseq/page.js'
import type { Operation } from '../lseq/store.js'

/** Bytes that are kept aside at most. */
export const ASIDE_BYTES = 256 << 20

const LETTER = 'a'.charCodeAt(0)

/** A version with all its entries. */
export interface WholeVersion extends Lseq {
  readonly entries: readonly Entry[]
}

/** What is kept aside, in lseq order. */
export async function readAside({ store }: Pick<EntryStore, 'store'>): Promise<WholeVersion[]> {
  const found: WholeVersion[] = []
  for await (const batch of store.scan(asideRange())) {
    for (const [key, value] of batch) found.push({ ...readLseq(key, 1), entries: [...decodePage(value)] })
  }
  return found
}

/** Which versions are kept aside, and how many bytes they take. */
export async function listAside({ store }: Pick<EntryStore, 'store'>): Promise<{ versions: Lseq[]; bytes: number }> {
  const versions: Lseq[] = []
  let bytes = 0
  for await (const batch of store.scan(asideRange())) {
    for (const [key, value] of batch) {
      versions.push(readLseq(key, 1))
      bytes += value.length
    }
  }
  return { versions, bytes }
}

/** The write that keeps a version aside. */
export function keepAside({ seq, stream, entries }: WholeVersion): Operation & { readonly type: 'put' } {
  return { type: 'put', key: asideKey(seq, stream), value: encodePageSync(entries) }
}

/** The write that forgets it. */
export function dropAside({ seq, stream }: Lseq): Operation {
  return { type: 'del', key: asideKey(seq, stream) }
}

function asideRange(): { gte: Uint8Array; lt: Uint8Array } {
  return { gte: Uint8Array.of(LETTER), lt: Uint8Array.of(LETTER + 1) }
}

function asideKey(seq: number, stream: number): Uint8Array {
  return Uint8Array.of(LETTER, ...encodeLseq(seq, stream))
}
