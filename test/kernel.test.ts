/**
 * Pages decoded by WebAssembly, held to the same in TypeScript, which is slow and obvious.
 *
 * The kernel may decline, and then nothing is said. What it does not decline must be the same, and so nothing that the other
 * one refuses. What a writer writes it must not decline.
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { brotliCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { compareBytes, concatBytes, fromLatin1, toHex, toLatin1 } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import type { Entry, EntryBatch } from '../src/lseq/batch.js'
import { type ColumnsHeader, decodeColumns, encodeColumns } from '../src/lseq/columns.js'
import { Coverage } from '../src/lseq/coverage.js'
import { EntryStore } from '../src/lseq/entries.js'
import { inflate, inflateInto } from '../src/lseq/inflate.js'
import { decodeAll, decodeWanted } from '../src/lseq/kernel.js'
import { encodeLseq, lseqOfKey } from '../src/lseq/lseq.js'
import { openMemoryStore } from '../src/lseq/memory.js'
import { ByteWriter } from '../src/lseq/varint.js'
import { Streams, Vector } from '../src/lseq/vector.js'
import { startKernel } from './support/kernel.js'
import { anyBytes, holds, holdsAsync } from './support/property.js'

before(startKernel)

/** A body with what a page's header says of it. */
interface Packed {
  readonly body: Uint8Array
  readonly header: ColumnsHeader
}

function packed(entries: readonly Entry[]): Packed {
  const firstKey = entries[0]?.key ?? new Uint8Array(8)
  const keyBytes = entries.reduce((sum, { key }) => sum + key.length, 0)
  const lastKey = entries.at(-1)?.key
  return { body: encodeColumns(entries), header: { count: entries.length, keyBytes, firstKey, lastKey } }
}

const shown = (entries: Iterable<Entry>): string[] =>
  [...entries].map(({ key, value }) => `${toHex(key)}=${toHex(value)}`)

/** The entries, or undefined where the page is refused or declined. */
function outcome(decode: () => EntryBatch | undefined): string[] | undefined {
  try {
    const batch = decode()
    return batch === undefined ? undefined : shown(batch)
  } catch (error) {
    if (error instanceof CodedError && error.code === 'PAGE_CORRUPT') return undefined
    throw error
  }
}

const asThere = ({ body, header }: Packed): string[] | undefined => outcome(() => decodeColumns(body, header))
const asHere = ({ body, header }: Packed): string[] | undefined => outcome(() => decodeAll(body, header))
const wantedHere = ({ body, header }: Packed, wanted: Coverage): string[] | undefined =>
  outcome(() => decodeWanted(brotliCompressSync(body), body.length, header, wanted))

const seq = fc.oneof(
  fc.nat({ max: 50 }),
  fc.nat({ max: 1e6 }),
  fc.integer({ min: 2 ** 39 - 9, max: 2 ** 39 + 9 }),
  fc.integer({ min: 2 ** 40 - 50, max: 2 ** 40 - 1 }),
)
const stream = fc.oneof(fc.constantFrom(1, 2, 3, 0x800000), fc.nat({ max: 2 ** 24 - 1 }))
const lseq = fc.tuple(seq, stream).map(([number, own]) => encodeLseq(number, own))
const value = fc.oneof(
  anyBytes(12),
  anyBytes(300),
  fc.string({ maxLength: 40 }).map((line) => fromLatin1(`${line.replace(/[^ -~]/g, '?')}\n`)),
)
/** Subjects that resemble each other, some of which go on from the key before. */
const subject = fc.array(fc.oneof(fc.uint8Array({ maxLength: 6, max: 3 }), lseq, anyBytes(40)), { maxLength: 4 })
const someEntries = fc
  .uniqueArray(fc.record({ key: fc.tuple(subject, lseq).map(([parts, id]) => concatBytes(...parts, id)), value }), {
    minLength: 1,
    maxLength: 60,
    selector: ({ key }) => toHex(key),
  })
  .map((entries) => entries.sort((a, b) => compareBytes(a.key, b.key)))

/** What is covered, by stream. */
const someLimits = fc.array(fc.tuple(stream, seq), { maxLength: 8 }).map((pairs) => new Map(pairs))

