/**
 * Which version took an lseq, held to a look at every version.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '../src/base/bytes.js'
import { decodeBrief, decodeVersion, encodeVersion, type VersionBrief } from '../src/history/header.js'
import type { Holders } from '../src/history/holders.js'
import { Versions } from '../src/history/versions.js'
import { EntryStore } from '../src/lseq/entries.js'
import { formatLseq, type Lseq } from '../src/lseq/lseq.js'
import { openMemoryStore } from '../src/lseq/memory.js'
import { Streams } from '../src/lseq/vector.js'
import { imported } from './support/imported.js'

describe('holders', () => {
  for (const name of ['small', 'oddities']) {
    it(`are found for every lseq of ${name}`, async () => {
      await using repository = await (await imported(name)).open()
      const { versions } = repository
      const expected = new Map<string, string>()
      const lseqs: Lseq[] = []
      for await (const { first, last, stream, id } of versions.all()) {
        for (let seq = first; seq <= last; seq++) {
          expected.set(formatLseq(seq, stream), toHex(id))
          lseqs.push({ seq, stream })
        }
      }
      const asked = [...lseqs, { seq: 2 ** 39, stream: (lseqs[0] as Lseq).stream }, { seq: 1, stream: 0xfffffe }]
      const check = (found: Holders<VersionBrief>): void => {
        for (const lseq of asked) {
          const id = found.get(lseq)?.id
          assert.equal(id && toHex(id), expected.get(formatLseq(lseq.seq, lseq.stream)))
        }
      }
      check(await versions.holding(asked))
      check(await versions.holdingBriefly(asked.toReversed()))
      check(await versions.readAhead().holding(asked))
      for (const lseq of lseqs.slice(-40)) {
        const found = [...(await versions.holding([lseq]))].map(({ id }) => toHex(id))
        assert.deepEqual(found, [expected.get(formatLseq(lseq.seq, lseq.stream))])
      }
      assert.equal([...(await versions.holding([]))].length, 0)
      assert.equal([...(await versions.readAhead().holding([]))].length, 0)
    })
  }

  it('are found among pages read ahead, wherever they are', async () => {
    await using repository = await (await imported('small')).open()
    await using small = new EntryStore(await openMemoryStore(), { pageBytes: 2048 })
    await small.bulk(async (writer) => {
      for await (const batch of repository.entries.scan()) {
        for (const { key, value } of batch) await writer.add(key, value)
      }
      return undefined
    })
    assert.ok((await small.stat()).pages > 10)
    const versions = new Versions(small, new Streams())
    for await (const { first, stream, id } of repository.versions.all()) {
      const found = await versions.readAhead().holding([{ seq: first, stream }])
      assert.deepEqual(
        [...found].map((version) => toHex(version.id)),
        [toHex(id)],
      )
    }
  })

  it('may be read ahead and never asked for', async () => {
    await using repository = await (await imported('small')).open()
    await using _ = repository.versions.readAhead()
  })
})

describe('a version in brief', () => {
  for (const name of ['small', 'oddities', 'hostile']) {
    it(`is part of the whole, for every version of ${name}`, async () => {
      await using repository = await (await imported(name)).open()
      for await (const { headerBytes, signature } of repository.versions.all()) {
        const value = encodeVersion(headerBytes, signature)
        const { stream, first, last, author, extra, id } = decodeVersion(value)
        assert.deepEqual(decodeBrief(value), { stream, first, last, author, extra, id })
      }
    })
  }
})
