import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compareBytes, fromLatin1, toHex, toLatin1 } from '../src/base/bytes.js'
import type { Entry, EntryBatch } from '../src/lseq/batch.js'
import { EntryStore, type EntryStoreOptions } from '../src/lseq/entries.js'
import { encodeLseq } from '../src/lseq/lseq.js'
import { openMemoryStore } from '../src/lseq/memory.js'
import type { Operation } from '../src/lseq/store.js'

const SMALL: EntryStoreOptions = { pageBytes: 256, quality: 1, cacheBytes: 4096, heldBytes: 500 }

async function open(options: EntryStoreOptions = SMALL): Promise<EntryStore> {
  return new EntryStore(await openMemoryStore(), options)
}

/** An entry whose key is text and an lseq, and whose value tells both. */
function entry(text: string, seq: number, value = `${text}-${seq}`): Entry {
  return { key: Buffer.concat([fromLatin1(text), encodeLseq(seq, 7)]), value: fromLatin1(value) }
}

const shown = ({ key, value }: Entry): string => `${toHex(key)}=${toLatin1(value)}`

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

/** No page may reach into another one; what a scan cannot see. */
async function assertLayout(entries: EntryStore): Promise<void> {
  for await (const _ of entries.scan({ onDamage: ({ detail }) => assert.fail(detail) })) continue
}

/** Steps of the model: what to do, with entries by number (their order in key space is mixed). */
type Step =
  | { readonly kind: 'put' | 'bulk'; readonly numbers: readonly number[] }
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
  fc.record({ kind: fc.constant('fold' as const), from: number, to: number }),
  fc.record({ kind: fc.constant('scan' as const), from: number, to: number, reverse: fc.boolean() }),
  fc.record({ kind: fc.constant('reopen' as const) }),
)

async function runModel(steps: readonly Step[]): Promise<void> {
  const store = await openMemoryStore()
  let entries = new EntryStore(store, SMALL)
  const model = new Map<string, Entry>()
  const expected = (from: Uint8Array, to: Uint8Array) =>
    [...model.values()]
      .filter(({ key }) => compareBytes(from, key) <= 0 && compareBytes(key, to) < 0)
      .sort((a, b) => compareBytes(a.key, b.key))
      .map(shown)
  for (const step of steps) {
    if (step.kind === 'put' || step.kind === 'bulk') {
      const given = step.numbers.map(numbered)
      for (const one of given) model.set(toHex(one.key), one)
      if (step.kind === 'put') await entries.put(given)
      else await bulk(entries, given)
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
      assert.deepEqual((await entries.get(from)) ?? null, there === undefined ? null : there.value)
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

describe('entries', () => {
  it('answers like a sorted map after any puts, bulk writes, folds and reopenings', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 25 }), runModel), { numRuns: 150 })
  })
})
