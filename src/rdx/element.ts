/**
 * Elements: stamped values of the types F, I, R, S and T, read in place.
 *
 *     bare         | stamp record | value |
 *     enveloped    | letter | length | stamp record | value |
 *
 *     F  ZipFloat64        I  ZipInt64        R  ZipUint64Pair(seq, stream)
 *     S  UTF-8             T  UTF-8, the text of a term, or empty for null
 *
 * The *identity* of an element is (letter, value bytes): what a set has once, and what a map has one value for. Sets and
 * maps are in the order of identities: letters first, then value bytes as `compareBytes` orders them.
 *
 * The *rank* decides between two elements for one place: (|rev|, is tombstone, value bytes, src), the higher wins. Where
 * all four are equal and the letters differ, which only values of one key can, the letter first in the alphabet wins; so
 * the null term with the stamp {0,0} is below everything else.
 *
 * An `ElementView` says where the parts of one element are. It is made once and filled again, so that walking and merging
 * make no garbage. Nothing here throws, whatever the bytes.
 * @module
 */
import { Buffer, isUtf8 } from 'node:buffer'
import type { Fault } from './fault.js'
import { compareRevs, compareSrcs, encodeStamp, type Stamp, StampView } from './stamp.js'
import type { TlvWriter } from './tlv.js'
import { SHORT_MAX, TINY_MAX } from './tlv.js'
import { NO_PAIR, splitPair } from './zip.js'

/** Letters of the types that elements have. */
export type FirstLetter = 'F' | 'I' | 'R' | 'S' | 'T'

/** Char codes of those letters, which is how views hold them. */
export const F = 0x46
export const I = 0x49
export const R = 0x52
export const S = 0x53
export const T = 0x54

/** Whether a char code is the letter of a type that elements have. */
export function isFirst(letter: number): boolean {
  return letter === I || letter === S || letter === T || letter === R || letter === F
}

/**
 * Where the parts of an element are: the record is `bytes[start, end)`, the element `bytes[bodyStart, end)`, the value
 * `bytes[valueStart, end)`.
 */
export class ElementView {
  bytes: Uint8Array
  /** Char code of the upper-case letter. */
  letter = 0
  /** Of the record, with its header; equal to `bodyStart` for a bare element. */
  start = 0
  bodyStart = 0
  valueStart = 0
  end = 0
  readonly stamp = new StampView()
  /** Whether values are known to be valid, so that reading them again need not check them again. */
  trusted = false

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.bytes = bytes
  }

  /**
   * Reads the bare element `bytes[start, end)` of a type.
   *
   * @returns The rule broken with its offset, or `undefined`. After a fault the fields mean nothing.
   */
  readBare(bytes: Uint8Array, letter: number, start = 0, end: number = bytes.length): Fault | undefined {
    this.bytes = bytes
    this.letter = letter
    this.start = start
    this.bodyStart = start
    this.end = end
    return this.readBody()
  }

  /** Reads stamp and value, once `bytes`, `letter`, `bodyStart` and `end` are set. */
  readBody(): Fault | undefined {
    const { bytes, bodyStart, end } = this
    const first = bodyStart < end ? (bytes[bodyStart] as number) : 0
    let stampStart = bodyStart + 1
    let length = first - 0x30
    if (length < 0 || length > TINY_MAX) {
      if (first !== 0x74) return { offset: bodyStart, rule: stampRule(first, bodyStart < end) }
      if (bodyStart + 2 > end) return { offset: bodyStart, rule: 'the stamp is cut off' }
      length = bytes[bodyStart + 1] as number
      if (length <= TINY_MAX) return { offset: bodyStart, rule: `a stamp of ${length} bytes must be tiny` }
      stampStart = bodyStart + 2
    }
    const valueStart = stampStart + length
    if (valueStart > end) return { offset: bodyStart, rule: 'the stamp is cut off' }
    const rule = this.stamp.read(bytes, stampStart, valueStart)
    if (rule !== undefined) return { offset: stampStart, rule }
    this.valueStart = valueStart
    if (this.trusted) return undefined
    const broken = valueRule(bytes, this.letter, valueStart, end)
    return broken === undefined ? undefined : { offset: valueStart, rule: broken }
  }

  /** Makes this a view of what another one views. */
  copyFrom(other: ElementView): void {
    this.bytes = other.bytes
    this.letter = other.letter
    this.start = other.start
    this.bodyStart = other.bodyStart
    this.valueStart = other.valueStart
    this.end = other.end
    this.stamp.copyFrom(other.stamp)
  }
}

function stampRule(first: number, present: boolean): string {
  if (!present) return 'the element has no stamp'
  return `no stamp begins with byte 0x${first.toString(16).padStart(2, '0')}`
}

/** The rule that `bytes[start, end)` breaks as a value of a type, `undefined` when it is one. */
function valueRule(bytes: Uint8Array, letter: number, start: number, end: number): string | undefined {
  switch (letter) {
    case I:
      return integerRule(bytes, start, end)
    case S:
    case T:
      return isUtf8Range(bytes, start, end) ? undefined : 'the text is not valid UTF-8'
    case R: {
      const middle = splitPair(bytes, start, end)
      if (middle >= 0) return undefined
      return middle === NO_PAIR ? `no pair has ${end - start} bytes` : 'the pair is overlong'
    }
    case F:
      return integerRule(bytes, start, end) ?? (isNaNValue(bytes, start, end) ? 'the float is NaN' : undefined)
    default:
      return `no element has the type "${String.fromCharCode(letter)}"`
  }
}

/** The rule that `bytes[start, end)` breaks as a zipped integer, `undefined` when it is one. */
export function integerRule(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > 8) return `a number has at most 8 bytes, this one ${end - start}`
  if (end > start && bytes[end - 1] === 0) return 'the number is overlong: its last byte is zero'
  return undefined
}

