/**
 * Contents put together by WebAssembly, held to the walk in TypeScript on entries that nobody would write. Those of
 * real files are in content.test.ts.
 *
 * The kernel may decline, and then nothing is said. What it does not decline must be the same, and so nothing that the walk
 * refuses.
 * @module
 */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import fc from 'fast-check'
import { compareBytes, concatBytes, fromLatin1, toHex, toLatin1 } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import { ContentReader } from '../src/lines/content.js'
import { encodeOrigins } from '../src/lines/origin.js'
import { PieceReader } from '../src/lines/pieces.js'
import { linePosition, runPosition } from '../src/lines/position.js'
import { encodeRanges } from '../src/lines/tombstone.js'
import { contentInKernel, type Slice } from '../src/lines/walk-kernel.js'
import { type Entry, EntryBatch } from '../src/lseq/batch.js'
import { Coverage } from '../src/lseq/coverage.js'
import { encodeLseq } from '../src/lseq/lseq.js'
import { Streams, Vector } from '../src/lseq/vector.js'
import { startKernel } from './support/kernel.js'
import { holds } from './support/property.js'

before(startKernel)

/** Streams of the entries; of the first all is covered, of the last nothing, of the others up to seq 20. */
const STREAMS = [1, 2, 3, 4] as const

function covered(): { streams: Streams; vector: Vector; coverage: Coverage } {
  const streams = new Streams()
  const limits = [2 ** 39, 20, 20]
  const vector = limits.reduce((sum, limit, i) => sum.with(streams.slot(STREAMS[i] as number), limit), Vector.empty)
  return { streams, vector, coverage: new Coverage(vector, streams) }
}

/** The entries in slices: in as many batches as there are numbers, which say where they are cut. */
function slicesOf(entries: readonly Entry[], cuts: readonly number[]): Slice[] {
  const at = [0, ...cuts.map((cut) => cut % (entries.length + 1)).sort((a, b) => a - b), entries.length]
  return at.slice(1).map((to, i) => {
    const from = at[i] as number
    // Something before and behind that is not of the file.
    const other = { key: fromLatin1('other key'), value: fromLatin1('other\n') }
    return { batch: EntryBatch.from([other, ...entries.slice(from, to), other]), from: 1, to: 1 + to - from }
  })
}

/** What the walk gives; undefined where it refuses. */
function walked(slices: readonly Slice[], prefix: number): string | undefined {
  const { streams, vector } = covered()
  const reader = new ContentReader(streams, vector)
  try {
    for (const { batch, from, to } of slices) reader.push(batch, from, to, prefix)
    return toLatin1(reader.finish())
  } catch (error) {
    if (error instanceof CodedError && (error.code === 'BAD_WEAVE' || error.code === 'BAD_RECORD')) return undefined
    throw error
  }
}

function inKernel(slices: readonly Slice[], prefix: number): string | undefined {
  const content = contentInKernel(slices, prefix, covered().coverage)
  return content === undefined ? undefined : toLatin1(content)
}

/** Pieces as the walk gives them, and as the kernel does. */
function pieces(slices: readonly Slice[], prefix: number, byKernel: boolean): string[] | undefined {
  const { streams, vector, coverage } = covered()
  const reader = new PieceReader(streams, vector)
  try {
    if (!byKernel) for (const { batch, from, to } of slices) reader.push(batch, from, to, prefix)
    else if (!reader.pushAll(slices, prefix, coverage)) return undefined
    return reader.finish().map(({ bytes: all, from, to, ...where }) => JSON.stringify([toLatin1(all, from, to), where]))
  } catch (error) {
    if (error instanceof CodedError && (error.code === 'BAD_WEAVE' || error.code === 'BAD_RECORD')) return undefined
    throw error
  }
}

const inOrder = (entries: readonly Entry[]): Entry[] => {
  const byKey = new Map(entries.map((entry) => [toHex(entry.key), entry]))
  return [...byKey.values()].sort((a, b) => compareBytes(a.key, b.key))
}

const lseq = fc
  .tuple(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(2 ** 31, 2 ** 39)), fc.constantFrom(...STREAMS))
  .map(([seq, stream]) => encodeLseq(seq, stream))
/** Digits and indexes; those of long runs too. */
const step = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 2, max: 4 }),
  fc
    .constantFrom([0xdf, 0x80], [0xe0, 1, 0x80], [0xe1, 0, 0x80], [0xf0, 0, 0, 0x80], [0xf9, 0x80], [0])
    .map((bytes) => Uint8Array.from(bytes)),
)
/** Few, so that they lie inside each other. */
const key = fc
  .array(fc.tuple(step, lseq), { minLength: 1, maxLength: 4 })
  .map((parts) => concatBytes(fromLatin1('L'), ...parts.flat()))
const text = fc
  .array(fc.constantFrom('', 'a', 'line of some length'), { minLength: 1, maxLength: 12 })
  .map((lines) => fromLatin1(lines.map((line) => `${line}\n`).join('')))
