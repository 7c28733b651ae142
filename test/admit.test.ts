/**
 * Admission: whole histories taken in by the batch, in any order, come out as they were.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deriveAll } from '../src/history/derived.js'
import { verifyEntries } from '../src/history/verify.js'
import { type Entries, entriesOf } from './support/forge.js'
import { imported } from './support/imported.js'
import { parcelsOf, Replica, sent } from './support/replica.js'

/** Entries in key order, to be compared. */
function sorted(entries: Entries): [string, Uint8Array][] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
}

describe('admission', () => {
  for (const name of ['small', 'oddities', 'badmerge', 'odd-trees', 'hostile']) {
    it(`takes in all of ${name}, in batches, with the indexes that the import made`, async () => {
      await using repo = await (await imported(name)).open()
      const source = await entriesOf(repo.entries)
      const parcels = parcelsOf(source)
      for (const size of [1, 7, parcels.length]) {
        await using replica = await Replica.of(source)
        for (let i = 0; i < parcels.length; i += size) {
          const part = parcels.slice(i, i + size)
          const { refused, waiting, accepted } = await replica.take(sent(...part))
          assert.deepEqual([refused, waiting], [[], []])
          assert.equal(accepted.length, part.length)
        }
        const taken = await replica.all()
        assert.deepEqual(sorted(taken), sorted(source))
        assert.deepEqual((await verifyEntries(replica.entries)).damage, [])
        const derived = [...taken].filter(([key]) => 'IX'.includes(key[0] as string)).length
        assert.equal((await deriveAll(replica.entries)).length, derived)
      }
    })
  }
})