function coverageOf(limits: ReadonlyMap<number, number>, latest: boolean): Coverage {
  const streams = new Streams()
  let vector = Vector.empty
  for (const [id, limit] of limits) vector = vector.with(streams.slot(id), limit)
  return new Coverage(vector, streams, latest)
}

function isCovered({ key }: Entry, limits: ReadonlyMap<number, number>): boolean {
  const { seq: number, stream: id } = lseqOfKey(key)
  return number <= (limits.get(id) || -1)
}

const subjectOf = ({ key }: Entry): string => toLatin1(key, 0, key.length - 8)

/** The covered ones, and with `latest` those of them behind which no other one has the same subject. */
function wantedOf(entries: readonly Entry[], limits: ReadonlyMap<number, number>, latest: boolean): Entry[] {
  const covered = entries.filter((entry) => isCovered(entry, limits))
  if (!latest) return covered
  return covered.filter((entry, i) => {
    const next = covered[i + 1]
    return next === undefined || subjectOf(entry) !== subjectOf(next)
  })
}

describe('kernel', () => {
  it('gives back any entries', () => {
    holds(
      fc.property(someEntries, (entries) => {
        assert.deepEqual(asHere(packed(entries)), shown(entries))
      }),
      500,
    )
  })

  it('gives those that are covered, or the latest of them', () => {
    holds(
      fc.property(someEntries, someLimits, fc.boolean(), (entries, limits, latest) => {
        const page = packed(entries)
        assert.deepEqual(wantedHere(page, coverageOf(limits, latest)), shown(wantedOf(entries, limits, latest)))
      }),
      1000,
    )
  })

  it('gives many entries of many streams, keys and values as long as they come', () => {
    const entries = Array.from({ length: 5000 }, (_, i) => ({
      key: concatBytes(
        encodeLseq(7, 9),
        new Uint8Array(i % 500 === 0 ? 60_000 : i % 9).fill(1 + (i >> 9)),
        Uint8Array.of(i >> 8, i & 255),
        encodeLseq(1000 + i * 3, i % 777),
      ),
      value: new Uint8Array(i % 400 === 0 ? 100_000 : i % 300).fill(i),
    })).sort((a, b) => compareBytes(a.key, b.key))
    const page = packed(entries)
    assert.deepEqual(asHere(page), shown(entries))
    const limits = new Map(Array.from({ length: 300 }, (_, i) => [i * 2, 1000 + i * 40] as const))
    for (const latest of [false, true]) {
      const wanted = wantedHere(page, coverageOf(limits, latest))
      assert.deepEqual(wanted, shown(wantedOf(entries, limits, latest)))
    }
  })

  it('accepts nothing that the other one refuses, and gives the same, whatever the bytes are', () => {
    let [same, declined] = [0, 0]
    const change = fc.tuple(fc.nat(), fc.nat({ max: 255 }))
    holds(
      fc.property(
        someEntries,
        fc.array(change, { minLength: 1, maxLength: 3 }),
        fc.tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -9, max: 9 })),
        someLimits,
        (entries, changes, [more, longer], limits) => {
          const { body, header } = packed(entries)
          for (const [at, byte] of changes) body[at % Math.min(body.length, 400)] = byte
          const { count, keyBytes, firstKey, lastKey } = header
          const harmed = {
            body,
            header: {
              count: Math.max(1, changes.length > 1 ? count : count + more),
              keyBytes: Math.max(8, changes.length > 1 ? keyBytes : keyBytes + longer),
              firstKey,
              lastKey: changes.length > 1 ? undefined : lastKey,
            },
          }
          const [here, there] = [asHere(harmed), asThere(harmed)]
          const wanted = wantedHere(harmed, coverageOf(limits, false))
          if (here === undefined) declined++
          else {
            same++
            assert.deepEqual(here, there)
          }
          assert.equal(wanted === undefined, here === undefined)
          if (there === undefined || wanted === undefined) return
          const all = [...decodeColumns(harmed.body, harmed.header)]
          assert.deepEqual(wanted, shown(wantedOf(all, limits, false)))
        },
      ),
      5000,
    )
    assert.ok(same > 100 && declined > 100, `${same} were the same, ${declined} declined`)
  })

  it('takes any bytes', () => {
    holds(
      fc.property(anyBytes(300), fc.nat({ max: 40 }), fc.nat({ max: 400 }), lseq, (body, count, keyBytes, firstKey) => {
        const page = { body, header: { count: count + 1, keyBytes, firstKey } }
        const here = asHere(page)
        if (here !== undefined) assert.deepEqual(here, asThere(page))
      }),
      5000,
    )
  })

  it('declines numbers in more bytes than they need, which the other one takes', () => {
    const key = encodeLseq(5, 6)
    const column = (...bytes: number[]): number[] => bytes
    // Of one entry: drop 8, own, back, delta, stream, length 2 (one record); each may be written longer.
    const columns = [column(8), column(0), column(), column(0), column(0), column(0), column(2), column(7)]
    const bodyOf = (all: number[][]): Uint8Array => {
      const body = new ByteWriter()
      for (const one of all) body.varint(one.length)
      for (const one of all) body.bytes(Uint8Array.from(one))
      return body.view()
    }
    const header = { count: 1, keyBytes: 8, firstKey: key }
    const plain = { body: bodyOf(columns), header }
    assert.deepEqual(asHere(plain), [`${toHex(key)}=07`])
    assert.deepEqual(asThere(plain), asHere(plain))
    for (const i of [0, 1, 4, 5, 6]) {
      const [first] = columns[i] as number[]
      const long = [(first ?? 0) | 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]
      const body = bodyOf(columns.with(i, long))
      assert.deepEqual(asThere({ body, header }), asThere(plain), `column ${i}`)
      assert.equal(asHere({ body, header }), undefined, `column ${i}`)
      const two = { body: bodyOf(columns.with(i, [(first ?? 0) | 0x80, 0])), header }
      assert.deepEqual(asHere(two), asThere(plain), `column ${i}`)
    }
  })

  it('declines columns that reach beyond the body', () => {
    const { body, header } = packed([1, 2, 3].map((i) => ({ key: encodeLseq(i, 1), value: new Uint8Array(9) })))
    for (let column = 0; column < 8; column++) {
      for (const length of [body.length - 8, body.length, 2 ** 31, 2 ** 32, 2 ** 33 + 1, 2 ** 48, 2 ** 52]) {
        const head = new ByteWriter()
        for (let i = 0; i < 8; i++) head.varint(i === column ? length : (body[i] as number))
        head.bytes(body, 8)
        const page = { body: head.view(), header }
        assert.equal(asThere(page), undefined)
        assert.equal(asHere(page), undefined)
        assert.equal(wantedHere(page, coverageOf(new Map([[1, 9]]), false)), undefined)
      }
    }
  })

  it('declines what has another last key', () => {
    const { body, header } = packed([1, 2, 3].map((i) => ({ key: encodeLseq(i, 1), value: new Uint8Array(9) })))
    for (const lastKey of [encodeLseq(4, 1), encodeLseq(3, 1).subarray(1), new Uint8Array(0)]) {
      const page = { body, header: { ...header, lastKey } }
      assert.equal(asHere(page), undefined)
      assert.equal(asThere(page), undefined)
      assert.equal(wantedHere(page, coverageOf(new Map([[1, 9]]), false)), undefined)
    }
  })

  it('declines what would take too much memory', () => {
    const { body, header } = packed([{ key: encodeLseq(1, 1), value: new Uint8Array(9) }])
    const none = coverageOf(new Map(), false)
    for (const more of [{ count: 2 ** 21 }, { keyBytes: 2 ** 26 }, { count: 2 ** 40, keyBytes: 2 ** 41 }]) {
      assert.equal(asHere({ body, header: { ...header, ...more } }), undefined)
      assert.equal(wantedHere({ body, header: { ...header, ...more } }, none), undefined)
    }
    const large = packed([{ key: encodeLseq(1, 1), value: new Uint8Array(2 ** 25) }])
    assert.equal(wantedHere(large, none), undefined)
    assert.equal(asHere(large)?.length, 1, 'values of all entries stay where they are')
    const wide = coverageOf(new Map(Array.from({ length: 5000 }, (_, i) => [i, 1] as const)), false)
    assert.equal(wantedHere({ body, header }, wide), undefined)
    const long = packed([{ key: concatBytes(new Uint8Array(70_000), encodeLseq(1, 1)), value: new Uint8Array(9) }])
    assert.equal(asHere(long), undefined)
    assert.equal(asThere(long)?.length, 1)
  })

  it('is what the source gives', () => {
    execFileSync(process.execPath, [join(import.meta.dirname, '../bin/kernel.mjs'), '--check'])
  })
})

