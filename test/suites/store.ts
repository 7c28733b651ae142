/**
 * What every `Store` does, as tests: run it on each implementation.
 * @module
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compareBytes, fromLatin1, toHex, toLatin1 } from '../../src/base/bytes.js'
import type { Operation, Range, ScanOptions, Store } from '../../src/lseq/store.js'

/** Makes an empty store; `reopen` gives the same content in a new object, where that means anything. */
export interface StoreFactory {
  open(): Promise<Store>
  reopen?(closed: Store): Promise<Store>
}

const put = (key: string, value: string): Operation => ({ type: 'put', key: fromLatin1(key), value: fromLatin1(value) })
const del = (key: string): Operation => ({ type: 'del', key: fromLatin1(key) })

/** The whole range as text, in the order of the scan. */
async function text(store: Store, options: ScanOptions = {}): Promise<string> {
  const found: string[] = []
  for await (const batch of store.scan(options)) {
    assert.ok(batch.length > 0, 'no batch is empty')
    for (const [key, value] of batch) found.push(`${toLatin1(key)}=${toLatin1(value)}`)
  }
  return found.join(' ')
}

async function keysOf(store: Store, options: ScanOptions = {}): Promise<string[]> {
  const found: string[] = []
  for await (const batch of store.keys(options)) {
    assert.ok(batch.length > 0, 'no batch is empty')
    for (const key of batch) found.push(toHex(key))
  }
  return found
}

