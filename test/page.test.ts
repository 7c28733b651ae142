import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { compareBytes, concatBytes, fromLatin1, toHex } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import type { Entry, EntryBatch } from '../src/lseq/batch.js'
import { encodeColumns } from '../src/lseq/columns.js'
import { encodeLseq } from '../src/lseq/lseq.js'
import { decodePage, encodePage, encodePageSync, openPage, peekFirstKey } from '../src/lseq/page.js'
import { ByteReader, ByteWriter } from '../src/lseq/varint.js'

const shown = (entries: Iterable<Entry>): string[] =>
  [...entries].map(({ key, value }) => `${toHex(key)}=${toHex(value)}`)

const sorted = (entries: readonly Entry[]): Entry[] => entries.toSorted((a, b) => compareBytes(a.key, b.key))

/** A page whose body is not compressed, so that a change of one byte is a change of one byte of the columns. */
function rawPage(entries: readonly Entry[], body = encodeColumns(entries)): Uint8Array {
  const page = new ByteWriter()
  page.bytes(Uint8Array.of(1, 0, 0, 0, 0, 0))
  page.varint(entries.length)
  page.varint(entries.reduce((sum, { key }) => sum + key.length, 0))
  page.varint(body.length)
  const first = (entries[0] as Entry).key
  page.varint(first.length)
  page.bytes(first)
  page.bytes(body)
  return sealed(page.view())
}

/** The same page with a checksum that holds. */
function sealed(page: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(page)
  if (copy.length >= 5) new DataView(copy.buffer).setUint32(1, crc32(copy.subarray(5)))
  return copy
}

/** What a page gives; `undefined` for `PAGE_CORRUPT`. Anything else is thrown. */
function decoded(page: Uint8Array): EntryBatch | undefined {
  try {
    return decodePage(page)
  } catch (error) {
    if (error instanceof CodedError && error.code === 'PAGE_CORRUPT') return undefined
    throw error
  }
}

/** The entries that `decode` gives, or the code of its error. */
function outcome(decode: () => EntryBatch): string[] | string {
  try {
    return shown(decode())
  } catch (error) {
    if (error instanceof CodedError) return error.code
    throw error
  }
}

/** A small history of a file: runs, what was put into them, tombstones; and a few other kinds. */
function example(): Entry[] {
  const [first, second, third] = [encodeLseq(1000, 0xabcdef), encodeLseq(1050, 0xabcdef), encodeLseq(70_000, 3)]
  const file = concatBytes(fromLatin1('L'), encodeLseq(999, 0xabcdef))
  const run = concatBytes(file, Uint8Array.of(0x80), first)
  const inner = concatBytes(run, Uint8Array.of(3, 0x80), second)
  return sorted([
    { key: run, value: fromLatin1('one\ntwo\nthree\nfour\nfive\n') },
    { key: concatBytes(run, Uint8Array.of(0), second), value: Uint8Array.of(0x31, 2) },
    { key: concatBytes(run, Uint8Array.of(0), third), value: Uint8Array.of(0x32, 3, 1) },
    { key: inner, value: fromLatin1('two and a half\n') },
    { key: concatBytes(file, Uint8Array.of(0x81), third), value: fromLatin1('no newline at the end') },
    { key: concatBytes(fromLatin1('P/caf\xe9'), third), value: new Uint8Array(0) },
    { key: concatBytes(fromLatin1('V'), encodeLseq(2 ** 40 - 1, 0xffffff)), value: new Uint8Array(40).fill(7) },
  ])
}

const lseq = fc
  .tuple(
    fc.oneof(fc.nat({ max: 50 }), fc.nat({ max: 1e6 }), fc.integer({ min: 2 ** 40 - 50, max: 2 ** 40 - 1 })),
    fc.oneof(fc.constantFrom(1, 2, 3), fc.nat({ max: 2 ** 24 - 1 })),
  )
  .map(([seq, stream]) => encodeLseq(seq, stream))
const text = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc.string({ maxLength: 40 }).map((line) => fromLatin1(`${line.replace(/[^ -~]/g, '?')}\n`)),
)
const someEntries = fc
  .uniqueArray(
    fc.record({
      key: fc.tuple(fc.uint8Array({ maxLength: 6, max: 3 }), lseq).map(([middle, id]) => concatBytes(middle, id)),
      value: text,
    }),
    { minLength: 1, maxLength: 60, selector: ({ key }) => toHex(key) },
  )
  .map(sorted)