describe('inflate', () => {
  it('gives the same into new memory and into memory that is there, where the size is right', () => {
    holds(
      fc.property(
        fc.oneof(
          anyBytes(300),
          fc.nat({ max: 100_000 }).map((n) => new Uint8Array(n)),
        ),
        (bytes) => {
          const room = Buffer.alloc(bytes.length + 1, 0xee)
          const small = brotliCompressSync(bytes)
          assert.deepEqual(toHex(inflate(small, Math.max(bytes.length, 1))), toHex(bytes))
          // Of no bytes there are none to see in their place.
          assert.equal(inflateInto(room, small, bytes.length), bytes.length > 0)
          assert.ok(Buffer.compare(room.subarray(0, bytes.length), bytes) === 0)
        },
      ),
    )
  })

  it('says no to all else, and stays within its room', () => {
    const bytes = new Uint8Array(5000).map((_, i) => i * i)
    const small = brotliCompressSync(bytes)
    const memory = Buffer.alloc(10_000, 0xee)
    const tries: [packed: Uint8Array, size: number][] = [
      [small, 4999],
      [small, 5001],
      [small, 64],
      [small.subarray(0, -1), 5000],
      [small.subarray(0, 40), 5000],
      [concatBytes(small, Uint8Array.of(1)), 4000],
      [new Uint8Array(0), 5000],
      [Uint8Array.of(1, 2, 3), 5000],
    ]
    for (const [tried, size] of tries) {
      memory.fill(0xee)
      assert.equal(inflateInto(memory.subarray(0, size + 1), tried, size), false)
      assert.ok(memory.subarray(size + 1).every((byte) => byte === 0xee))
    }
    memory.fill(0xee)
    assert.ok(inflateInto(memory.subarray(0, 5001), small, 5000), 'and goes on')
    for (let at = 0; at < small.length; at++) {
      const harmed = Uint8Array.from(small)
      harmed[at] = (harmed[at] as number) ^ 0x10
      inflateInto(memory.subarray(0, 5001), harmed, 5000)
      assert.ok(memory.subarray(5001).every((byte) => byte === 0xee))
    }
  })
})

