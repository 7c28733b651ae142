/**
 * Records that hold a pair {value, src} and are sorted by src, one for each: the bodies of types N and V.
 *
 *     | letter | n | ZipUint64Pair(value, src) |     value of [1, 2^64), src of [0, 2^64)
 *
 * A value of 0 says no more than no record at all, so it is refused: one state, one encoding. The merge of both types is
 * the greatest value for each src. No pair is a stamp: the value is not zigzagged.
 * @module
 */
import { type ElementView, RecordCursor } from './element.js'
import { valueError } from './fault.js'
import { describe } from './native.js'
import type { SortedRules } from './sorted.js'
import { compareSrcs, SRC_MAX } from './stamp.js'
import type { TextReader } from './text.js'
import { type Letter, TlvWriter } from './tlv.js'
import { halfAt, NO_PAIR, splitPair, zipPair, zipUint64Pair } from './zip.js'

/** An unsigned integer: a `number` where that holds it, else a `bigint`. Two of them compare with `<` in any mixture. */
export type Integer = number | bigint

/** The integer of two unsigned halves. */
export function integer(high: number, low: number): Integer {
  return high < 0x20_0000 ? high * 0x1_0000_0000 + low : (BigInt(high) << 32n) | BigInt(low)
}

/** Orders two integers. */
export function compareIntegers(a: Integer, b: Integer): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Steps to the next pair; its value is in `abs` of the view's stamp, its src in `src`. */
function nextPair(cursor: RecordCursor, letter: number): boolean {
  if (!cursor.next()) return false
  const { view } = cursor
  const { bytes, bodyStart, end, stamp } = view
  if (view.letter !== letter) {
    const [wish, found] = [letter, view.letter].map((code) => String.fromCharCode(code))
    return cursor.fail(view.start, `expected a record of type "${wish}", found "${found}"`)
  }
  const middle = splitPair(bytes, bodyStart, end)
  if (middle < 0) {
    const rule = middle === NO_PAIR ? `no pair has ${end - bodyStart} bytes` : 'the pair is overlong'
    return cursor.fail(bodyStart, rule)
  }
  stamp.absLow = halfAt(bytes, bodyStart, middle)
  stamp.absHigh = halfAt(bytes, bodyStart + 4, middle)
  stamp.srcLow = halfAt(bytes, middle, end)
  stamp.srcHigh = halfAt(bytes, middle + 4, end)
  if ((stamp.absLow | stamp.absHigh) === 0) return cursor.fail(bodyStart, 'a value of 0 must be left out')
  return true
}

/** Orders the views of two pairs by src. */
function orderPairs(a: ElementView, b: ElementView): number {
  return compareSrcs(a.stamp, b.stamp)
}

/** The rules of bodies whose records have one letter. */
export function pairRules(letter: Letter): SortedRules<RecordCursor> {
  const code = letter.charCodeAt(0)
  return {
    slack: 0,
    cursor: (body) => new RecordCursor(body),
    next: (cursor) => nextPair(cursor, code),
    order: orderPairs,
    take: (best, cursor) => best.view.copyFrom(cursor.view),
    join: (best, { view }) => {
      const [a, b] = [best.view.stamp, view.stamp]
      if ((b.absHigh - a.absHigh || b.absLow - a.absLow) > 0) best.view.copyFrom(view)
    },
    emit: ({ view }, output) => output.add(view.bytes, view.start, view.end),
  }
}

/** Pairs of a valid body, by src. */
export function decodePairs(body: Uint8Array, rules: SortedRules<RecordCursor>): Map<bigint, bigint> {
  const pairs = new Map<bigint, bigint>()
  const cursor = rules.cursor(body)
  while (rules.next(cursor)) pairs.set(cursor.view.stamp.src, cursor.view.stamp.abs)
  return pairs
}

/**
 * Body of pairs, given by src.
 *
 * @throws {CodedError} `RDX_VALUE` for an integer out of range, or a value of 0.
 */
export function encodePairs(pairs: ReadonlyMap<Integer, Integer>, letter: Letter): Uint8Array {
  const writer = new TlvWriter(16 * pairs.size + 16)
  for (const [src, value] of [...pairs].sort(([a], [b]) => compareIntegers(a, b))) {
    check(src, 'An author', 0)
    check(value, 'A value', 1)
    const small = typeof src === 'number' && typeof value === 'number'
    writer.record(letter, small ? zipPair(value, src) : zipUint64Pair(BigInt(value), BigInt(src)))
  }
  return writer.copy()
}

function check(value: Integer, what: string, least: number): void {
  const whole = typeof value === 'bigint' || Number.isSafeInteger(value)
  if (whole && value >= least && value <= SRC_MAX) return
  throw valueError(`${what} must be an integer from ${least} to 2^64 - 1, not ${describe(value)}.`)
}

/** Text of a valid body: `X<{value,src},...>`. */
export function formatPairs(body: Uint8Array, rules: SortedRules<RecordCursor>, name: string): string {
  let text = `${name}<`
  const cursor = rules.cursor(body)
  for (let comma = ''; rules.next(cursor); comma = ',') {
    const { stamp } = cursor.view
    text += `${comma}{${integer(stamp.absHigh, stamp.absLow)},${integer(stamp.srcHigh, stamp.srcLow)}}`
  }
  return `${text}>`
}

/** Reads what `formatPairs` writes, and appends the body. The pairs must be in order, as they must in bytes. */
export function readPairText(reader: TextReader, writer: TlvWriter, letter: Letter, name: string): void {
  let last = -1n
  reader.list(`${name}<`, '>', () => {
    reader.peek()
    const { at } = reader
    const { rev: value, src } = reader.pair(1n, SRC_MAX)
    if (src <= last) throw reader.fail(src === last ? 'the author stands twice' : 'the authors are not in order', at)
    last = src
    writer.record(letter, zipUint64Pair(value, src))
  })
}