describe('page', () => {
  it('gives back any entries, on either path', async () => {
    await fc.assert(
      fc.asyncProperty(someEntries, async (entries) => {
        const wanted = shown(entries)
        assert.deepEqual(shown(decodePage(encodePageSync(entries))), wanted)
        assert.deepEqual(shown(decodePage(await encodePage(entries, { quality: 1 }))), wanted)
        assert.deepEqual(shown(decodePage(rawPage(entries))), wanted)
      }),
      { numRuns: 200 },
    )
  })

  it('finds where a key is or would be', () => {
    fc.assert(
      fc.property(someEntries, lseq, (entries, key) => {
        const page = decodePage(encodePageSync(entries))
        for (const [i, one] of entries.entries()) assert.equal(page.lowerBound(one.key), i)
        const below = entries.filter((one) => compareBytes(one.key, key) < 0).length
        assert.equal(page.lowerBound(key), below)
      }),
    )
  })

  it('shares slices and turns batches round', () => {
    const entries = example()
    const page = decodePage(encodePageSync(entries))
    assert.deepEqual(shown(page.slice(2, 5)), shown(entries.slice(2, 5)))
    assert.equal(page.slice(2, 5).keys, page.keys)
    assert.equal(page.slice(0, page.count), page)
    assert.deepEqual(shown(page.reversed()), shown(entries.toReversed()))
    assert.deepEqual(shown(page.slice(1, 3).reversed()), shown(entries.slice(1, 3).toReversed()))
  })

  it('tells what it covers without being unpacked', () => {
    const entries = example()
    const page = encodePageSync(entries)
    const { count, firstKey, bodyBytes } = openPage(page)
    assert.deepEqual([count, bodyBytes], [entries.length, encodeColumns(entries).length])
    assert.deepEqual(toHex(firstKey), toHex(entries[0]?.key ?? assert.fail()))
    assert.deepEqual(peekFirstKey(page), firstKey)
    page[page.length - 1] = (page[page.length - 1] as number) ^ 1
    assert.deepEqual(peekFirstKey(page), firstKey)
    assert.equal(peekFirstKey(new Uint8Array(3)), undefined)
  })

  it('packs many entries that resemble each other into little', () => {
    const entries = Array.from({ length: 5000 }, (_, i) => ({
      key: concatBytes(fromLatin1('L'), encodeLseq(7, 9), Uint8Array.of(i >> 8, i & 255), encodeLseq(1000 + i * 3, 9)),
      value: fromLatin1(`line ${i}\n`),
    }))
    const page = encodePageSync(entries)
    assert.ok(page.length < 5000 * 5, `${page.length} bytes`)
    assert.deepEqual(shown(decodePage(page)), shown(entries))
  })

  it('writes out of a key that goes on from the one before only what is new', () => {
    const entries: Entry[] = []
    let key: Uint8Array = encodeLseq(1, 1)
    for (let i = 0; i < 50; i++) {
      entries.push({ key, value: new Uint8Array(0) })
      key = concatBytes(key, Uint8Array.of(5), encodeLseq(i + 2, 1))
    }
    // Eight columns' lengths, and for each entry one byte in seven columns: no lseq twice.
    assert.ok(encodeColumns(entries).length <= 16 + 50 * 7, `${encodeColumns(entries).length} bytes`)
    assert.deepEqual(shown(decodePage(encodePageSync(entries))), shown(entries))
  })

  it('keeps bytes that do not compress as they are', () => {
    let state = 1
    const noise = new Uint8Array(3000).map(() => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      return state >>> 16
    })
    const entries = [{ key: encodeLseq(1, 1), value: noise }]
    const page = encodePageSync(entries)
    assert.ok(page.length < 3100, `${page.length} bytes`)
    assert.deepEqual(shown(decodePage(page)), shown(entries))
  })

  const refused: [name: string, entries: Entry[]][] = [
    ['no entries', []],
    ['a key under 8 bytes', [{ key: new Uint8Array(7), value: new Uint8Array(1) }]],
    ['the same key twice', [example()[0] as Entry, example()[0] as Entry]],
    ['keys that go down', example().toReversed()],
    ['more than fits', [{ key: new Uint8Array(8), value: new Uint8Array((1 << 26) + 1) }]],
  ]
  for (const [name, entries] of refused) {
    it(`refuses to pack ${name}`, async () => {
      assert.throws(() => encodePageSync(entries), RangeError)
      await assert.rejects(encodePage(entries), RangeError)
    })
  }
})

