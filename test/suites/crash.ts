/**
 * What the process that is killed writes, so that the one that looks afterwards knows what to expect.
 * @module
 */
import { compareBytes, concatBytes, fromLatin1 } from '../../src/base/bytes.js'
import type { Entry } from '../../src/lseq/batch.js'
import type { EntryStoreOptions } from '../../src/lseq/entries.js'
import { encodeLseq } from '../../src/lseq/lseq.js'

/** Small pages, and batches that go early: many places to be killed at. */
export const crashOptions: EntryStoreOptions = { pageBytes: 2000, quality: 1, heldBytes: 5000 }

/** The entries of one round, in order: all over the key space, none of them in two rounds. */
export function crashEntries(seed: number, round: number): Entry[] {
  const entries = Array.from({ length: 150 }, (_, i) => {
    const at = Math.imul(seed * 1000 + i, 0x9e3779b1) >>> 0
    const key = concatBytes(
      fromLatin1('L'),
      Uint8Array.of(at >>> 24, at >>> 16),
      encodeLseq(round * 1000 + i + 1, seed),
    )
    return { key, value: fromLatin1(`${'x'.repeat(at % 90)} ${seed} ${round} ${i}\n`) }
  })
  return entries.sort((a, b) => compareBytes(a.key, b.key))
}
