import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromHex, toHex } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import {
  unzipFloat64,
  unzipInt,
  unzipInt64,
  unzipPair,
  unzipUint,
  unzipUint64,
  unzipUint64Pair,
  zagZig,
  zagZig64,
  zigZag,
  zigZag64,
  zipFloat64,
  zipInt,
  zipInt64,
  zipPair,
  zipUint,
  zipUint64,
  zipUint64Pair,
} from '../src/rdx/zip.js'
import { anyBytes, holds } from './support/property.js'

const hex = (text: string): Uint8Array => fromHex(text) as Uint8Array
const BAD = { code: 'BAD_RECORD' }
const MAX_UINT64 = 2n ** 64n - 1n
const MAX = Number.MAX_SAFE_INTEGER

/** Answers a decoder's value, or the code it refused with; anything else it throws is thrown on. */
function valueOrCode<T>(decode: (bytes: Uint8Array) => T, bytes: Uint8Array): T | 'BAD_RECORD' {
  try {
    return decode(bytes)
  } catch (error) {
    if (error instanceof CodedError && error.code === 'BAD_RECORD') return 'BAD_RECORD'
    throw error
  }
}

describe('rdx: ZipUint64', () => {
  const cases: [value: bigint, bytes: string][] = [
    [0n, ''],
    [1n, '01'],
    [255n, 'ff'],
    [256n, '0001'],
    [2n ** 24n, '00000001'],
    [2n ** 32n - 1n, 'ffffffff'],
    [2n ** 32n, '0000000001'],
    [2n ** 40n - 1n, 'ffffffffff'],
    [2n ** 53n - 1n, 'ffffffffffff1f'],
    [2n ** 53n, '00000000000020'],
    [2n ** 63n, '0000000000000080'],
    [MAX_UINT64, 'ffffffffffffffff'],
  ]
  for (const [value, bytes] of cases) {
    it(`${value} is ${bytes === '' ? 'empty' : bytes}`, () => {
      assert.equal(toHex(zipUint64(value)), bytes)
      assert.equal(unzipUint64(hex(bytes)), value)
      if (value > MAX) {
        assert.throws(() => unzipUint(hex(bytes)), BAD)
      } else {
        assert.equal(toHex(zipUint(Number(value))), bytes)
        assert.equal(unzipUint(hex(bytes)), Number(value))
      }
    })
  }

  it('reads a range of a larger buffer', () => {
    assert.equal(unzipUint(hex('ff000100'), 1, 3), 256)
    assert.equal(unzipUint(hex('ff00'), 1, 1), 0)
    assert.equal(unzipUint(hex('010203040506070809').subarray(1, 3)), 0x0302)
  })

  it('refuses overlong and over-long bytes, and says why', () => {
    for (const bytes of ['00', '0100', 'ff0000', '0000000000000000', '010203040506070809', '000000000000000001']) {
      assert.throws(() => unzipUint64(hex(bytes)), BAD, bytes)
      assert.throws(() => unzipUint(hex(bytes)), BAD, bytes)
    }
    assert.throws(() => unzipUint(hex('0100')), {
      message: 'A zipped number is refused: its last byte is zero, so it is overlong.',
    })
  })

  it('refuses to write what is out of range', () => {
    for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, MAX + 1]) {
      assert.throws(() => zipUint(value), { name: 'RangeError', message: /^value: expected an integer .*, got / })
    }
    for (const value of [-1n, MAX_UINT64 + 1n]) assert.throws(() => zipUint64(value), RangeError)
  })

  it('round-trips, in both forms alike', () => {
    holds(fc.property(fc.bigInt(0n, MAX_UINT64), (v) => assert.equal(unzipUint64(zipUint64(v)), v)))
    holds(
      fc.property(fc.oneof(fc.maxSafeNat(), fc.nat(0xffff), fc.nat()), (v) => {
        assert.equal(toHex(zipUint(v)), toHex(zipUint64(BigInt(v))))
        assert.equal(unzipUint(zipUint(v)), v)
      }),
    )
  })

  it('is total, and every value it reads is written back in the same bytes', () => {
    holds(
      fc.property(anyBytes(10), (bytes) => {
        const value = valueOrCode(unzipUint64, bytes)
        const small = valueOrCode(unzipUint, bytes)
        if (value === 'BAD_RECORD') return assert.equal(small, 'BAD_RECORD')
        assert.equal(toHex(zipUint64(value)), toHex(bytes))
        assert.equal(small, value <= BigInt(MAX) ? Number(value) : 'BAD_RECORD')
      }),
      500,
    )
  })
})

