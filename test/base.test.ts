import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  assertBytes,
  compareBytes,
  concatBytes,
  decodeUtf8,
  decodeUtf8Lossy,
  encodeUtf8,
  equalBytes,
  fromHex,
  fromLatin1,
  startsWith,
  toHex,
  toLatin1,
  writeLatin1,
} from '../src/base/bytes.js'
import { CODES, type Code, CodedError } from '../src/base/error.js'
import { anyBytes, holds } from './support/property.js'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const plain = (view: Uint8Array | undefined): number[] | undefined => (view === undefined ? undefined : [...view])

describe('base: CodedError', () => {
  it('carries code, blame, hint, cause and data', () => {
    const cause = new Error('disk')
    const error = new CodedError('BAD_KEY', 'A key is damaged.', { hint: 'Run verify.', cause, data: { key: '00' } })
    assert.ok(error instanceof Error)
    assert.deepEqual(
      [error.name, error.code, error.blame, error.message, error.hint, error.cause, error.data],
      ['CodedError', 'BAD_KEY', 'data', 'A key is damaged.', 'Run verify.', cause, { key: '00' }],
    )
  })

  it('has no cause, hint or data of its own', () => {
    const error = new CodedError('V_UNKNOWN', 'No version matches "x".')
    assert.equal('cause' in error, false)
    assert.deepEqual([error.hint, error.data, error.blame], [undefined, undefined, 'user'])
  })

  it('keeps its codes in alphabetical order, in one spelling, each with a blame', () => {
    const codes = Object.keys(CODES) as Code[]
    assert.deepEqual(codes, [...codes].sort())
    for (const code of codes) {
      assert.match(code, /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/)
      assert.ok(['user', 'usage', 'data', 'bug'].includes(CODES[code]))
    }
  })
})