describe('page: damage', () => {
  it('finds every flipped bit', () => {
    for (const page of [encodePageSync(example()), rawPage(example())]) {
      for (let bit = 0; bit < page.length * 8; bit++) {
        const harmed = Uint8Array.from(page)
        harmed[bit >> 3] = (harmed[bit >> 3] as number) ^ (1 << (bit & 7))
        assert.equal(decoded(harmed), undefined, `bit ${bit}`)
      }
    }
  })

  it('finds a page cut short or made longer', () => {
    const page = encodePageSync(example())
    for (let length = 0; length < page.length; length++) assert.equal(decoded(page.subarray(0, length)), undefined)
    assert.equal(decoded(concatBytes(page, Uint8Array.of(0))), undefined)
  })

  it('finds a large page whose checksum was made to hold', async () => {
    const entries = Array.from({ length: 4000 }, (_, i) => ({
      key: concatBytes(fromLatin1('L'), encodeLseq(i + 1, 7)),
      value: fromLatin1(`${(i * 7919) % 1013} and ${'so on '.repeat(i % 7)}\n`),
    }))
    const whole = encodePageSync(entries)
    let found = 0
    for (let at = 40; at < whole.length; at += Math.ceil(whole.length / 40)) {
      const page = Uint8Array.from(whole)
      page[at] = (page[at] as number) ^ 0x10
      const opened = openPage(sealed(page))
      if (outcome(() => opened.unpack()) === 'PAGE_CORRUPT') found++
    }
    assert.ok(found > 20, `${found} of 40`)
  })

  it('takes any bytes without another error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, asPage) => {
        if (asPage && bytes.length > 0) bytes[0] = 1
        decoded(bytes)
        decoded(sealed(bytes))
      }),
      { numRuns: 2000 },
    )
  })

  it('gives ascending entries or the error for pages made to deceive', () => {
    const page = rawPage(example())
    const change = fc.tuple(fc.nat({ max: page.length - 6 }), fc.nat({ max: 255 }))
    let readable = 0
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const harmed = Uint8Array.from(page)
        for (const [at, byte] of changes) harmed[at + 5] = byte
        const batch = decoded(sealed(harmed))
        if (batch === undefined) return
        readable++
        for (let i = 1; i < batch.count; i++) assert.ok(compareBytes(batch.key(i - 1), batch.key(i)) < 0)
        for (const { key } of batch) assert.ok(key.length >= 8)
      }),
      { numRuns: 5000 },
    )
    assert.ok(readable > 0, 'some changes are within what is allowed')
  })

  it('allocates no more than a page may hold, whatever its header says', () => {
    for (const [count, keyBytes, bodyBytes] of [
      [1, 8, 2 ** 27],
      [1, 2 ** 27, 100],
      [2 ** 25, 2 ** 26, 2 ** 26],
      [2 ** 52, 2 ** 53, 2 ** 53],
    ] as const) {
      for (const codec of [0, 1]) {
        const page = new ByteWriter()
        page.bytes(Uint8Array.of(1, 0, 0, 0, 0, codec))
        for (const size of [count, keyBytes, bodyBytes, 8]) page.varint(size)
        page.bytes(new Uint8Array(64))
        assert.equal(decoded(sealed(page.view())), undefined)
      }
    }
  })
})

describe('page: format', () => {
  /** `WEFT_GOLDEN=write node --import tsx --test test/page.test.ts` makes the golden files anew: a change of format. */
  const golden = (name: string, page: Uint8Array): Uint8Array => {
    const path = new URL(`../fixtures/${name}`, import.meta.url)
    if (process.env['WEFT_GOLDEN'] === 'write') writeFileSync(path, page)
    return readFileSync(path)
  }

  it('reads the golden page, compressed', () => {
    const page = golden('page-v1.bin', encodePageSync(example()))
    assert.equal(page[5], 1)
    assert.deepEqual(shown(decodePage(page)), shown(example()))
  })

  it('reads and writes the golden page that is not compressed', () => {
    const page = golden('page-v1-raw.bin', rawPage(example()))
    assert.deepEqual(shown(decodePage(page)), shown(example()))
    assert.equal(toHex(rawPage(example())), toHex(page))
  })

  it('is as drawn', () => {
    const [key, value] = [concatBytes(fromLatin1('Ab'), encodeLseq(5, 6)), fromLatin1('hi\n')]
    const body = '01 01 00 01 01 01 01 00   08 00 00 00 00 07   68 69 0a'.replaceAll(' ', '')
    const head = `00 01 0a ${(body.length / 2).toString(16).padStart(2, '0')} 0a ${toHex(key)}`.replaceAll(' ', '')
    const page = encodePageSync([{ key, value }])
    assert.equal(toHex(page.subarray(5)), head + body)
    assert.equal(new DataView(page.buffer, page.byteOffset).getUint32(1), crc32(page.subarray(5)))
  })
})

describe('varint', () => {
  it('gives back whole numbers below 2^53, and refuses the rest', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const writer = new ByteWriter(1)
        writer.varint(value)
        const reader = new ByteReader(writer.view())
        assert.equal(reader.varint(), value)
        assert.ok(reader.ok && reader.done)
      }),
    )
    for (const bytes of [[], [0x80], new Array(11).fill(0xff)]) {
      const reader = new ByteReader(Uint8Array.from(bytes))
      reader.varint()
      assert.equal(reader.ok, false)
    }
  })
})
