/**
 * Native values of elements, and their bytes.
 *
 *     F  number                 I  bigint          R  { seq, stream }, both bigint
 *     S  string                 T  { term } with a text that is not empty, or null
 *
 * The kind of a value tells its type, so that a set of mixed types reads as an array and is made from one. An integer is
 * a `bigint` everywhere, since a `number` is a float.
 * @module
 */
import { decodeUtf8, encodeUtf8 } from '../base/bytes.js'
import { type ElementView, F, type FirstLetter, I, R, S } from './element.js'
import { valueError } from './fault.js'
import { SRC_MAX } from './stamp.js'
import { unzipFloat64, unzipInt64, unzipUint64Pair, zipFloat64, zipInt64, zipUint64Pair } from './zip.js'

/** An id: of an entry of the log, or of whatever else is named by a number and its author. */
export interface Ref {
  /** In [0, 2^64). */
  readonly seq: bigint
  /** In [0, 2^64). */
  readonly stream: bigint
}

/** A word, such as a name that a program gives meaning to. */
export interface Term {
  readonly term: string
}

/** The value of any element. */
export type Native = number | bigint | string | null | Ref | Term

/** The type and the value bytes of a native value. */
export interface Encoded {
  readonly letter: FirstLetter
  readonly value: Uint8Array
}

const LONE_SURROGATE = /\p{Surrogate}/u

/**
 * Encodes a native value.
 *
 * @throws {CodedError} `RDX_VALUE` for what no type holds: NaN, integers over 64 bits, half a surrogate pair, other objects.
 */
export function encodeNative(native: Native): Encoded {
  switch (typeof native) {
    case 'number':
      if (Number.isNaN(native)) throw valueError('NaN is no float: it has many encodings and equals nothing.')
      return { letter: 'F', value: zipFloat64(native) }
    case 'bigint':
      return { letter: 'I', value: zipInt64(int64(native)) }
    case 'string':
      return { letter: 'S', value: encodeText(native) }
    case 'object':
      if (native === null) return { letter: 'T', value: new Uint8Array(0) }
      if ('term' in native) return { letter: 'T', value: encodeTerm(native) }
      if ('seq' in native && 'stream' in native) return { letter: 'R', value: encodeRef(native) }
  }
  throw valueError(`No type holds a value like ${describe(native)}.`)
}

/** What a value is, in words short enough for a message. */
export function describe(value: unknown): string {
  if (value === null || typeof value === 'object') return value === null ? 'null' : 'this object'
  return typeof value === 'string' ? 'this string' : `the ${typeof value} ${String(value)}`
}

/**
 * An integer of 64 bits, given as a `bigint` or as a `number` that holds it exactly.
 *
 * @throws {CodedError} `RDX_VALUE` for anything else.
 */
export function int64(native: bigint | number): bigint {
  const value = wholeNumber(native)
  if (value !== BigInt.asIntN(64, value)) throw valueError(`${value} does not fit in 64 bits.`)
  return value
}

/**
 * An integer, given as a `bigint` or as a `number` that holds it exactly.
 *
 * @throws {CodedError} `RDX_VALUE` for anything else.
 */
export function wholeNumber(native: bigint | number): bigint {
  if (typeof native === 'bigint') return native
  if (Number.isSafeInteger(native) && !Object.is(native, -0)) return BigInt(native)
  throw valueError(`An integer was expected, not ${describe(native)}.`)
}

/**
 * The items of a collection.
 *
 * @throws {CodedError} `RDX_VALUE` for what is none; a string is a value here, not a collection of its letters.
 */
export function itemsOf<T>(native: Iterable<T>): T[] {
  if (typeof native === 'object' && native !== null && Symbol.iterator in native) return [...native]
  throw valueError(`A collection was expected, not ${describe(native)}.`)
}

/**
 * The pairs of a collection of pairs.
 *
 * @throws {CodedError} `RDX_VALUE` for what is none.
 */
export function pairsOf<A, B>(native: Iterable<readonly [A, B]>): (readonly [A, B])[] {
  const pairs = itemsOf(native)
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) throw valueError(`A pair was expected, not ${describe(pair)}.`)
  }
  return pairs
}

/**
 * An author.
 *
 * @throws {CodedError} `RDX_VALUE` unless it is in [0, 2^64).
 */
export function author(src: bigint): bigint {
  if (typeof src === 'bigint' && src >= 0n && src <= SRC_MAX) return src
  throw valueError(`An author must be an integer from 0 to 2^64 - 1, not ${describe(src)}.`)
}

function encodeText(text: string): Uint8Array {
  if (LONE_SURROGATE.test(text)) throw valueError('The text has half of a surrogate pair, which UTF-8 cannot hold.')
  return encodeUtf8(text)
}

function encodeTerm({ term }: Term): Uint8Array {
  if (typeof term !== 'string' || term === '') throw valueError('A term must be a text that is not empty.')
  return encodeText(term)
}

function encodeRef({ seq, stream }: Ref): Uint8Array {
  for (const part of [seq, stream]) {
    if (typeof part !== 'bigint' || part < 0n || part > SRC_MAX) {
      throw valueError(`The parts of an id must be integers from 0 to 2^64 - 1, not ${describe(part)}.`)
    }
  }
  return zipUint64Pair(seq, stream)
}

/** The native value of an element, whatever its stamp. */
export function decodeNative({ bytes, letter, valueStart, end }: ElementView): Native {
  const value = bytes.subarray(valueStart, end)
  if (letter === I) return unzipInt64(value)
  if (letter === F) return unzipFloat64(value)
  if (letter === R) {
    const { big, lil } = unzipUint64Pair(value)
    return { seq: big, stream: lil }
  }
  const text = decodeUtf8(value) as string
  if (letter === S) return text
  return text === '' ? null : { term: text }
}
