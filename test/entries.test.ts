import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compareBytes, equalBytes, fromLatin1, toHex, toLatin1 } from '../src/base/bytes.js'
import type { CodedError } from '../src/base/error.js'
import { type Entry, EntryBatch } from '../src/lseq/batch.js'
import { type Page, PageCache } from '../src/lseq/cache.js'
import { EntryStore, type EntryStoreOptions } from '../src/lseq/entries.js'
import { encodeLseq, lseqOfKey } from '../src/lseq/lseq.js'
import { openMemoryStore } from '../src/lseq/memory.js'
import { encodePageSync } from '../src/lseq/page.js'
import type { Operation, Pair, Store } from '../src/lseq/store.js'

const SMALL: EntryStoreOptions = { pageBytes: 256, quality: 1, cacheBytes: 4096, heldBytes: 500 }

async function open(options: EntryStoreOptions = SMALL): Promise<EntryStore> {
  return new EntryStore(await openMemoryStore(), options)
}

const NOTHING = new Uint8Array(0)

/** An entry whose key is text and an lseq, and whose value tells both. */
function entry(text: string, seq: number, value = `${text}-${seq}`): Entry {
  return { key: Buffer.concat([fromLatin1(text), encodeLseq(seq, 7)]), value: fromLatin1(value) }
}

const shown = ({ key, value }: Entry): string => `${toHex(key)}=${toLatin1(value)}`

const toText = (value: Uint8Array | undefined): string | undefined => value && toLatin1(value)

async function all(entries: EntryStore, options: Parameters<EntryStore['scan']>[0] = {}): Promise<string[]> {
  const found: string[] = []
  for await (const batch of entries.scan(options)) {
    assert.ok(batch.count > 0, 'no batch is empty')
    for (const one of batch) found.push(shown(one))
  }
  return found
}

async function bulk(entries: EntryStore, given: readonly Entry[]): Promise<void> {
  await entries.bulk(async (writer) => {
    for (const { key, value } of given.toSorted((a, b) => compareBytes(a.key, b.key))) {
      const wait = writer.add(key, value)
      if (wait !== undefined) await wait
    }
    return undefined
  })
}

/** Takes entries out and puts others in, some of them in the same places, in one batch. */
async function rewrite(entries: EntryStore, out: readonly Entry[], given: readonly Entry[]): Promise<void> {
  const steps = [
    ...out.map(({ key }) => ({ key, value: undefined })),
    ...given.map(({ key, value }) => ({ key, value })),
  ].sort((a, b) => compareBytes(a.key, b.key) || Number(a.value !== undefined) - Number(b.value !== undefined))
  await entries.bulkWhole(async (writer) => {
    for (const { key, value } of steps) {
      const wait = value === undefined ? writer.drop(key) : writer.add(key, value)
      if (wait !== undefined) await wait
    }
    return undefined
  })
}

/** No page may reach into another one; what a scan cannot see. */
async function assertLayout(entries: EntryStore): Promise<void> {
  for await (const _ of entries.scan({ onDamage: ({ detail }) => assert.fail(detail) }));
}

/** Steps of the model: what to do, with entries by number (their order in key space is mixed). */
type Step =
  | { readonly kind: 'put'; readonly numbers: readonly number[] }
  | { readonly kind: 'bulk'; readonly numbers: readonly number[] }
  | { readonly kind: 'rewrite'; readonly out: readonly number[]; readonly numbers: readonly number[] }
  | { readonly kind: 'fold'; readonly from: number; readonly to: number }
  | { readonly kind: 'scan'; readonly from: number; readonly to: number; readonly reverse: boolean }
  | { readonly kind: 'reopen' }

/** Number -> entry: keys of several lengths, some a prefix of others, values from none to larger than a page. */
function numbered(n: number): Entry {
  const text = ['L', 'L\x80', 'P/a', 'P/a/b', 'V'][n % 5] as string
  const length = n % 17 === 0 ? 700 : n % 7 === 0 ? 0 : n % 40
  return entry(text, 1 + ((n * 7919) % 1000), `${'x'.repeat(length)}${n % 2 === 0 ? '\n' : ''}`)
}

