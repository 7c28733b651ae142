/**
 * Which version took an lseq, held to a look at every version.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '../src/base/bytes.js'
import { decodeBrief, decodeVersion, encodeVersion, type Version } from '../src/history/header.js'
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
      const least = Math.min(...lseqs.map(({ seq }) => seq))
      const asked = [...lseqs, { seq: 2 ** 39, stream: (lseqs[0] as Lseq).stream }, { seq: 1, stream: 0xfffffe }]
      const idsOf = (found: ReadonlyMap<string, Pick<Version, 'id'>>): [string, string][] =>
        [...found].map(([lseq, { id }]): [string, string] => [lseq, toHex(id)]).sort()
      const all = [...expected].sort()
      assert.deepEqual(idsOf(await versions.holding(asked)), all)
      assert.deepEqual(idsOf(await versions.holdingBriefly(asked.toReversed())), all)
      assert.deepEqual(idsOf(await versions.holdingLater(Promise.resolve(asked), least)), all)
      for (const { seq, stream } of lseqs.slice(-40)) {
        const held = await versions.holding([{ seq, stream }])
        assert.deepEqual(idsOf(held), [[formatLseq(seq, stream), expected.get(formatLseq(seq, stream))]])
      }
      assert.equal((await versions.holding([])).size, 0)
    })
  }

  it('are not waited for when what they are wanted for fails', async () => {
    await using repository = await (await imported('small')).open()
    const failure = Promise.reject(new RangeError('no lseqs'))
    await assert.rejects(repository.versions.holdingLater(failure, 1), { message: 'no lseqs' })
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