describe('scan of what is wanted', () => {
  it('leaves out only what is not, whatever is loose', async () => {
    await holdsAsync(
      fc.asyncProperty(
        someEntries,
        someLimits,
        fc.boolean(),
        fc.array(fc.nat({ max: 3 }), { minLength: 60, maxLength: 60 }),
        async (entries, limits, latest, places) => {
          await using store = new EntryStore(await openMemoryStore(), { pageBytes: 200 })
          const loose = entries.filter((_, i) => places[i] === 0)
          await store.bulk(async (writer) => {
            for (const [i, { key, value: bytes }] of entries.entries()) {
              const wait = places[i] === 0 ? undefined : writer.add(key, bytes)
              if (wait !== undefined) await wait
            }
            return undefined
          })
          await store.put(loose)
          const wanted = coverageOf(limits, latest)
          const all = shown(entries)
          // Twice: what is asked for again is kept whole.
          for (let times = 0; times < 3; times++) {
            const given: Entry[] = []
            for await (const batch of store.scan({ wanted })) given.push(...batch)
            const list = shown(given)
            assert.deepEqual(
              list,
              all.filter((entry) => list.includes(entry)),
            )
            for (const entry of shown(wantedOf(entries, limits, latest))) assert.ok(list.includes(entry))
          }
        },
      ),
      150,
    )
  })
})