describe('rdx: ZigZag and ZipInt64', () => {
  const cases: [value: bigint, bytes: string][] = [
    [0n, ''],
    [-1n, '01'],
    [1n, '02'],
    [-11n, '15'],
    [123n, 'f6'],
    [345n, 'b202'],
    [2n ** 52n - 1n, 'feffffffffff1f'],
    [-(2n ** 52n), 'ffffffffffff1f'],
    [2n ** 52n, '00000000000020'],
    [2n ** 63n - 1n, 'feffffffffffffff'],
    [-(2n ** 63n), 'ffffffffffffffff'],
  ]
  for (const [value, bytes] of cases) {
    it(`${value} is ${bytes === '' ? 'empty' : bytes}`, () => {
      assert.equal(toHex(zipInt64(value)), bytes)
      assert.equal(unzipInt64(hex(bytes)), value)
      if (value >= -(2n ** 52n) && value < 2n ** 52n) {
        assert.equal(toHex(zipInt(Number(value))), bytes)
        assert.equal(unzipInt(hex(bytes)), Number(value))
      } else {
        assert.throws(() => zipInt(Number(value)), RangeError)
        assert.throws(() => unzipInt(hex(bytes)), BAD)
      }
    })
  }

  it('folds as (i << 1) ^ (i >> 63) does', () => {
    holds(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (v) => {
        assert.equal(zigZag64(v), BigInt.asUintN(64, (v << 1n) ^ (v >> 63n)))
        assert.equal(zagZig64(zigZag64(v)), v)
        assert.equal(unzipInt64(zipInt64(v)), v)
      }),
    )
    holds(
      fc.property(
        fc.oneof(
          fc.integer(),
          fc.maxSafeInteger().map((v) => Math.floor(v / 2)),
        ),
        (v) => {
          assert.equal(BigInt(zigZag(v)), zigZag64(BigInt(v)))
          assert.equal(zagZig(zigZag(v)), v)
          assert.equal(unzipInt(zipInt(v)), v)
        },
      ),
    )
  })

  it('refuses to fold what is out of range', () => {
    for (const value of [2n ** 63n, -(2n ** 63n) - 1n]) assert.throws(() => zipInt64(value), RangeError)
    for (const value of [2 ** 52, -(2 ** 52) - 1, 0.5, -0.5, Number.NaN]) assert.throws(() => zipInt(value), RangeError)
  })
})

describe('rdx: ZipFloat64', () => {
  const cases: [value: number, bytes: string][] = [
    [0, ''],
    [1, 'fc0f'],
    [0.5, 'fc07'],
    [12.25, '021401'],
    [1234, '02c912'],
    [-1, 'fd0f'],
    [-0, '01'],
    [Number.POSITIVE_INFINITY, 'fe0f'],
    [Number.NEGATIVE_INFINITY, 'ff0f'],
    [Number.MIN_VALUE, '0000000000000080'],
  ]
  for (const [value, bytes] of cases) {
    it(`${Object.is(value, -0) ? '-0' : value} is ${bytes === '' ? 'empty' : bytes}`, () => {
      assert.equal(toHex(zipFloat64(value)), bytes)
      assert.ok(Object.is(unzipFloat64(hex(bytes)), value))
    })
  }

  it('refuses NaN, written or read', () => {
    assert.throws(() => zipFloat64(Number.NaN), RangeError)
    for (const bytes of ['fe1f', 'ff1f', 'fe0f000000000080']) assert.throws(() => unzipFloat64(hex(bytes)), BAD, bytes)
  })

  it('round-trips and is total', () => {
    holds(fc.property(fc.double({ noNaN: true }), (v) => assert.ok(Object.is(unzipFloat64(zipFloat64(v)), v))))
    holds(
      fc.property(anyBytes(9), (bytes) => {
        const value = valueOrCode(unzipFloat64, bytes)
        if (value !== 'BAD_RECORD') assert.equal(toHex(zipFloat64(value)), toHex(bytes))
      }),
      500,
    )
  })
})