/**
 * Whether a zipped float is NaN. Its bits are in reverse: sign in bit 0, exponent in bits 1 to 11, all ones for NaN and
 * the infinities, and a fraction above, which is zero for the infinities only.
 */
function isNaNValue(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 2 || ((bytes[start] as number) & 0xfe) !== 0xfe) return false
  const second = bytes[start + 1] as number
  return (second & 0x0f) === 0x0f && (end - start > 2 || second > 0x0f)
}

/** Up to this many bytes of ASCII are checked without a native call, which takes 100 ns and more. */
const ASCII_LOOP = 128

/** Whether `bytes[start, end)` is valid UTF-8. */
export function isUtf8Range(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start <= ASCII_LOOP) {
    let at = start
    while (at < end && (bytes[at] as number) < 0x80) at++
    if (at === end) return true
  }
  return isUtf8(bytes.subarray(start, end))
}

/** This many bytes are compared in a loop first: most pairs differ early, and a native call takes 100 ns. */
const COMPARE_LOOP = 32

/** Node's comparison of parts, called on plain `Uint8Array`s; see base/bytes.ts. */
const native = Buffer.prototype as unknown as {
  compare(
    this: Uint8Array,
    target: Uint8Array,
    targetStart: number,
    targetEnd: number,
    start: number,
    end: number,
  ): number
}

/** Orders `a[aStart, aEnd)` and `b[bStart, bEnd)` as `compareBytes` does. */
export function compareRanges(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const shared = Math.min(aEnd - aStart, bEnd - bStart)
  const looped = Math.min(shared, COMPARE_LOOP)
  for (let i = 0; i < looped; i++) {
    const difference = (a[aStart + i] as number) - (b[bStart + i] as number)
    if (difference !== 0) return difference
  }
  if (looped === shared) return aEnd - aStart - (bEnd - bStart)
  return native.compare.call(a, b, bStart + looped, bEnd, aStart + looped, aEnd)
}

/** Orders by identity: letter, then value bytes. 0 for elements that a set cannot both have. */
export function compareIdentity(a: ElementView, b: ElementView): number {
  return a.letter - b.letter || compareRanges(a.bytes, a.valueStart, a.end, b.bytes, b.valueStart, b.end)
}

/** Orders by rank. 0 only for elements with equal letter, stamp and value. */
export function compareRank(a: ElementView, b: ElementView): number {
  return (
    compareRevs(a.stamp, b.stamp) ||
    compareRanges(a.bytes, a.valueStart, a.end, b.bytes, b.valueStart, b.end) ||
    compareSrcs(a.stamp, b.stamp) ||
    b.letter - a.letter
  )
}

/** Appends an enveloped element. Throws `RDX_VALUE` for a stamp out of range; the value is the caller's to keep right. */
export function writeElement(writer: TlvWriter, letter: FirstLetter, stamp: Stamp, value: Uint8Array): TlvWriter {
  return writer.begin(letter).tiny('T', encodeStamp(stamp)).raw(value).end()
}

/**
 * Walks the records of `bytes[start, end)` in place. `next` answers whether there is one more; when it answers no, `fault`
 * tells a broken rule from the end.
 */
export class RecordCursor {
  readonly view: ElementView
  /** The rule that the bytes break, once `next` has met it. */
  fault: Fault | undefined
  /** Where the next record begins. */
  offset: number
  readonly end: number

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.view = new ElementView(bytes)
    this.offset = start
    this.end = end
  }

  /** Says that all values have been checked. */
  trust(): this {
    this.view.trusted = true
    return this
  }

  /** Steps to the next record, of any letter. Its header is read and nothing of its body. A tiny record is a fault. */
  next(): boolean {
    const { view, end } = this
    const start = this.offset
    if (start >= end || this.fault !== undefined) return false
    const { bytes } = view
    const first = bytes[start] as number
    let bodyStart = start + 2
    let length: number
    if (first >= 0x61 && first <= 0x7a) {
      if (bodyStart > end) return this.fail(start, 'the header of a record is cut off')
      length = bytes[start + 1] as number
      view.letter = first - 0x20
    } else if (first >= 0x41 && first <= 0x5a) {
      bodyStart = start + 5
      if (bodyStart > end) return this.fail(start, 'the header of a record is cut off')
      length =
        ((bytes[start + 1] as number) |
          ((bytes[start + 2] as number) << 8) |
          ((bytes[start + 3] as number) << 16) |
          ((bytes[start + 4] as number) << 24)) >>>
        0
      if (length <= SHORT_MAX) return this.fail(start, `a long record of ${length} bytes must be short`)
      view.letter = first
    } else {
      return this.fail(start, `no record begins with byte 0x${first.toString(16).padStart(2, '0')} here`)
    }
    if (bodyStart + length > end) {
      return this.fail(start, `a record of ${length} bytes is cut off after ${end - bodyStart}`)
    }
    view.start = start
    view.bodyStart = bodyStart
    view.end = bodyStart + length
    this.offset = view.end
    return true
  }

  /** Steps to the next record, which must be an element. */
  nextElement(): boolean {
    if (!this.next()) return false
    const { view } = this
    if (!isFirst(view.letter)) {
      return this.fail(view.start, `no element has the type "${String.fromCharCode(view.letter)}"`)
    }
    const fault = view.readBody()
    if (fault === undefined) return true
    this.fault = fault
    return false
  }

  /** Ends the walk with a fault. Answers `false`, so that `next` can return it. */
  fail(offset: number, rule: string): false {
    this.fault = { offset, rule }
    return false
  }
}