const number = fc.nat({ max: 999 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), numbers: fc.array(number, { maxLength: 12 }) }),
  fc.record({ kind: fc.constant('bulk' as const), numbers: fc.array(number, { maxLength: 60 }) }),
  fc.record({
    kind: fc.constant('rewrite' as const),
    out: fc.uniqueArray(number, { maxLength: 60 }),
    numbers: fc.uniqueArray(number, { maxLength: 20 }),
  }),
  fc.record({ kind: fc.constant('fold' as const), from: number, to: number }),
  fc.record({ kind: fc.constant('scan' as const), from: number, to: number, reverse: fc.boolean() }),
  fc.record({ kind: fc.constant('reopen' as const) }),
)

/** A store that calls `after` when a batch has been written: what a crash at that instant would leave is there to see. */
function watched(store: Store, after: (batches: number) => Promise<void>): Store {
  let batches = 0
  return Object.assign(Object.create(store) as Store, {
    get: store.get.bind(store),
    getMany: store.getMany.bind(store),
    scan: store.scan.bind(store),
    keys: store.keys.bind(store),
    async batch(operations: readonly Operation[], options?: { sync?: boolean }): Promise<void> {
      await store.batch(operations, options)
      await after(++batches)
    },
  })
}

async function runModel(steps: readonly Step[]): Promise<void> {
  const model = new Map<string, Entry>()
  const memory = await openMemoryStore()
  const store = watched(memory, async () => {
    const crashed = new EntryStore(memory, SMALL)
    const there = new Set(await all(crashed))
    for (const one of model.values()) assert.ok(there.has(shown(one)), `${shown(one)} is there after every batch`)
    await assertLayout(crashed)
  })
  let entries = new EntryStore(store, SMALL)
  const expected = (from: Uint8Array, to: Uint8Array) =>
    [...model.values()]
      .filter(({ key }) => compareBytes(from, key) <= 0 && compareBytes(key, to) < 0)
      .sort((a, b) => compareBytes(a.key, b.key))
      .map(shown)
  for (const step of steps) {
    if (step.kind === 'put' || step.kind === 'bulk') {
      const given = step.numbers.map((n) => model.get(toHex(numbered(n).key)) ?? numbered(n))
      if (step.kind === 'put') await entries.put(given)
      else await bulk(entries, given)
      for (const one of given) model.set(toHex(one.key), one)
    } else if (step.kind === 'rewrite') {
      const out = step.out.map(numbered)
      // Some are put again with another value, some that were there stay as they are.
      const again = out.flatMap(({ key, value }, i) =>
        i % 3 === 0 ? { key, value: fromLatin1(`new ${value.length}`) } : [],
      )
      for (const { key } of out) model.delete(toHex(key))
      const others = step.numbers.map((n) => model.get(toHex(numbered(n).key)) ?? numbered(n))
      const given = new Map([...others, ...again].map((one) => [toHex(one.key), one]))
      for (const [name, one] of given) model.set(name, one)
      await rewrite(entries, out, [...given.values()])
    } else if (step.kind === 'reopen') {
      entries = new EntryStore(store, SMALL)
    } else {
      const [from, to] = [numbered(step.from).key, numbered(step.to).key]
      if (step.kind === 'fold') {
        await entries.fold({ gte: from, lt: to })
        continue
      }
      const range = expected(from, to)
      if (step.reverse) range.reverse()
      assert.deepEqual(await all(entries, { gte: from, lt: to, reverse: step.reverse }), range)
      const first = await entries.first({ gte: from, lt: to })
      const last = await entries.last({ gte: from, lt: to })
      const ends = step.reverse ? [range.at(-1), range[0]] : [range[0], range.at(-1)]
      assert.deepEqual([first && shown(first), last && shown(last)], ends)
      const there = model.get(toHex(from))
      assert.equal(toText(await entries.get(from)), toText(there?.value))
    }
  }
  const [least, most] = [new Uint8Array(0), new Uint8Array(40).fill(255)]
  assert.deepEqual(await all(entries), expected(least, most))
  assert.deepEqual(await all(entries, { reverse: true }), expected(least, most).reverse())
  await assertLayout(entries)
  await entries.fold()
  assert.deepEqual(await all(entries), expected(least, most))
  await assertLayout(entries)
  const stat = await entries.stat()
  assert.deepEqual([stat.looseEntries, stat.pageEntries], [0, model.size])
}

/** Entries `from` to `to`, 40 bytes each, in order. */
function series(from: number, to: number): Entry[] {
  return Array.from({ length: to - from }, (_, i) => entry('L', from + i, `line ${from + i}\n`.padStart(29)))
}