describe('base: bytes', () => {
  const orders: [name: string, a: Uint8Array, b: Uint8Array, sign: number][] = [
    ['nothing equals nothing', bytes(), bytes(), 0],
    ['a prefix comes first', bytes(1, 2), bytes(1, 2, 0), -1],
    ['bytes are unsigned', bytes(0x7f), bytes(0x80), -1],
    ['the first difference decides', bytes(2), bytes(1, 9, 9), 1],
    ['long strings too', new Uint8Array(100), Uint8Array.from(new Array(100).fill(0).fill(1, 99)), -1],
    ['a long prefix comes first', new Uint8Array(101), new Uint8Array(100), 1],
  ]
  for (const [name, a, b, sign] of orders) {
    it(`compares: ${name}`, () => {
      assert.equal(Math.sign(compareBytes(a, b)), sign)
      assert.equal(Math.sign(compareBytes(b, a)), sign === 0 ? 0 : -sign)
      assert.equal(equalBytes(a, b), sign === 0)
    })
  }

  it('compares bytes as binary strings compare, and as Buffer does', () => {
    const pair = fc.tuple(anyBytes(40), anyBytes(40), anyBytes(30))
    holds(
      fc.property(pair, ([left, right, shared]) => {
        for (const [a, b] of [
          [left, right],
          [concatBytes(shared, left), concatBytes(shared, right)],
          [shared, concatBytes(shared, right)],
        ] as [Uint8Array, Uint8Array][]) {
          const [textA, textB] = [toLatin1(a), toLatin1(b)]
          assert.equal(Math.sign(compareBytes(a, b)), textA < textB ? -1 : textA > textB ? 1 : 0)
          assert.equal(Math.sign(compareBytes(a, b)), Buffer.compare(a, b))
          assert.equal(equalBytes(a, b), textA === textB)
          assert.equal(startsWith(a, b), textA.startsWith(textB))
          assert.equal(startsWith(b, a), textB.startsWith(textA))
        }
      }),
    )
  })

  it('joins', () => {
    assert.deepEqual(plain(concatBytes()), [])
    assert.deepEqual(plain(concatBytes(bytes(1), bytes(), bytes(2, 3))), [1, 2, 3])
    const part = bytes(1)
    const joined = concatBytes(part)
    part[0] = 9
    assert.deepEqual(plain(joined), [1])
  })

  it('writes and reads hex', () => {
    assert.equal(toHex(bytes(0, 0x0f, 0xff)), '000fff')
    assert.deepEqual(plain(fromHex('000fFF')), [0, 15, 255])
    assert.deepEqual(plain(fromHex('')), [])
    for (const bad of ['0', 'abc', '0g', 'zz', '00 1', ' 00', '0x00', '00\n', '\u013000', '００']) {
      assert.equal(fromHex(bad), undefined, JSON.stringify(bad))
    }
    holds(fc.property(anyBytes(), (b) => assert.deepEqual(plain(fromHex(toHex(b))), plain(b))))
  })

  it('carries any bytes through a binary string', () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i)
    assert.equal(toLatin1(all).length, 256)
    assert.equal(toLatin1(all, 65, 68), 'ABC')
    assert.equal(toLatin1(all, 7, 7), '')
    assert.throws(() => toLatin1(all, 0, 257), RangeError)
    holds(fc.property(anyBytes(), (b) => assert.deepEqual(plain(fromLatin1(toLatin1(b))), plain(b))))
  })

  it('reads a view of a larger buffer, not the buffer', () => {
    const view = bytes(1, 0x41, 0x42, 2).subarray(1, 3)
    assert.deepEqual([toLatin1(view), toHex(view), decodeUtf8(view), decodeUtf8Lossy(view)], ['AB', '4142', 'AB', 'AB'])
  })

  it('writes a binary string in place, as far as it fits', () => {
    const target = new Uint8Array(4)
    assert.equal(writeLatin1(target, 'a\xff', 1), 2)
    assert.deepEqual(plain(target), [0, 0x61, 0xff, 0])
    assert.equal(writeLatin1(target, 'xyz', 3), 1)
    assert.deepEqual(plain(target), [0, 0x61, 0xff, 0x78])
    assert.equal(writeLatin1(target, 'xyz', 4), 0)
  })

  it('reads UTF-8 strictly and loosely', () => {
    assert.equal(decodeUtf8(bytes(0xef, 0xbb, 0xbf, 0x61)), '\ufeffa')
    assert.equal(decodeUtf8(encodeUtf8('naïve 𝄞')), 'naïve 𝄞')
    const invalid: [name: string, input: Uint8Array][] = [
      ['Latin-1', bytes(0x63, 0x61, 0x66, 0xe9)],
      ['overlong', bytes(0xc0, 0x80)],
      ['surrogate', bytes(0xed, 0xa0, 0x80)],
      ['over U+10FFFF', bytes(0xf4, 0x90, 0x80, 0x80)],
      ['cut off', bytes(0xe2, 0x82)],
    ]
    for (const [name, input] of invalid) {
      assert.equal(decodeUtf8(input), undefined, name)
      assert.match(decodeUtf8Lossy(input), /\ufffd/, name)
    }
    assert.equal(decodeUtf8Lossy(bytes(0x63, 0xe9)), 'c\ufffd')
    holds(
      fc.property(anyBytes(), (b) => {
        const strict = decodeUtf8(b)
        if (strict === undefined) assert.match(decodeUtf8Lossy(b), /\ufffd/)
        else assert.deepEqual([decodeUtf8Lossy(b), plain(encodeUtf8(strict))], [strict, plain(b)])
      }),
    )
  })

  it('names argument, wish and finding when it is not given bytes', () => {
    const refusals: [value: unknown, length: number | undefined, error: object][] = [
      ['x', undefined, { name: 'TypeError', message: 'seed: expected a Uint8Array, got string' }],
      [null, 32, { name: 'TypeError', message: 'seed: expected a Uint8Array of 32 bytes, got null' }],
      [[1], 32, { name: 'TypeError', message: 'seed: expected a Uint8Array of 32 bytes, got object' }],
      [bytes(1), 32, { name: 'RangeError', message: 'seed: expected a Uint8Array of 32 bytes, got 1 bytes' }],
    ]
    for (const [value, length, error] of refusals) assert.throws(() => assertBytes(value, 'seed', length), error)
    assertBytes(bytes(), 'seed')
    assertBytes(Buffer.alloc(32), 'seed', 32)
  })
})
