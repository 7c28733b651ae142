import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { concatBytes, encodeUtf8, fromHex, fromLatin1, toHex } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import {
  encodeRecord,
  encodeTiny,
  type Letter,
  LONG_MAX,
  readRecord,
  TlvCursor,
  TlvReader,
  TlvWriter,
} from '../src/rdx/tlv.js'
import { zigZag, zipInt, zipPair } from '../src/rdx/zip.js'
import { anyBytes, holds } from './support/property.js'

const hex = (text: string): Uint8Array => fromHex(text.replaceAll(' ', '')) as Uint8Array
const sized = (length: number): Uint8Array => new Uint8Array(length).fill(0x2e)
const letters = fc.constantFrom(...('ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('') as Letter[]))

/** Bodies of all three sizes, the borders among them. */
const bodies = fc.oneof(
  { weight: 6, arbitrary: anyBytes(20) },
  { weight: 1, arbitrary: fc.constantFrom(254, 255, 256, 257, 700).map(sized) },
)

describe('rdx: records', () => {
  it('are written as the tables say', () => {
    assert.equal(toHex(concatBytes(encodeRecord('A', hex('41')), encodeTiny('B', hex('4242')))), '610141324242')
    assert.equal(toHex(encodeRecord('C', sized(256))), `4300010000${'2e'.repeat(256)}`)
    assert.equal(toHex(encodeRecord('X', sized(10)).subarray(0, 2)), '780a')
    assert.equal(toHex(encodeRecord('X', sized(65536)).subarray(0, 5)), '5800000100')
    assert.equal(toHex(encodeTiny('T', zipPair(0, 0))), '30')
    assert.equal(toHex(encodeTiny('T', sized(10)).subarray(0, 2)), '740a')
  })

  it('hold stamped elements: -11 in its 4th revision by 5, and "test" by {234,123}', () => {
    const bare = new TlvWriter()
      .tiny('T', zipPair(zigZag(4), 5))
      .raw(zipInt(-11))
      .copy()
    assert.equal(toHex(bare), '32080515')
    assert.equal(toHex(encodeRecord('I', bare)), '690432080515')
    const text = new TlvWriter()
      .begin('S')
      .tiny('T', zipPair(zigZag(234), 123))
      .raw(encodeUtf8('test'))
      .end()
      .copy()
    assert.equal(toHex(text), '730833d4017b74657374')
  })

  const reads: [name: string, bytes: string, offset: number, result: object][] = [
    ['nothing', '', 0, { kind: 'incomplete', need: 1 }],
    ['past the end', '30', 1, { kind: 'incomplete', need: 1 }],
    ['empty tiny', '30', 0, { kind: 'record', type: '0', tiny: true, bodyStart: 1, bodyEnd: 1 }],
    ['largest tiny', '39 010203040506070809', 0, { kind: 'record', type: '0', tiny: true, bodyStart: 1, bodyEnd: 10 }],
    ['tiny cut off', '32 01', 0, { kind: 'incomplete', need: 3 }],
    ['empty short', '61 00', 0, { kind: 'record', type: 'A', tiny: false, bodyStart: 2, bodyEnd: 2 }],
    ['short inside', 'ff 7a 02 0102 ff', 1, { kind: 'record', type: 'Z', tiny: false, bodyStart: 3, bodyEnd: 5 }],
    ['short without its length', '61', 0, { kind: 'incomplete', need: 2 }],
    ['short cut off', '61 05 01', 0, { kind: 'incomplete', need: 7 }],
    ['long without its length', '41 00 01 00', 0, { kind: 'incomplete', need: 5 }],
    ['long cut off', '41 00 01 00 00', 0, { kind: 'incomplete', need: 261 }],
    ['largest long', '5a ff ff ff 7f', 0, { kind: 'incomplete', need: LONG_MAX + 5 }],
    ['too long', '5a 00 00 00 80', 0, { kind: 'bad', rule: 'a record of 2147483648 bytes is too long' }],
    ['far too long', '5a ff ff ff ff', 0, { kind: 'bad', rule: 'a record of 4294967295 bytes is too long' }],
    ['long where short does', '41 ff 00 00 00', 0, { kind: 'bad', rule: 'a long record of 255 bytes must be short' }],
  ]
  for (const [name, bytes, offset, result] of reads) {
    it(`are read: ${name}`, () => assert.deepEqual(readRecord(hex(bytes), offset), result))
  }

  it('are read up to an end that is not the end of the bytes', () => {
    assert.deepEqual(readRecord(hex('61 02 0102'), 0, 3), { kind: 'incomplete', need: 4 })
  })

  it('begin with a letter or a digit: of the 256 bytes, 194 are bad', () => {
    let bad = 0
    for (let first = 0; first < 256; first++) {
      const read = readRecord(Uint8Array.of(first), 0)
      const good = /[0-9A-Za-z]/.test(String.fromCharCode(first))
      assert.equal(read.kind !== 'bad', good, `byte ${first}`)
      if (read.kind === 'bad') bad++
    }
    assert.equal(bad, 194)
    assert.deepEqual(readRecord(hex('05'), 0), { kind: 'bad', rule: 'no record begins with byte 0x05' })
  })

  it('are read back as written, in canonical form, and a shorter prefix is always incomplete', () => {
    holds(
      fc.property(letters, bodies, fc.boolean(), (letter, body, tiny) => {
        const bytes = tiny ? encodeTiny(letter, body) : encodeRecord(letter, body)
        const read = readRecord(bytes, 0)
        assert.ok(read.kind === 'record')
        assert.equal(read.tiny, tiny && body.length <= 9)
        assert.equal(read.type, read.tiny ? '0' : letter)
        assert.equal(read.bodyEnd, bytes.length)
        assert.equal(toHex(bytes.subarray(read.bodyStart, read.bodyEnd)), toHex(body))
        assert.equal(bytes.length - body.length, read.tiny ? 1 : body.length <= 255 ? 2 : 5)
        const cut = readRecord(bytes, 0, bytes.length - 1)
        assert.ok(cut.kind === 'incomplete' && cut.need <= bytes.length)
      }),
    )
  })

  it('are total: any bytes are a record, incomplete or bad', () => {
    const starts = fc.constantFrom(...'09azAZ@[`{:/'.split('')).map((c) => c.charCodeAt(0))
    const bytes = fc.tuple(starts, anyBytes(20)).map(([first, rest]) => Uint8Array.of(first, ...rest))
    holds(
      fc.property(fc.oneof(anyBytes(20), bytes), (input) => {
        const read = readRecord(input, 0)
        if (read.kind === 'record') assert.ok(read.bodyStart <= read.bodyEnd && read.bodyEnd <= input.length)
        if (read.kind === 'incomplete') assert.ok(read.need > input.length)
      }),
      1000,
    )
  })
})

describe('rdx: TlvWriter', () => {
  it('refuses a letter that is none', () => {
    for (const letter of ['a', '0', '', 'AB', 'É']) {
      assert.throws(() => new TlvWriter().record(letter as Letter, sized(1)), {
        name: 'RangeError',
        message: `letter: expected 'A' to 'Z', got '${letter}'`,
      })
    }
  })

  it('writes binary strings as their bytes', () => {
    assert.equal(toHex(new TlvWriter(0).latin1('P', 'a\xff').copy()), '700261ff')
    const long = 'é'.repeat(300)
    assert.deepEqual(new TlvWriter(0).latin1('P', long).copy(), new TlvWriter().record('P', fromLatin1(long)).copy())
  })

  it('nests records as if the inner ones had been encoded first', () => {
    holds(
      fc.property(letters, letters, bodies, bodies, (outer, inner, a, b) => {
        const nested = new TlvWriter(1).begin(outer).record(inner, a).begin(inner).raw(b).end().tiny(inner, a).end()
        const parts = concatBytes(encodeRecord(inner, a), encodeRecord(inner, b), encodeTiny(inner, a))
        assert.equal(toHex(nested.copy()), toHex(encodeRecord(outer, parts)))
      }),
    )
  })

  it('does not lend out a half-written record', () => {
    const writer = new TlvWriter().begin('A')
    assert.throws(() => writer.view(), TypeError)
    assert.throws(() => writer.copy(), TypeError)
    assert.equal(toHex(writer.end().view()), '6100')
    assert.throws(() => writer.end(), TypeError)
  })

  it('can be used again, and a copy outlives that', () => {
    const writer = new TlvWriter(64).record('A', hex('0102'))
    const [copy, view] = [writer.copy(), writer.view()]
    writer.begin('Z').reset().record('B', hex('0304'))
    assert.equal(toHex(copy), '61020102')
    assert.equal(toHex(view), '62020304')
    assert.equal(writer.length, 4)
  })
})

describe('rdx: TlvCursor', () => {
  /** Everything that a walk meets, and the error it ends with. */
  const walked = (step: () => readonly [type: string, start: number, end: number] | undefined): unknown[] => {
    const met: unknown[] = []
    try {
      for (let record = step(); record !== undefined; record = step()) met.push(record)
    } catch (error) {
      met.push((error as CodedError).code, (error as CodedError).message)
    }
    return met
  }

  it('meets what TlvReader meets, in records and in any bytes', () => {
    const records = fc
      .array(fc.tuple(letters, bodies))
      .map((all) => concatBytes(...all.map((each) => encodeRecord(...each))))
    const cut = fc.tuple(records, fc.nat(2000)).map(([bytes, end]) => bytes.subarray(0, end))
    holds(
      fc.property(fc.oneof(records, cut, anyBytes(40)), (bytes) => {
        const reader = new TlvReader(bytes)
        const cursor = new TlvCursor(bytes)
        const expected = walked(() => {
          const record = reader.next()
          return record && [record.type, record.bodyStart, record.bodyEnd]
        })
        const met = walked(() =>
          cursor.next() ? [String.fromCharCode(cursor.type), cursor.start, cursor.end] : undefined,
        )
        assert.deepEqual(met, expected)
      }),
    )
  })

  it('finds the next record of a letter', () => {
    const cursor = new TlvCursor(hex('ff 61 01 41 62 00 61 02 4243 ff'), 1, 10)
    assert.ok(cursor.find('A'))
    assert.equal(toHex(cursor.body()), '41')
    assert.ok(cursor.find('A'))
    assert.equal(toHex(cursor.body()), '4243')
    assert.equal(cursor.find('A'), false)
  })
})

describe('rdx: TlvReader', () => {
  it('walks records in a known order', () => {
    const bytes = hex('ff 61 01 41 32 4242 63 03 64 01 07 ff')
    const reader = new TlvReader(bytes, 1, 12)
    assert.equal(toHex(reader.expect('A')), '41')
    assert.equal(reader.optional('B'), undefined)
    assert.equal(toHex(reader.tiny('T')), '4242')
    assert.equal(reader.offset, 7)
    assert.equal(reader.atEnd, false)
    const inner = reader.enter('C')
    assert.equal(toHex(inner.optional('D') as Uint8Array), '07')
    inner.end()
    reader.end()
    assert.equal(reader.next(), undefined)
    assert.equal(reader.optional('A'), undefined)
  })

  it('walks records of any kind', () => {
    const reader = new TlvReader(hex('61 01 41 30 7a 00'))
    const types: string[] = []
    for (let record = reader.next(); record !== undefined; record = reader.next()) types.push(record.type)
    assert.deepEqual(types, ['A', '0', 'Z'])
  })

  const refusals: [name: string, bytes: string, read: (r: TlvReader) => unknown, offset: number, rule: RegExp][] = [
    ['another letter', '62 00', (r) => r.expect('A'), 0, /^expected "A", found "B"$/],
    ['a tiny for a letter', '30', (r) => r.expect('A'), 0, /^expected "A", found a tiny record$/],
    ['the end', '61 00', (r) => [r.expect('A'), r.expect('A')], 2, /^expected "A", found the end$/],
    ['the end for a tiny', '', (r) => r.tiny('T'), 0, /^expected "T", found the end$/],
    ['a cut record', '61 00 62 05 01', (r) => [r.expect('A'), r.expect('B')], 2, /at least 7 bytes .* after 3$/],
    ['a cut optional record', '61 05', (r) => r.optional('A'), 0, /cut off/],
    ['a bad first byte', '00', (r) => r.next(), 0, /^no record begins with byte 0x00$/],
    ['a long record that must be short', '41 01 00 00 00 07', (r) => r.optional('A'), 0, /must be short$/],
    ['a short record that must be tiny', '74 01 07', (r) => r.tiny('T'), 0, /^a short "T" must be tiny here$/],
    ['another letter for a tiny', '75 0a', (r) => r.tiny('T'), 0, /cut off/],
    ['another whole letter for a tiny', '75 00', (r) => r.tiny('T'), 0, /^expected a tiny or "T" record, found "U"$/],
    ['bytes left over', '61 00 30', (r) => [r.expect('A'), r.end()], 2, /^expected the end, found 1 more bytes$/],
    ['an inner record that leaves its outer', '61 02 62 01 07', (r) => r.enter('A').expect('B'), 2, /cut off/],
  ]
  for (const [name, bytes, read, offset, rule] of refusals) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => read(new TlvReader(hex(bytes))),
        (error: unknown) => {
          assert.ok(error instanceof CodedError)
          assert.equal(error.code, 'BAD_RECORD')
          assert.equal(error.data?.['offset'], offset)
          assert.match(String(error.data?.['rule']), rule)
          assert.equal(error.message, `Bad record at byte ${offset}: ${error.data?.['rule']}.`)
          return true
        },
      )
    })
  }

  it('accepts a stamp of ten bytes and more with its letter', () => {
    assert.equal(new TlvReader(encodeTiny('T', sized(10))).tiny('T').length, 10)
    assert.equal(new TlvReader(encodeTiny('T', sized(300))).tiny('T').length, 300)
  })

  it('refuses a range outside the bytes', () => {
    assert.throws(() => new TlvReader(hex('6100'), 1, 3), RangeError)
    assert.throws(() => new TlvReader(hex('6100'), 2, 1), RangeError)
  })

  it('is total: any bytes are walked to the end or refused with BAD_RECORD, and what is walked is canonical', () => {
    const noisy = fc.array(
      fc.oneof(
        fc.tuple(letters, anyBytes(12)).map(([letter, body]) => encodeRecord(letter, body)),
        anyBytes(12).map((body) => encodeTiny('T', body)),
        anyBytes(2),
      ),
      { maxLength: 5 },
    )
    holds(
      fc.property(noisy, (parts) => {
        const bytes = concatBytes(...parts)
        const reader = new TlvReader(bytes)
        const again = new TlvWriter()
        try {
          for (let record = reader.next(); record !== undefined; record = reader.next()) {
            const body = bytes.subarray(record.bodyStart, record.bodyEnd)
            if (record.type === '0') again.tiny('T', body)
            else again.record(record.type, body)
          }
        } catch (error) {
          assert.ok(error instanceof CodedError && error.code === 'BAD_RECORD')
          return
        }
        assert.equal(toHex(again.view()), toHex(bytes))
      }),
      1000,
    )
  })
})