/** Every page as it stands in the store, by key. */
async function pagesOf(entries: EntryStore): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for await (const batch of entries.store.scan({ gte: fromLatin1('p'), lt: fromLatin1('q') })) {
    for (const [key, value] of batch) found.set(toHex(key.subarray(1)), toHex(value))
  }
  return found
}

const countOf = (batches: readonly EntryBatch[]): number => batches.reduce((sum, { count }) => sum + count, 0)

describe('entries', () => {
  it('answers like a sorted map after any puts, bulk writes, folds and reopenings', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 25 }), runModel), { numRuns: 100 })
  })

  it('takes the last entry of a kind out, puts another in its place, and one behind it', async () => {
    await using entries = new EntryStore(await openMemoryStore(), SMALL)
    await bulk(entries, [...series(0, 4), entry('V', 1)])
    const last = { key: (series(3, 4)[0] as Entry).key, value: fromLatin1('another') }
    await rewrite(entries, series(2, 4), [last, ...series(4, 5)])
    assert.deepEqual(await all(entries), [...series(0, 2), last, ...series(4, 5), entry('V', 1)].map(shown))
    await assertLayout(entries)
  })

  it('gets one and many, from pages and loose', async () => {
    await using entries = await open()
    const given = series(0, 50)
    await bulk(entries, given.slice(0, 40))
    await entries.put(given.slice(40))
    for (const one of given) assert.equal(toText(await entries.get(one.key)), toText(one.value))
    assert.equal(await entries.get(entry('L', 99).key), undefined)
    assert.equal(await entries.get(entry('A', 1).key), undefined)
    assert.equal(await entries.get(entry('Z', 1).key), undefined)
    const keys = [45, 3, 60, 3, 39].map((seq) => entry('L', seq).key)
    const values = (await entries.getMany(keys)).map((value) => toText(value)?.trim())
    assert.deepEqual(values, ['line 45', 'line 3', undefined, 'line 3', 'line 39'])
  })

  it('finds the first and the last of a range across pages and loose entries', async () => {
    await using entries = await open()
    assert.equal(await entries.first(), undefined)
    assert.equal(await entries.last(), undefined)
    await bulk(entries, series(10, 60))
    await entries.put([...series(0, 2), ...series(70, 72)])
    const seq = (one: Entry | undefined) => one && lseqOfKey(one.key).seq
    const at = (n: number) => entry('L', n).key
    const cases: [
      gte: number | undefined,
      lt: number | undefined,
      first: number | undefined,
      last: number | undefined,
    ][] = [
      [undefined, undefined, 0, 71],
      [1, 71, 1, 70],
      [2, 70, 10, 59],
      [30, 31, 30, 30],
      [60, 70, undefined, undefined],
      [undefined, 10, 0, 1],
      [59, undefined, 59, 71],
    ]
    for (const [gte, lt, first, last] of cases) {
      const range = { gte: gte === undefined ? gte : at(gte), lt: lt === undefined ? lt : at(lt) }
      assert.deepEqual([seq(await entries.first(range)), seq(await entries.last(range))], [first, last])
    }
  })

  it('puts entries and other writes in one atomic batch', async () => {
    await using entries = await open()
    const other: Operation = { type: 'put', key: fromLatin1('i/x'), value: fromLatin1('1') }
    await entries.put(series(0, 2), { operations: [other] })
    assert.deepEqual(await entries.store.get(other.key), Buffer.from('1'))
    for (const key of ['e', 'exyz', 'p1']) {
      const bad: Operation = { type: 'del', key: fromLatin1(key) }
      await assert.rejects(entries.put([], { operations: [bad] }), TypeError)
    }
  })

  it('takes the same entry again, and refuses another value under its key', async () => {
    await using entries = await open()
    const [paged, loose] = [entry('L', 1), entry('L', 2)]
    await bulk(entries, [paged])
    await entries.put([loose])
    const before = await entries.stat()
    await entries.put([paged, loose, loose])
    assert.deepEqual(await entries.stat(), before)
    const conflict = { code: 'ENTRY_CONFLICT' }
    for (const { key } of [paged, loose]) {
      await assert.rejects(entries.put([entry('L', 9), { key, value: fromLatin1('other') }]), conflict)
    }
    await assert.rejects(entries.put([entry('L', 3, 'a'), entry('L', 3, 'b')]), conflict)
    assert.deepEqual(await entries.stat(), before)
    await assert.rejects(bulk(entries, [entry('L', 0), { key: paged.key, value: fromLatin1('other') }]), conflict)
    await assert.rejects(bulk(entries, [entry('L', 7, 'a'), entry('L', 7, 'b')]), conflict)
    assert.deepEqual(await entries.stat(), before)
    await bulk(entries, [paged, paged, loose, loose])
    assert.equal((await all(entries)).length, 2)
  })

  it('refuses keys that are too short or go down', async () => {
    await using entries = await open()
    const short = { key: new Uint8Array(7), value: new Uint8Array(1) }
    await assert.rejects(entries.put([short]), RangeError)
    await assert.rejects(bulk(entries, [short]), RangeError)
    const descend = entries.bulk(async (writer) => {
      await writer.add(entry('L', 2).key, new Uint8Array(1))
      await writer.add(entry('L', 1).key, new Uint8Array(1))
      return undefined
    })
    await assert.rejects(descend, RangeError)
    assert.deepEqual(await all(entries), [])
  })

  it('rewrites only the pages into whose range something falls', async () => {
    await using entries = await open()
    await bulk(
      entries,
      series(0, 100).filter((_, i) => i % 2 === 0),
    )
    const before = await pagesOf(entries)
    assert.ok(before.size > 6)
    await bulk(entries, [...series(31, 32), ...series(71, 72)])
    const after = await pagesOf(entries)
    const kept = [...before].filter(([key, page]) => after.get(key) === page)
    assert.equal(kept.length, before.size - 2)
    assert.equal((await all(entries)).length, 52)
  })

  it('fills the last page before it begins another one', async () => {
    await using entries = await open()
    for (let i = 0; i < 60; i++) await bulk(entries, series(i, i + 1))
    const { pages, pageEntries } = await entries.stat()
    assert.equal(pageEntries, 60)
    const atOnce = await open()
    await bulk(atOnce, series(0, 60))
    assert.ok(pages <= (await atOnce.stat()).pages + 1, `${pages} pages`)
  })

  it('fills the last page of a kind before it begins another one, and leaves the next kind alone', async () => {
    await using entries = await open()
    await bulk(entries, [...series(0, 40), entry('V', 1)])
    const before = await pagesOf(entries)
    for (let i = 0; i < 60; i++) await bulk(entries, [entry('G', i, 'x'.repeat(20)), entry('V', i + 2, 'y'.repeat(20))])
    const after = await pagesOf(entries)
    for (const [key, page] of before) if (key.startsWith('4c')) assert.equal(after.get(key), page)
    const count = (kind: string) => [...after.keys()].filter((key) => key.startsWith(kind)).length
    assert.ok(count('47') <= 9 && count('56') <= 9, `${count('47')} and ${count('56')} pages of 60 entries`)
  })

  it('keeps kinds apart', async () => {
    await using entries = await open()
    await bulk(
      entries,
      ['G', 'K', 'L', 'P'].flatMap((kind) => [entry(kind, 1), entry(kind, 2)]),
    )
    for await (const batch of entries.scan()) {
      assert.equal(batch.count, 2)
      assert.equal(batch.key(0)[0], batch.key(1)[0])
    }
  })

  it('leaves no scraps after many small writes in the middle', async () => {
    await using entries = await open()
    for (let i = 0; i < 100; i++) await bulk(entries, series((i * 37) % 100, ((i * 37) % 100) + 1))
    const { pages, pageEntries } = await entries.stat()
    assert.equal(pageEntries, 100)
    await using atOnce = await open()
    await bulk(atOnce, series(0, 100))
    assert.ok(pages < (await atOnce.stat()).pages * 1.6, `${pages} pages`)
  })

  it('lets what falls between two pages join the next one', async () => {
    await using entries = await open()
    const given = series(0, 200)
    await bulk(
      entries,
      given.filter((_, i) => i % 10 > 0),
    )
    const pages = (await entries.stat()).pages
    const ends = [...(await pagesOf(entries)).keys()].map((key) => Number.parseInt(key.slice(2, 12), 16))
    const between = ends.slice(0, -1).map((end) => series(end + 1, end + 2)[0] as Entry)
    await bulk(entries, between)
    assert.ok((await entries.stat()).pages <= pages + 1, `${pages} pages, then ${(await entries.stat()).pages}`)
  })

  it('gives an entry that is larger than a page a page of its own', async () => {
    await using entries = await open()
    const large = entry('L', 25, 'y'.repeat(5000))
    await bulk(entries, [...series(0, 25), large, ...series(26, 50)])
    const sizes: number[] = []
    for await (const batch of entries.scan()) if (batch.value(0).length === 5000) sizes.push(batch.count)
    assert.deepEqual(sizes, [1])
    assert.equal((await all(entries)).length, 50)
  })

  it('gives no page more than some thousands of entries, however small they are', async () => {
    await using entries = await open({ quality: 1 })
    const tiny = (from: number, to: number): Entry[] => series(from, to).map(({ key }) => ({ key, value: NOTHING }))
    for (const [from, to] of [
      [0, 30_000],
      [30_000, 31_000],
      [25_000, 25_010],
      [31_000, 45_000],
    ] as const) {
      await bulk(entries, tiny(from, to))
      const counts: number[] = []
      for await (const batch of entries.scan()) counts.push(batch.count)
      assert.ok(Math.max(...counts) <= 12_288, `${counts}`)
      assert.ok(counts.length <= Math.ceil(to / 8192) + 1, `few scraps: ${counts}`)
      assert.equal(
        counts.reduce((a, b) => a + b),
        to < 30_000 ? 31_000 : to,
      )
    }
    await assertLayout(entries)
  })

  it('writes what is visible last, in one batch with the last pages', async () => {
    const memory = await openMemoryStore()
    const mark: Operation = { type: 'put', key: fromLatin1('m/done'), value: fromLatin1('1') }
    const seen: [entries: number, marked: boolean][] = []
    const store = watched(memory, async () => {
      const { pageEntries } = await new EntryStore(memory, SMALL).stat()
      seen.push([pageEntries, (await memory.get(mark.key)) !== undefined])
    })
    const entries = new EntryStore(store, SMALL)
    const report = await entries.bulk(async (writer) => {
      for (const { key, value } of series(0, 300)) await writer.add(key, value)
      return [mark]
    })
    assert.ok(seen.length > 2, 'more than one batch')
    assert.deepEqual(seen.at(-1), [300, true])
    for (const [, marked] of seen.slice(0, -1)) assert.equal(marked, false)
    assert.equal(report.added, 300)
    assert.equal(report.pagesWritten, (await entries.stat()).pages)
  })

  it('runs bulk writes one after another, and goes on after one that failed', async () => {
    await using entries = await open()
    const failed = entries.bulk(async (writer) => {
      for (const { key, value } of series(0, 20)) await writer.add(key, value)
      throw new Error('given up')
    })
    const works = [failed, bulk(entries, series(10, 40)), bulk(entries, series(30, 60)), entries.fold()]
    const results = await Promise.allSettled(works)
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
    )
    assert.equal((await all(entries)).length, 50)
    await assertLayout(entries)
  })

  it('reads everything exactly once while pages are being rewritten', async () => {
    await using entries = await open()
    const given = series(0, 200)
    await entries.put(given.filter((_, i) => i % 3 > 0))
    await bulk(
      entries,
      given.filter((_, i) => i % 3 === 0),
    )
    const wanted = given.map(shown)
    for (const reverse of [false, true]) {
      const reading: Promise<void>[] = []
      const writing = (async () => {
        for (let i = 0; i < 200; i += 10) {
          await entries.fold({ gte: entry('L', i).key, lt: entry('L', i + 10).key })
          await bulk(entries, [entry('M', i)])
        }
      })()
      for (let i = 0; i < 20; i++) {
        reading.push(
          (async () => {
            for (let pause = 0; pause < i * 3; pause++) await new Promise(setImmediate)
            const found: string[] = []
            for await (const batch of entries.scan({ lt: fromLatin1('M'), reverse })) {
              for (const one of batch) found.push(shown(one))
              await new Promise(setImmediate)
            }
            assert.deepEqual(found, reverse ? wanted.toReversed() : wanted)
            for (const { key, value } of given.slice(i * 10, i * 10 + 10)) {
              assert.equal(toText(await entries.get(key)), toText(value))
            }
          })(),
        )
      }
      await Promise.all([...reading, writing])
    }
  })

  it('sees loose entries that were put while a fold was ending', async () => {
    await using entries = await open()
    await entries.put(series(0, 5))
    const fold = entries.fold()
    const put = entries.put(series(5, 10))
    await Promise.all([fold, put, entries.first()])
    assert.equal((await all(entries)).length, 10)
  })

  it('folds when there are enough loose entries in the range', async () => {
    await using entries = await open()
    assert.equal(await entries.foldIfNeeded({}, { entries: 0 }), undefined)
    await entries.put(series(0, 10))
    assert.equal(await entries.foldIfNeeded({}, { entries: 10 }), undefined)
    assert.equal(await entries.foldIfNeeded({ lt: entry('L', 5).key }, { entries: 5 }), undefined)
    const report = await entries.foldIfNeeded({ lt: entry('L', 6).key }, { entries: 5 })
    assert.equal(report?.added, 6)
    const { looseEntries, pageEntries } = await entries.stat()
    assert.deepEqual([looseEntries, pageEntries], [4, 6])
  })

  it('yields pages as they are, and slices of them, without copying', async () => {
    await using entries = await open({ ...SMALL, cacheBytes: 1 << 20 })
    await bulk(entries, series(0, 100))
    const batches: EntryBatch[] = []
    for await (const batch of entries.scan()) batches.push(batch)
    assert.equal(batches.length, (await entries.stat()).pages)
    assert.equal(countOf(batches), 100)
    const again: EntryBatch[] = []
    for await (const batch of entries.scan({ gte: batches[1]?.key(1) })) again.push(batch)
    assert.equal(countOf(again), 100 - (batches[0]?.count ?? 0) - 1)
    assert.equal(again[0]?.values, batches[1]?.values, 'from the cache')
  })
})

