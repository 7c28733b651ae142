/**
 * Which version took an lseq, held to a look at every version.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '../src/base/bytes.js'
import { decodeBrief, decodeLinks, decodeVersion, encodeVersion, type VersionBrief } from '../src/history/header.js'
import type { Holders } from '../src/history/holders.js'
import { formatLseq, type Lseq } from '../src/lseq/lseq.js'
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
      for (const lseq of lseqs.slice(-40)) {
        const found = [...(await versions.holding([lseq]))].map(({ id }) => toHex(id))
        assert.deepEqual(found, [expected.get(formatLseq(lseq.seq, lseq.stream))])
      }
      assert.equal([...(await versions.holding([]))].length, 0)
    })
  }
})

describe('a version in brief', () => {
  for (const name of ['small', 'oddities', 'hostile']) {
    it(`is part of the whole, for every version of ${name}`, async () => {
      await using repository = await (await imported(name)).open()
      for await (const { headerBytes, signature } of repository.versions.all()) {
        const value = encodeVersion(headerBytes, signature)
        const { stream, first, last, author, extra, id } = decodeVersion(value)
        assert.deepEqual(decodeBrief(value), { stream, first, last, author, extra, id })
        const { prev, parents } = decodeVersion(value)
        assert.deepEqual(decodeLinks(value), { stream, first, last, prev, parents })
      }
    })
  }
})