export function storeSuite(name: string, factory: StoreFactory): void {
  const withAbc = async (): Promise<Store> => {
    const store = await factory.open()
    await store.batch([put('b', '2'), put('a', '1'), put('d', '4'), put('c', '3')])
    return store
  }

  describe(`store: ${name}`, () => {
    it('answers undefined for a missing key', async () => {
      await using store = await factory.open()
      assert.equal(await store.get(fromLatin1('nope')), undefined)
    })

    it('gives back what was put, the empty value and the empty key included', async () => {
      await using store = await factory.open()
      await store.batch([put('', 'empty key'), put('k', '')])
      assert.equal(toLatin1((await store.get(fromLatin1(''))) ?? assert.fail()), 'empty key')
      assert.equal((await store.get(fromLatin1('k')))?.length, 0)
    })

    it('takes and gives plain Uint8Arrays that look into a larger buffer', async () => {
      await using store = await factory.open()
      const large = Uint8Array.from([9, 1, 2, 9, 7, 8, 9])
      await store.batch([{ type: 'put', key: large.subarray(1, 3), value: large.subarray(4, 6) }])
      assert.deepEqual([...((await store.get(Uint8Array.of(1, 2))) ?? [])], [7, 8])
    })

    it('gets many in the order asked, with undefined for the missing and repeats repeated', async () => {
      await using store = await withAbc()
      const values = await store.getMany(['c', 'x', 'a', 'c'].map(fromLatin1))
      assert.deepEqual(
        values.map((value) => value && toLatin1(value)),
        ['3', undefined, '1', '3'],
      )
      assert.deepEqual(await store.getMany([]), [])
    })

    it('replaces and deletes, and deletes what is not there', async () => {
      await using store = await withAbc()
      await store.batch([put('a', 'new'), del('b'), del('nope')])
      assert.equal(await text(store), 'a=new c=3 d=4')
    })

    it('lets the last of two writes on one key count', async () => {
      await using store = await factory.open()
      await store.batch([put('a', '1'), del('a'), put('b', '1'), put('b', '2'), put('c', '1'), del('c')])
      assert.equal(await text(store), 'b=2')
    })

    it('writes a batch whole or not at all', async () => {
      await using store = await withAbc()
      const broken = { type: 'put', key: null, value: null } as unknown as Operation
      await assert.rejects(store.batch([put('e', '5'), del('a'), broken]))
      assert.equal(await text(store), 'a=1 b=2 c=3 d=4')
    })

    it('accepts an empty batch', async () => {
      await using store = await withAbc()
      await store.batch([], { sync: true })
      assert.equal(await text(store), 'a=1 b=2 c=3 d=4')
    })

    const ranges: [name: string, range: Record<string, string>, forward: string][] = [
      ['everything', {}, 'a=1 b=2 c=3 d=4'],
      ['gte, a key', { gte: 'b' }, 'b=2 c=3 d=4'],
      ['gt, a key', { gt: 'b' }, 'c=3 d=4'],
      ['lt, a key', { lt: 'c' }, 'a=1 b=2'],
      ['lte, a key', { lte: 'c' }, 'a=1 b=2 c=3'],
      ['gte, between', { gte: 'bb' }, 'c=3 d=4'],
      ['lte, between', { lte: 'bb' }, 'a=1 b=2'],
      ['gte and lt', { gte: 'b', lt: 'd' }, 'b=2 c=3'],
      ['gt and lte', { gt: 'b', lte: 'd' }, 'c=3 d=4'],
      ['gte the empty key', { gte: '' }, 'a=1 b=2 c=3 d=4'],
      ['lt the empty key', { lt: '' }, ''],
      ['nothing between', { gt: 'b', lt: 'c' }, ''],
      ['a backward range', { gte: 'c', lt: 'b' }, ''],
      ['behind the end', { gte: 'e' }, ''],
      ['before the start', { lt: 'a' }, ''],
    ]
    for (const [title, bounds, forward] of ranges) {
      it(`scans ${title}, forward, in reverse, with limits, keys only`, async () => {
        await using store = await withAbc()
        const range = Object.fromEntries(Object.entries(bounds).map(([name, key]) => [name, fromLatin1(key)])) as Range
        const pairs = forward === '' ? [] : forward.split(' ')
        assert.equal(await text(store, range), forward)
        assert.equal(await text(store, { ...range, reverse: true }), pairs.toReversed().join(' '))
        for (let limit = 0; limit <= 4; limit++) {
          assert.equal(await text(store, { ...range, limit }), pairs.slice(0, limit).join(' '))
          assert.equal(
            await text(store, { ...range, limit, reverse: true }),
            pairs.toReversed().slice(0, limit).join(' '),
          )
        }
        assert.deepEqual(
          await keysOf(store, range),
          pairs.map((pair) => toHex(fromLatin1(pair.slice(0, 1)))),
        )
      })
    }

    it('keeps unsigned byte order, a prefix before what it begins', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(fc.uint8Array({ maxLength: 6 }), { selector: toHex }), async (keys) => {
          await using store = await factory.open()
          await store.batch(keys.map((key) => ({ type: 'put', key, value: key })))
          assert.deepEqual(await keysOf(store), keys.toSorted(compareBytes).map(toHex))
          for await (const batch of store.scan()) for (const [key, value] of batch) assert.deepEqual(key, value)
        }),
        { numRuns: 30 },
      )
    })

    it('answers like a sorted map after random writes', async () => {
      const key = fc.uint8Array({ maxLength: 2 })
      const write = fc.record({ key, value: fc.option(fc.uint8Array({ maxLength: 5 })) })
      const range = fc.record({ gte: key, gt: key, lt: key, lte: key }, { requiredKeys: [] })
      await fc.assert(
        fc.asyncProperty(fc.array(write), range, fc.boolean(), async (writes, anyRange, reverse) => {
          // Two bounds on one side mean whatever the database means by them.
          const { gt, gte, lt, lte } = anyRange
          const bounds: Range = { ...(gte ? { gte } : gt ? { gt } : {}), ...(lte ? { lte } : lt ? { lt } : {}) }
          await using store = await factory.open()
          const expected = new Map<string, string>()
          for (const { key, value } of writes) {
            await store.batch([value === null ? { type: 'del', key } : { type: 'put', key, value }])
            if (value === null) expected.delete(toLatin1(key))
            else expected.set(toLatin1(key), toLatin1(value))
          }
          const inside = (name: string): boolean => {
            const at = (bound: Uint8Array | undefined) =>
              bound === undefined ? 0 : compareBytes(fromLatin1(name), bound)
            if (bounds.gte !== undefined && at(bounds.gte) < 0) return false
            if (bounds.gt !== undefined && at(bounds.gt) <= 0) return false
            if (bounds.lte !== undefined && at(bounds.lte) > 0) return false
            return bounds.lt === undefined || at(bounds.lt) < 0
          }
          const sorted = [...expected].filter(([name]) => inside(name)).sort(([a], [b]) => (a < b ? -1 : 1))
          if (reverse) sorted.reverse()
          const wanted = sorted.map((pair) => pair.join('=')).join(' ')
          assert.equal(await text(store, { ...bounds, reverse }), wanted)
        }),
        { numRuns: 40 },
      )
    })

    it('yields large scans in batches of about the bytes asked for', async () => {
      await using store = await factory.open()
      const value = new Uint8Array(1000)
      const keys = Array.from({ length: 500 }, (_, i) => fromLatin1(String(i).padStart(4, '0')))
      await store.batch(keys.map((key) => ({ type: 'put', key, value })))
      const sizes: number[] = []
      for await (const batch of store.scan({ batchBytes: 20_000 })) sizes.push(batch.length)
      assert.equal(
        sizes.reduce((sum, size) => sum + size, 0),
        500,
      )
      const single: number[] = []
      for await (const batch of store.scan({ batchBytes: 0, limit: 3 })) single.push(batch.length)
      assert.equal(
        single.reduce((sum, size) => sum + size, 0),
        3,
      )
    })

    it('can be left in the middle of a scan', async () => {
      await using store = await withAbc()
      for await (const [pair] of store.scan({ batchBytes: 0 })) {
        assert.equal(toLatin1(pair?.[0] ?? assert.fail()), 'a')
        break
      }
      assert.equal(await text(store), 'a=1 b=2 c=3 d=4')
    })

    it('shows a scan under way the state it began with', async () => {
      await using store = await withAbc()
      const found: string[] = []
      for await (const batch of store.scan({ batchBytes: 0 })) {
        for (const [key] of batch) found.push(toLatin1(key))
        await store.batch([put('bb', 'late'), del('c')])
      }
      assert.deepEqual(found, ['a', 'b', 'c', 'd'])
    })

    it('clears a range, and everything', async () => {
      await using store = await withAbc()
      await store.clear({ gt: fromLatin1('a'), lte: fromLatin1('c') })
      assert.equal(await text(store), 'a=1 d=4')
      await store.clear()
      assert.equal(await text(store), '')
    })

    it('holds values of megabytes', async () => {
      await using store = await factory.open()
      const value = new Uint8Array(5 << 20).map((_, i) => (i * i) >>> 5)
      await store.batch([{ type: 'put', key: fromLatin1('big'), value }, put('small', 's')], { sync: true })
      await store.compact()
      assert.ok(Buffer.from((await store.get(fromLatin1('big'))) ?? []).equals(value))
    })

    it('tells a rough size', async () => {
      await using store = await factory.open()
      const value = randomBytes(100_000)
      await store.batch(['a', 'b', 'c', 'd'].map((key) => ({ type: 'put', key: fromLatin1(key), value })))
      await store.compact()
      const whole = await store.approximateSize()
      const half = await store.approximateSize({ gte: fromLatin1('a'), lt: fromLatin1('c') })
      assert.ok(whole > 300_000 && whole < 500_000, `whole: ${whole}`)
      assert.ok(half > 100_000 && half < 300_000, `half: ${half}`)
    })

    it('keeps its content through compaction', async () => {
      await using store = await withAbc()
      await store.compact()
      assert.equal(await text(store), 'a=1 b=2 c=3 d=4')
      await store.batch([del('b')])
      await store.compact()
      assert.equal(await text(store), 'a=1 c=3 d=4')
    })

    it('refuses everything after close, and closes twice', async () => {
      const store = await withAbc()
      await store.close()
      await store.close()
      const closed = { code: 'STORE_CLOSED' }
      await assert.rejects(store.get(fromLatin1('a')), closed)
      await assert.rejects(store.getMany([fromLatin1('a')]), closed)
      await assert.rejects(text(store), closed)
      await assert.rejects(keysOf(store), closed)
      await assert.rejects(store.batch([put('a', '1')]), closed)
      await assert.rejects(store.clear(), closed)
      await assert.rejects(store.approximateSize(), closed)
      await assert.rejects(store.compact(), closed)
    })

    it('ends a scan under way when it is closed', async () => {
      const store = await withAbc()
      await assert.rejects(
        async () => {
          for await (const _ of store.scan({ batchBytes: 0 })) await store.close()
        },
        { code: 'STORE_CLOSED' },
      )
    })

    if (factory.reopen !== undefined) {
      const { reopen } = factory
      it('is the same after it was closed and opened again', async () => {
        const store = await withAbc()
        await store.close()
        await using again = await reopen(store)
        assert.equal(await text(again), 'a=1 b=2 c=3 d=4')
      })
    }
  })
}