describe('entries: damage', () => {
  /** Ten pages or so, of which one is changed by `harm`; the entries that are left. */
  async function harmed(harm: (page: Uint8Array, key: Uint8Array, store: Store) => Promise<void>): Promise<EntryStore> {
    const store = await openMemoryStore()
    await bulk(new EntryStore(store, SMALL), series(0, 100))
    const pairs: [Uint8Array, Uint8Array][] = []
    for await (const batch of store.scan({ gte: fromLatin1('p'), lt: fromLatin1('q') })) pairs.push(...batch)
    const [key, page] = pairs[4] as [Uint8Array, Uint8Array]
    await harm(Uint8Array.from(page), key, store)
    return new EntryStore(store, SMALL)
  }

  const harms: [
    name: string,
    lost: boolean,
    harm: (page: Uint8Array, key: Uint8Array, store: Store) => Promise<void>,
  ][] = [
    [
      'a flipped bit',
      true,
      async (page, key, store) => {
        page[20] = (page[20] as number) ^ 4
        await store.batch([{ type: 'put', key, value: page }])
      },
    ],
    ['a page cut short', true, (page, key, store) => store.batch([{ type: 'put', key, value: page.subarray(0, 9) }])],
    ['an empty page', true, (_, key, store) => store.batch([{ type: 'put', key, value: new Uint8Array(0) }])],
    [
      'a page under another key',
      true,
      (page, key, store) =>
        store.batch([
          { type: 'del', key },
          { type: 'put', key: Buffer.concat([key, Buffer.from([0])]), value: page },
        ]),
    ],
    [
      'a page that overlaps the one before',
      false,
      async (_, key, store) => {
        const last = lseqOfKey(key).seq
        const wide = encodePageSync(series(last - 20, last + 1))
        await store.batch([{ type: 'put', key, value: wide }])
      },
    ],
  ]
  for (const [name, lost, harm] of harms) {
    it(`finds ${name}`, async () => {
      await using entries = await harmed(harm)
      await assert.rejects(all(entries), { code: 'PAGE_CORRUPT' })
      const damage: string[] = []
      const found = await all(entries, { onDamage: ({ last, detail }) => damage.push(`${toHex(last)} ${detail}`) })
      assert.equal(damage.length, 1, damage.join())
      assert.ok(lost ? found.length > 80 && found.length < 100 : found.length === 100, `${found.length} left`)
      assert.deepEqual(found, found.toSorted())
      const down = await all(entries, { reverse: true, onDamage: () => undefined })
      assert.deepEqual(down, found.toReversed())
    })
  }

  it('tells what stands before a damaged page, however far ahead that was read', async () => {
    for (const [pageBytes, count, length] of [
      [256, 100, 10],
      [100_000, 600, 2000],
    ] as const) {
      const options = { ...SMALL, pageBytes }
      const store = await openMemoryStore()
      const given = series(0, count).map(({ key }, i) => ({ key, value: fromLatin1(`${i} ${'x'.repeat(length)}`) }))
      await bulk(new EntryStore(store, options), given)
      const pairs = (
        await store
          .scan({ gte: fromLatin1('p'), lt: fromLatin1('q') })
          [Symbol.asyncIterator]()
          .next()
      ).value as Pair[]
      assert.ok(pairs.length > 5, `${pairs.length} pages`)
      for (const [i, [key]] of pairs.entries()) {
        const page = Uint8Array.from((pairs[i] as Pair)[1])
        page[page.length - 9] = (page.at(-9) as number) ^ 1
        await store.batch([{ type: 'put', key, value: page }])
        const entries = new EntryStore(store, options)
        const told: Uint8Array[] = []
        const reading = async (): Promise<void> => {
          for await (const batch of entries.scan()) for (const entry of batch) told.push(entry.key)
        }
        await assert.rejects(reading(), { code: 'PAGE_CORRUPT' })
        const before = i === 0 ? undefined : (pairs[i - 1] as Pair)[0].subarray(1)
        assert.equal(told.length, before === undefined ? 0 : 1 + given.findIndex((one) => equalBytes(one.key, before)))
        await store.batch([{ type: 'put', key, value: (pairs[i] as Pair)[1] }])
      }
    }
  })

  it('names the page that a reader or a writer met', async () => {
    let within: Uint8Array = new Uint8Array(0)
    await using entries = await harmed((_, key, store) => {
      within = key.subarray(1)
      return store.batch([{ type: 'put', key, value: fromLatin1('rubbish') }])
    })
    for (const work of [() => entries.get(within), () => bulk(entries, [{ key: within, value: within }])]) {
      await assert.rejects(work, (error: CodedError) => {
        assert.equal(error.code, 'PAGE_CORRUPT')
        assert.match(String(error.data?.['page']), /^4c/)
        return true
      })
    }
  })

  it('refuses a loose key that is no entry', async () => {
    await using entries = await open()
    await entries.store.batch([{ type: 'put', key: fromLatin1('e123'), value: fromLatin1('x') }])
    await assert.rejects(all(entries), { code: 'STORE_CORRUPT' })
    await assert.rejects(entries.fold(), { code: 'STORE_CORRUPT' })
  })
})