describe('rdx: ZipUint64Pair', () => {
  const cases: [big: bigint, lil: bigint, bytes: string][] = [
    [0n, 0n, ''],
    [1n, 0n, '01'],
    [0n, 1n, '0001'],
    [5n, 6n, '0506'],
    [0x100n, 0n, '000100'],
    [1n, 0x100n, '01000001'],
    [0x1_0000n, 0n, '0000010000'],
    [0x1_0000n, 0x100n, '000001000001'],
    [0n, 0x1_0000n, '0000000000000100'],
    [2n ** 32n, 0n, '000000000100000000'],
    [2n ** 32n, 0x100n, '00000000010000000001'],
    [2n ** 40n - 1n, 2n ** 24n - 1n, 'ffffffffff000000ffffff00'],
    [0n, MAX_UINT64, '0000000000000000ffffffffffffffff'],
  ]
  for (const [big, lil, bytes] of cases) {
    it(`(${big}, ${lil}) is ${bytes === '' ? 'empty' : bytes}`, () => {
      assert.equal(toHex(zipUint64Pair(big, lil)), bytes)
      assert.deepEqual(unzipUint64Pair(hex(bytes)), { big, lil })
      if (lil > MAX) {
        assert.throws(() => unzipPair(hex(bytes)), BAD)
      } else {
        assert.equal(toHex(zipPair(Number(big), Number(lil))), bytes)
        assert.deepEqual(unzipPair(hex(bytes)), { big: Number(big), lil: Number(lil) })
      }
    })
  }

  const stamps: [rev: bigint, src: bigint, bytes: string][] = [
    [0n, 0n, ''],
    [1n, 0n, '02'],
    [-1n, 0n, '01'],
    [4n, 5n, '0805'],
    [128n, 1n, '000101'],
    [-7n, 15n, '0d0f'],
    [234n, 123n, 'd4017b'],
  ]
  for (const [rev, src, bytes] of stamps) {
    it(`stamp {${rev}, ${src}} is ${bytes === '' ? 'empty' : bytes}`, () => {
      assert.equal(toHex(zipUint64Pair(zigZag64(rev), src)), bytes)
      assert.equal(toHex(zipPair(zigZag(Number(rev)), Number(src))), bytes)
      const pair = unzipPair(hex(bytes))
      assert.deepEqual([zagZig(pair.big), pair.lil], [Number(rev), Number(src)])
    })
  }

  it('has exactly the lengths of the table', () => {
    const valid: number[] = []
    for (let length = 0; length <= 20; length++) {
      // All ones is the shortest form of its values wherever the length exists.
      const ones = new Uint8Array(length).fill(0xff)
      if (valueOrCode(unzipUint64Pair, ones) !== 'BAD_RECORD') valid.push(length)
    }
    assert.deepEqual(valid, [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 16])
  })

  it('refuses what is overlong', () => {
    for (const bytes of ['00', '0000', '0100', '010001', '00010000', '0000000001', '0100000001000000']) {
      assert.throws(() => unzipUint64Pair(hex(bytes)), BAD, bytes)
      assert.throws(() => unzipPair(hex(bytes)), BAD, bytes)
    }
  })

  it('reads a range of a larger buffer', () => {
    assert.deepEqual(unzipPair(hex('ff0506ff'), 1, 3), { big: 5, lil: 6 })
  })

  it('refuses to write what is out of range, naming which', () => {
    assert.throws(() => zipPair(-1, 0), { name: 'RangeError', message: /^big: / })
    assert.throws(() => zipPair(0, 2 ** 53), { name: 'RangeError', message: /^lil: / })
    assert.throws(() => zipUint64Pair(0n, -1n), { name: 'RangeError', message: /^lil: / })
  })

  it('round-trips, in both forms alike', () => {
    const word = fc.oneof(fc.bigInt(0n, MAX_UINT64), fc.bigInt(0n, 0x1ffffn), fc.bigInt(0n, 2n ** 33n), fc.constant(0n))
    holds(
      fc.property(word, word, (big, lil) => {
        const bytes = zipUint64Pair(big, lil)
        assert.deepEqual(unzipUint64Pair(bytes), { big, lil })
        if (big > MAX || lil > MAX) return
        assert.equal(toHex(zipPair(Number(big), Number(lil))), toHex(bytes))
        assert.deepEqual(unzipPair(bytes), { big: Number(big), lil: Number(lil) })
      }),
      500,
    )
  })

  it('is total, and every pair it reads is written back in the same bytes', () => {
    const bytes = fc.oneof(
      anyBytes(20),
      fc.array(fc.constantFrom(0, 1, 0xff), { maxLength: 16 }).map((a) => Uint8Array.from(a)),
    )
    holds(
      fc.property(bytes, (input) => {
        const pair = valueOrCode(unzipUint64Pair, input)
        const small = valueOrCode((b) => unzipPair(b), input)
        if (pair === 'BAD_RECORD') return assert.equal(small, 'BAD_RECORD')
        assert.equal(toHex(zipUint64Pair(pair.big, pair.lil)), toHex(input))
        if (pair.big > MAX || pair.lil > MAX) assert.equal(small, 'BAD_RECORD')
        else assert.deepEqual(small, { big: Number(pair.big), lil: Number(pair.lil) })
      }),
      1000,
    )
  })
})
