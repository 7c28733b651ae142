import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compareBytes, fromHex, toHex } from '../src/base/bytes.js'
import { CLOCK_SLACK, clockOver, nextBlock } from '../src/lseq/clock.js'
import {
  compareLseq,
  encodeLseq,
  formatLseq,
  formatStream,
  LSEQ_BYTES,
  type Lseq,
  lseqOfKey,
  parseLseq,
  readLseq,
  readSeq,
  readStream,
  SEQ_LIMIT,
  STREAM_LIMIT,
  writeLseq,
} from '../src/lseq/lseq.js'
import { holds } from './support/property.js'

/** Lseqs, many of them at the places where a byte or a 32-bit half is full. */
const seqs = fc.oneof(
  fc.nat(SEQ_LIMIT - 1),
  fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x8000000000, SEQ_LIMIT - 1),
)
const streams = fc.oneof(fc.nat(STREAM_LIMIT - 1), fc.constantFrom(0, 1, 0x7fffff, 0x800000, STREAM_LIMIT - 1))
const lseqs: fc.Arbitrary<Lseq> = fc.record({ seq: seqs, stream: streams }, { noNullPrototype: true })

const cases: [lseq: Lseq, hex: string, text: string][] = [
  [{ seq: 0, stream: 0 }, '0000000000000000', '000000-0'],
  [{ seq: 1, stream: 1 }, '0000000001000001', '000001-1'],
  [{ seq: 0x0102030405, stream: 0x060708 }, '0102030405060708', '060708-102030405'],
  [{ seq: 0xffffffff, stream: 0x0a0b0c }, '00ffffffff0a0b0c', '0a0b0c-ffffffff'],
  [{ seq: 0x100000000, stream: 0x800000 }, '0100000000800000', '800000-100000000'],
  [{ seq: SEQ_LIMIT - 1, stream: STREAM_LIMIT - 1 }, 'ffffffffffffffff', 'ffffff-ffffffffff'],
]

describe('lseq: 8 bytes', () => {
  for (const [lseq, hex] of cases) {
    it(`${hex}`, () => {
      assert.equal(toHex(encodeLseq(lseq.seq, lseq.stream)), hex)
      assert.deepEqual(readLseq(fromHex(hex) as Uint8Array), lseq)
    })
  }

  it('come back from wherever they were written, and touch nothing else', () => {
    holds(
      fc.property(lseqs, fc.nat(5), fc.nat(5), ({ seq, stream }, before, after) => {
        const bytes = new Uint8Array(before + LSEQ_BYTES + after).fill(0xaa)
        assert.equal(writeLseq(bytes, before, seq, stream), before + LSEQ_BYTES)
        assert.equal(readSeq(bytes, before), seq)
        assert.equal(readStream(bytes, before), stream)
        assert.deepEqual(readLseq(bytes, before), { seq, stream })
        assert.deepEqual(lseqOfKey(bytes.subarray(0, before + LSEQ_BYTES)), { seq, stream })
        assert.ok([...bytes.subarray(0, before), ...bytes.subarray(before + LSEQ_BYTES)].every((byte) => byte === 0xaa))
      }),
    )
  })

  it('sort as bytes in causal order, then by stream', () => {
    holds(
      fc.property(lseqs, lseqs, fc.boolean(), (a, other, sameSeq) => {
        const b = sameSeq ? { ...other, seq: a.seq } : other
        const byBytes = compareBytes(encodeLseq(a.seq, a.stream), encodeLseq(b.seq, b.stream))
        assert.equal(Math.sign(compareLseq(a, b)), Math.sign(byBytes))
        assert.equal(Math.sign(compareLseq(b, a)), -Math.sign(byBytes) + 0)
        assert.equal(compareLseq(a, a), 0)
      }),
    )
  })
})

describe('lseq: text', () => {
  for (const [lseq, , text] of cases) {
    it(`${text}`, () => {
      assert.equal(formatLseq(lseq.seq, lseq.stream), text)
      assert.deepEqual(parseLseq(text), lseq)
    })
  }

  it('comes back', () => {
    holds(
      fc.property(lseqs, (lseq) => {
        assert.deepEqual(parseLseq(formatLseq(lseq.seq, lseq.stream)), lseq)
        assert.equal(Number.parseInt(formatStream(lseq.stream), 16), lseq.stream)
      }),
    )
  })

  const refused: [name: string, text: string][] = [
    ['nothing', ''],
    ['a short stream', '00001-1'],
    ['a long stream', '0000001-1'],
    ['upper case', '00000A-1'],
    ['a leading zero', '000001-01'],
    ['no seq', '000001-'],
    ['a seq over 40 bits', '000001-10000000000'],
    ['a sign', '000001--1'],
    ['a space', ' 000001-1'],
    ['a newline behind', '000001-1\n'],
    ['digits of another script', '00000١-1'],
  ]
  for (const [name, text] of refused) it(`refuses ${name}`, () => assert.equal(parseLseq(text), undefined))

  it('has one form: what is parsed is written the same', () => {
    const alphabet = fc.constantFrom(...'0123456789abcdefA-gx \n')
    holds(
      fc.property(fc.string({ unit: alphabet, minLength: 6, maxLength: 20 }), (text) => {
        const lseq = parseLseq(text)
        if (lseq !== undefined) assert.equal(formatLseq(lseq.seq, lseq.stream), text)
      }),
      1000,
    )
  })
})

describe('clock', () => {
  const given: [greatest: number, count: number, first: number][] = [
    [0, 1, 1],
    [41, 1000, 42],
    [SEQ_LIMIT - 2, 1, SEQ_LIMIT - 1],
    [SEQ_LIMIT - 101, 100, SEQ_LIMIT - 100],
  ]
  for (const [greatest, count, first] of given) {
    it(`gives ${first} for a block of ${count} behind ${greatest}`, () =>
      assert.equal(nextBlock(greatest, count), first))
  }

  it('follows the store, but not far beyond what a version stands on', () => {
    assert.equal(clockOver(10, 500), 500)
    assert.equal(clockOver(0, CLOCK_SLACK), CLOCK_SLACK - 1)
    assert.equal(clockOver(10, 3 * CLOCK_SLACK), CLOCK_SLACK + 9)
  })

  for (const [greatest, count] of [
    [SEQ_LIMIT - 1, 1],
    [SEQ_LIMIT - 2, 2],
    [0, SEQ_LIMIT],
  ] as const) {
    it(`has no block of ${count} behind ${greatest}`, () => {
      assert.throws(() => nextBlock(greatest, count), { name: 'CodedError', code: 'CLOCK_EXHAUSTED' })
    })
  }
})
