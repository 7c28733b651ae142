/**
 * Writes the text form: the other half of text.ts, which says what the forms are.
 *
 * The text is written as UTF-8 bytes and made a string in the end. Values come as bytes, and most of them go out as they
 * came or as a few digits, so that no string is made for any of them; that is three times as fast as joining strings.
 * @module
 */
import { Buffer } from 'node:buffer'
import { type ElementView, F, I, R, S } from './element.js'
import type { StampView } from './stamp.js'
import { halfAt, splitPair, unzipFloat64, unzipInt64 } from './zip.js'

const TWO_32 = 0x1_0000_0000
const QUOTE = 0x22
const BACKSLASH = 0x5c
const HEX = '0123456789abcdef'
const WORD = /^[A-Za-z_][A-Za-z0-9_]*$/

/** What JSON writes for control characters that have a short escape. */
const SHORT_ESCAPES = new Map([
  [0x08, 0x62],
  [0x09, 0x74],
  [0x0a, 0x6e],
  [0x0c, 0x66],
  [0x0d, 0x72],
])

/** Node's slicer and writer, called on plain `Uint8Array`s; see base/bytes.ts. */
const native = Buffer.prototype as unknown as {
  utf8Slice(this: Uint8Array, start: number, end: number): string
}

/** Appends to a text. */
export class TextWriter {
  #bytes: Uint8Array
  #length = 0

  /** @param capacity - Bytes to set aside at first. */
  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity)
  }

  /** Appends ASCII. */
  ascii(text: string): this {
    this.#reserve(text.length)
    for (let i = 0; i < text.length; i++) this.#bytes[this.#length++] = text.charCodeAt(i)
    return this
  }

  /** Appends an element: its value, and its stamp behind it in the exact form. */
  element(view: ElementView, exact: boolean): this {
    this.value(view)
    return exact && !view.stamp.isZero ? this.stamp(view.stamp) : this
  }

  /** Appends an element's value. */
  value({ bytes, letter, valueStart, end }: ElementView): this {
    if (letter === I) return this.#integer(bytes, valueStart, end)
    if (letter === S) return this.#quoted(bytes, valueStart, end)
    if (letter === F) return this.ascii(formatFloat(unzipFloat64(bytes.subarray(valueStart, end))))
    if (letter === R) {
      const middle = splitPair(bytes, valueStart, end)
      return this.ascii(`${hexNumber(bytes, middle, end)}-${hexNumber(bytes, valueStart, middle)}`)
    }
    return this.#term(bytes, valueStart, end)
  }

  /** Appends `{rev,src}`. */
  stamp(stamp: StampView): this {
    this.#reserve(64)
    this.#bytes[this.#length++] = 0x7b
    if (stamp.dead) this.#bytes[this.#length++] = 0x2d
    this.#unsigned(stamp.absHigh, stamp.absLow)
    this.#bytes[this.#length++] = 0x2c
    this.#unsigned(stamp.srcHigh, stamp.srcLow)
    this.#bytes[this.#length++] = 0x7d
    return this
  }

  /** The text; undefined, where it is longer than a string can be. */
  finish(): string | undefined {
    try {
      return native.utf8Slice.call(this.#bytes, 0, this.#length)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_STRING_TOO_LONG') return undefined
      throw error
    }
  }

  /** Appends a zipped integer. */
  #integer(bytes: Uint8Array, start: number, end: number): this {
    if (end - start > 6) return this.ascii(unzipInt64(bytes.subarray(start, end)).toString())
    const zig = halfAt(bytes, start + 4, end) * TWO_32 + halfAt(bytes, start, end)
    this.#reserve(24)
    if (zig % 2 === 1) this.#bytes[this.#length++] = 0x2d
    this.#digits(zig % 2 === 1 ? (zig + 1) / 2 : zig / 2)
    return this
  }

  #unsigned(high: number, low: number): void {
    if (high < 0x20_0000) this.#digits(high * TWO_32 + low)
    else this.ascii(((BigInt(high) << 32n) | BigInt(low)).toString())
  }

  /** Appends the decimal digits of a number under 2^53, for which there is room. */
  #digits(number: number): void {
    let length = 1
    for (let bound = 10; number >= bound; bound *= 10) length++
    let rest = number
    for (let at = this.#length + length - 1; at >= this.#length; at--) {
      const tenth = Math.floor(rest / 10)
      this.#bytes[at] = 0x30 + rest - 10 * tenth
      rest = tenth
    }
    this.#length += length
  }

  /** Appends UTF-8 as a JSON string, escaped where JSON.stringify escapes. */
  #quoted(source: Uint8Array, start: number, end: number): this {
    this.#reserve(quotedLength(source, start, end))
    const bytes = this.#bytes
    let to = this.#length
    bytes[to++] = QUOTE
    for (let from = start; from < end; from++) {
      const byte = source[from] as number
      if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) {
        bytes[to++] = byte
        continue
      }
      bytes[to++] = BACKSLASH
      if (byte >= 0x20) bytes[to++] = byte
      else to = escapeControl(bytes, to, byte)
    }
    bytes[to++] = QUOTE
    this.#length = to
    return this
  }

  #term(bytes: Uint8Array, start: number, end: number): this {
    if (start === end) return this.ascii('null')
    const text = native.utf8Slice.call(bytes, start, end)
    if (WORD.test(text) && text !== 'null' && text !== 'inf') return this.ascii(text)
    return this.ascii('t').#quoted(bytes, start, end)
  }

  #reserve(more: number): void {
    const need = this.#length + more
    if (need <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(need, 2 * this.#bytes.length))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}

/** Up to this many bytes, room is made for the worst case without looking: six bytes for each. */
const SHORT = 256

/** Bytes that `source[start, end)` may take as a JSON string. */
function quotedLength(source: Uint8Array, start: number, end: number): number {
  const length = end - start
  if (length <= SHORT) return 6 * length + 2
  let escapes = 0
  for (let at = start; at < end; at++) {
    const byte = source[at] as number
    if (byte < 0x20 || byte === QUOTE || byte === BACKSLASH) escapes++
  }
  return length + 5 * escapes + 2
}

/** Writes what stands behind the backslash for a control character, and answers where it ends. */
function escapeControl(bytes: Uint8Array, at: number, control: number): number {
  const short = SHORT_ESCAPES.get(control)
  if (short !== undefined) {
    bytes[at] = short
    return at + 1
  }
  const code = `u00${HEX[control >> 4]}${HEX[control & 15]}`
  for (let i = 0; i < code.length; i++) bytes[at + i] = code.charCodeAt(i)
  return at + code.length
}

/** Shortest decimal that reads back as this float, with a dot. */
export function formatFloat(value: number): string {
  if (value === Infinity) return 'inf'
  if (value === -Infinity) return '-inf'
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  if (text.includes('.')) return text
  const exponent = text.indexOf('e')
  return exponent < 0 ? `${text}.0` : `${text.slice(0, exponent)}.0${text.slice(exponent)}`
}

function hexNumber(bytes: Uint8Array, start: number, end: number): string {
  const high = halfAt(bytes, start + 4, end)
  const low = halfAt(bytes, start, end).toString(16)
  return high === 0 ? low : high.toString(16) + low.padStart(8, '0')
}