describe('entries: page cache', () => {
  const page = (from: number, to: number): Page => {
    const batch = EntryBatch.from(series(from, to + 1))
    return { first: batch.key(0), last: batch.key(batch.count - 1), batch }
  }
  const at = (seq: number) => entry('L', seq).key

  it('finds the page that covers a key', () => {
    const cache = new PageCache(1 << 20)
    for (const [from, to] of [
      [20, 29],
      [0, 9],
      [10, 19],
    ] as const)
      cache.add(page(from, to), cache.generation)
    assert.equal(toHex(cache.covering(at(10))?.first ?? at(99)), toHex(at(10)))
    assert.equal(toHex(cache.covering(at(19))?.last ?? at(99)), toHex(at(19)))
    assert.equal(cache.covering(at(30)), undefined)
    assert.equal(cache.covering(fromLatin1('A')), undefined)
  })

  it('lets the least recently used go', () => {
    const cache = new PageCache(1500)
    cache.add(page(0, 9), cache.generation)
    cache.add(page(10, 19), cache.generation)
    assert.ok(cache.covering(at(5)))
    cache.add(page(20, 29), cache.generation)
    assert.deepEqual(
      [5, 15, 25].map((seq) => cache.covering(at(seq)) !== undefined),
      [true, false, true],
    )
    cache.add(page(30, 300), cache.generation)
    assert.equal(cache.covering(at(40)), undefined, 'larger than the cache')
  })

  it('forgets at a rewrite, and takes nothing that was read before or during one', async () => {
    const cache = new PageCache(1 << 20)
    const before = cache.generation
    cache.add(page(0, 9), before)
    await cache.rewrite(async () => {
      assert.equal(cache.covering(at(5)), undefined)
      cache.add(page(0, 9), before)
      cache.add(page(0, 9), cache.generation)
      assert.equal(cache.covering(at(5)), undefined)
    })
    cache.add(page(0, 9), before)
    assert.equal(cache.covering(at(5)), undefined)
    cache.add(page(0, 9), cache.generation)
    assert.ok(cache.covering(at(5)))
  })
})