const ranges = fc
  .array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 })), { minLength: 1, maxLength: 5 })
  .map((pairs) => {
    let at = 0
    return encodeRanges(
      pairs.flatMap(([gap, more], i) => {
        const from = at + gap + (i > 0 ? 1 : 0)
        at = from + more + 1
        return [from, at]
      }),
    )
  })
const wide = fc
  .tuple(fc.nat({ max: 70_000 }), fc.nat({ max: 70_000 }))
  .map(([from, more]) => encodeRanges([from, from + more + 1]))
const origins = fc
  .tuple(fc.nat({ max: 300 }), fc.nat({ max: 300 }))
  .map(([from, more]) => encodeOrigins([{ from, to: from + more + 1, seq: 3, stream: 2 }]))
const bytes = fc.uint8Array({ maxLength: 8, max: 0x36 })
const value = fc.oneof(text, text, ranges, ranges, wide, origins, bytes)

/** A few runs, one in the other, each with what stands beside it. */
const nested = fc
  .array(
    fc.record({
      stream: fc.constantFrom(...STREAMS),
      line: fc.nat({ max: 300 }),
      inner: fc.boolean(),
      lines: fc.integer({ min: 1, max: 400 }),
      long: fc.boolean(),
      beside: fc.array(fc.tuple(lseq, fc.oneof(ranges, wide, origins)), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((runs) => {
    const entries: Entry[] = []
    let outer: Uint8Array | undefined
    for (const [i, { stream, line, inner, lines, long, beside }] of runs.entries()) {
      const left: Uint8Array | undefined = inner && outer !== undefined ? linePosition(outer, line) : undefined
      const position = runPosition(left, undefined, 'left', i + 5, stream)
      outer = position
      const many = Array.from(
        { length: lines },
        (_, n) => `${i}.${n}${long && n % 7 === 0 ? ' and on'.repeat(n) : ''}\n`,
      )
      entries.push({ key: position, value: fromLatin1(many.join('')) })
      for (const [own, what] of beside) entries.push({ key: concatBytes(position, Uint8Array.of(0), own), value: what })
    }
    return inOrder(entries.map((entry) => ({ ...entry, key: concatBytes(fromLatin1('L'), entry.key) })))
  })

const cuts = fc.array(fc.nat(), { maxLength: 3 })

describe('walk kernel', () => {
  it('gives what the walk gives, for runs inside each other', () => {
    let [given, refused] = [0, 0]
    holds(
      fc.property(nested, cuts, (entries, where) => {
        const slices = slicesOf(entries, where)
        const [here, there] = [inKernel(slices, 1), walked(slices, 1)]
        if (here === undefined) refused++
        else {
          given++
          assert.equal(here, there)
          assert.deepEqual(pieces(slices, 1, true), pieces(slices, 1, false))
        }
      }),
      2000,
    )
    assert.ok(given > 500 && refused > 10, `${given} given, ${refused} not`)
  })

  it('gives what the walk gives, or declines, for any entries', () => {
    let [given, refused] = [0, 0]
    holds(
      fc.property(fc.array(fc.record({ key, value }), { minLength: 1, maxLength: 12 }), cuts, (some, where) => {
        const slices = slicesOf(inOrder(some), where)
        const [here, there] = [inKernel(slices, 1), walked(slices, 1)]
        if (here === undefined) refused++
        else {
          given++
          assert.equal(here, there)
          assert.deepEqual(pieces(slices, 1, true), pieces(slices, 1, false))
        }
      }),
      10_000,
    )
    assert.ok(given > 500 && refused > 500, `${given} given, ${refused} not`)
  })

  it('takes beside a run what is written in the one way there is, and declines the rest', () => {
    const own = encodeLseq(1, 1)
    const run = concatBytes(Uint8Array.of(0x80), own)
    const lines = Array.from({ length: 600 }, (_, i) => `${i}\n`).join('')
    const origin = (...pair: number[]): number[] => [0x6f, 8 + pair.length, ...own, ...pair]
    const good: number[][] = [
      [0x30],
      [0x31, 5],
      [0x32, 5, 3],
      [0x33, 5, 1, 0],
      [0x34, 5, 0, 1, 1],
      [0x31, 5, 0x31, 7],
      [0x30, 0x31, 2, 0x33, 5, 1, 7],
      origin(),
      origin(5),
      origin(5, 3),
      origin(5, 1, 0),
      origin(5, 0, 1, 1),
      [...origin(5, 3), ...origin(9)],
    ]
    const bad: number[][] = [
      [0x31, 0],
      [0x32, 5, 0],
      [0x33, 5, 0, 3],
      [0x34, 5, 1, 3, 0],
      [0x31],
      [0x32, 5],
      [0x31, 5, 0x31, 6],
      [0x31, 5, 0x31, 5],
      [0x32, 5, 3, 0x31, 9],
      [0x31, 5, 0x2f],
      [0x31, 5, 0x61],
      [0x72, 1, 5],
      origin(0),
      origin(5, 0),
      origin(5, 0, 3),
      origin(5, 1, 3, 0),
      origin(5).slice(0, -1),
      [...origin(5, 3), ...origin(8)],
      [...origin(5), 0x31, 9],
      [...origin(5), 0x6f],
      [0x6f, 7, ...own.subarray(1)],
    ]
    const beside = (value: number[], seq = 2, stream = 1): Slice[] =>
      slicesOf(
        [
          { key: run, value: fromLatin1(lines) },
          { key: concatBytes(run, Uint8Array.of(0), encodeLseq(seq, stream)), value: Uint8Array.from(value) },
        ],
        [],
      )
    for (const value of good) {
      assert.equal(inKernel(beside(value), 0), walked(beside(value), 0), value.join())
      assert.notEqual(inKernel(beside(value), 0), undefined, value.join())
    }
    for (const value of bad) {
      assert.equal(walked(beside(value), 0), undefined, value.join())
      assert.equal(inKernel(beside(value), 0), undefined, value.join())
    }
    // Of another stream: origins may not be, and what is not covered is not looked at, unless it may be origins.
    assert.equal(inKernel(beside(origin(5), 2, 2), 0), undefined)
    assert.equal(walked(beside(origin(5), 2, 2), 0), undefined)
    assert.equal(inKernel(beside([0x31, 0], 30, 2), 0), lines)
    assert.equal(inKernel(beside(origin(0), 2 ** 39 + 1), 0), undefined)
  })

  it('leaves alone what stands beside a run that is not covered', () => {
    const outer = concatBytes(Uint8Array.of(0x80), encodeLseq(1, 1))
    const inner = concatBytes(linePosition(outer, 2), Uint8Array.of(0x80), encodeLseq(2, 4))
    const beside = concatBytes(inner, Uint8Array.of(0), encodeLseq(3, 1))
    const text = fromLatin1('0\n1\n2\n3\n4\n')
    const slices = slicesOf(
      [
        { key: outer, value: text },
        { key: inner, value: text },
        { key: beside, value: encodeRanges([1, 2]) },
      ],
      [],
    )
    assert.equal(walked(slices, 0), toLatin1(text))
    assert.equal(inKernel(slices, 0), toLatin1(text))
  })

  it('declines a position inside a run that is too short for one', () => {
    const outer = concatBytes(Uint8Array.of(0x80), encodeLseq(1, 1))
    const entries = [
      { key: outer, value: fromLatin1('a\n') },
      { key: concatBytes(outer, encodeLseq(5, 1)), value: fromLatin1('b\n') },
    ]
    assert.equal(inKernel(slicesOf(entries, []), 0), undefined)
  })

  it('declines keys without a position, and no entries', () => {
    const short = [{ key: encodeLseq(1, 1), value: fromLatin1('a\n') }]
    assert.equal(inKernel(slicesOf(short, []), 0), undefined)
    assert.equal(inKernel([], 1), undefined)
    assert.equal(inKernel(slicesOf([], []), 1), undefined)
  })

  it('declines values that are elsewhere', () => {
    const [first, second] = [encodeLseq(1, 1), encodeLseq(2, 1)].map((own) => concatBytes(Uint8Array.of(0x80), own))
    const [a, b] = [fromLatin1('a\n'), fromLatin1('b\n')]
    const { keys, keyStarts, keyEnds } = EntryBatch.from([
      { key: first as Uint8Array, value: a },
      { key: second as Uint8Array, value: b },
    ])
    const batch = (starts: number[], ends: number[]): Slice[] => [
      {
        batch: new EntryBatch(
          keys,
          keyStarts,
          keyEnds,
          fromLatin1('a\nb\nc\n'),
          Uint32Array.from(starts),
          Uint32Array.from(ends),
        ),
        from: 0,
        to: 2,
      },
    ]
    assert.equal(inKernel(batch([0, 2], [2, 4]), 0), 'a\nb\n')
    assert.equal(inKernel(batch([2, 0], [4, 2]), 0), undefined)
    assert.equal(walked(batch([2, 0], [4, 2]), 0), 'b\na\n')
  })

  it('declines more dead lines than it has room for, and more than it has memory for', () => {
    const run = concatBytes(Uint8Array.of(0x80), encodeLseq(1, 1))
    const many = encodeRanges(Array.from({ length: 20_000 }, (_, i) => [i * 3, i * 3 + 1]).flat())
    const entries = [2, 3].map((seq) => ({ key: concatBytes(run, Uint8Array.of(0), encodeLseq(seq, 1)), value: many }))
    entries.unshift({ key: run, value: fromLatin1('line\n'.repeat(60_000)) })
    assert.equal(inKernel(slicesOf(entries.slice(0, 2), []), 0)?.length, 5 * 40_000)
    assert.equal(pieces(slicesOf(entries.slice(0, 2), []), 0, true), undefined, 'or more records')
    assert.equal(pieces(slicesOf(entries.slice(0, 2), []), 0, false)?.length, 20_000)
    assert.equal(inKernel(slicesOf(entries, []), 0), undefined)
    assert.equal(walked(slicesOf(entries, []), 0)?.length, 5 * 40_000)
    const large = [{ key: run, value: new Uint8Array(2 ** 24).fill(10) }]
    assert.equal(inKernel(slicesOf(large, []), 0), undefined)
  })
})
