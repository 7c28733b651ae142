/**
 * The text form of elements, and the strict reader that all types parse with. The writer is in text-writer.ts.
 *
 *     F  1.0  -0.5  1.0e-7  inf  -inf     always with a dot, so that it is no integer and no id
 *     I  -11                              no leading zeros, no -0
 *     R  5e95ba-1                         stream-seq, lower-case hex without leading zeros
 *     S  "a JSON string"
 *     T  word  null  t"any text"          null is the empty term; a term that is no word, or null or inf, is quoted
 *
 * A stamp follows its value with nothing between, `-11{4,5}`; {0,0} is left out. White space may stand around every token
 * and inside of none. Since elements do not nest, nothing here is recursive.
 *
 * The reader works on char codes and regular expressions at a place (`y`), and counts lines only for an error.
 * @module
 */
import { encodeUtf8 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { FirstLetter } from './element.js'
import { encodeStamp, REV_MAX, SRC_MAX, type Stamp, ZERO_STAMP } from './stamp.js'
import type { TlvWriter } from './tlv.js'
import { zipFloat64, zipInt, zipInt64, zipPair, zipUint64Pair } from './zip.js'

/** Chars of numbers, ids and words; a run of them is one token. */
const TOKEN = /[A-Za-z0-9_+.-]+/y
const INTEGER = /^-?(?:0|[1-9]\d{0,18})$/
const FLOAT = /^-?(?:0|[1-9]\d*)\.\d+(?:e[+-]?\d+)?$/
const ID = /^(0|[1-9a-f][0-9a-f]{0,15})-(0|[1-9a-f][0-9a-f]{0,15})$/
const WORD = /^[A-Za-z_][A-Za-z0-9_]*$/
/** Twenty digits hold 2^64, and a number is never longer: text cannot make big arithmetic. */
const STAMP = /\{(-?(?:0|[1-9]\d{0,19})),(0|[1-9]\d{0,19})\}/y
const NUMBER = /-?(?:0|[1-9]\d{0,19})/y
const LONE_SURROGATE = /\p{Surrogate}/u

/** Up to this many chars a loop beats the native encoder. */
const SHORT_TEXT = 48

/** What stands for all kinds of white space in a text. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

/** Whether a char can belong to a number, an id or a word. */
function isTokenChar(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    code === 0x2d ||
    code === 0x5f ||
    code === 0x2e ||
    code === 0x2b
  )
}

/** Bytes of the stamp {0,0}: none. */
const ZERO = encodeStamp(ZERO_STAMP)

/** Reads a text token by token. Every method that reads steps over white space first. */
export class TextReader {
  readonly text: string
  /** Where the next token is looked for. */
  at = 0
  /** What `value` read last: its type. */
  letter: FirstLetter = 'I'
  /** What `value` read last: its bytes. */
  bytes: Uint8Array = new Uint8Array(0)

  constructor(text: string) {
    this.text = text
  }

  /** Steps over white space and answers the char code that follows, NaN at the end. */
  peek(): number {
    const { text } = this
    let code = text.charCodeAt(this.at)
    while (isSpace(code)) code = text.charCodeAt(++this.at)
    return code
  }

  /** Whether everything but white space has been read. */
  get atEnd(): boolean {
    return Number.isNaN(this.peek())
  }

  /** Steps over a char if it is next. */
  take(char: string): boolean {
    if (this.peek() !== char.charCodeAt(0)) return false
    this.at++
    return true
  }

  /** Steps over a word of punctuation or letters, which must be next. */
  expect(token: string): void {
    this.peek()
    if (!this.text.startsWith(token, this.at)) throw this.fail(`expected ${token}, found ${this.found()}`)
    this.at += token.length
  }

  /** Checks that nothing but white space is left. */
  end(): void {
    if (!this.atEnd) throw this.fail(`expected the end, found ${this.found()}`)
  }

  /**
   * Reads items between two brackets, with commas between them.
   *
   * @param item - Reads one item from where the reader stands.
   */
  list(open: string, close: string, item: () => void): void {
    this.expect(open)
    if (this.take(close)) return
    do item()
    while (this.take(','))
    this.peek()
    if (!this.text.startsWith(close, this.at)) throw this.fail(`expected , or ${close}, found ${this.found()}`)
    this.at += close.length
  }

  /** Reads an element, value and stamp, and appends it enveloped. */
  element(writer: TlvWriter): void {
    this.value()
    writer.begin(this.letter).tiny('T', this.stampBytes()).raw(this.bytes).end()
  }

  /** Reads an element of one type and appends it bare. */
  bare(writer: TlvWriter, letter: FirstLetter): void {
    this.peek()
    const start = this.at
    this.value()
    if (this.letter !== letter) {
      throw this.fail(`expected a value of type ${letter}, found one of type ${this.letter}`, start)
    }
    writer.tiny('T', this.stampBytes()).raw(this.bytes)
  }

  /** Reads a value, without its stamp, into `letter` and `bytes`. */
  value(): void {
    const code = this.peek()
    if (code === 0x22) {
      this.letter = 'S'
      this.bytes = this.shortQuoted() ?? encodeUtf8(this.quoted())
      return
    }
    if (this.smallInteger(code)) return
    const start = this.at
    TOKEN.lastIndex = start
    const token = TOKEN.exec(this.text)?.[0]
    if (token === undefined) throw this.fail(`expected a value, found ${this.found()}`)
    this.at += token.length
    if (token === 't' && this.text.charCodeAt(this.at) === 0x22) {
      this.letter = 'T'
      this.bytes = encodeUtf8(this.quoted())
    } else this.token(token, start)
  }

  /** Reads the stamp that follows at once, {0,0} when there is none. */
  stamp(): Stamp {
    if (this.text.charCodeAt(this.at) !== 0x7b) return ZERO_STAMP
    return this.pair(-REV_MAX, REV_MAX)
  }

  /** Bytes of the stamp that follows at once, as `stamp` reads it. Most have few digits: no `bigint` is made for them. */
  stampBytes(): Uint8Array {
    const { text } = this
    let at = this.at
    if (text.charCodeAt(at) !== 0x7b) return ZERO
    const negative = text.charCodeAt(++at) === 0x2d
    if (negative) at++
    const revStart = at
    let rev = 0
    for (
      let code = text.charCodeAt(at);
      code >= 0x30 && code <= 0x39 && at - revStart < 10;
      code = text.charCodeAt(++at)
    ) {
      rev = rev * 10 + code - 0x30
    }
    const comma = at++
    const srcStart = at
    let src = 0
    for (
      let code = text.charCodeAt(at);
      code >= 0x30 && code <= 0x39 && at - srcStart < 10;
      code = text.charCodeAt(++at)
    ) {
      src = src * 10 + code - 0x30
    }
    // What has more digits, leading zeros, a -0, or is wrong goes the long way.
    const plain = text.charCodeAt(comma) === 0x2c && text.charCodeAt(at) === 0x7d
    const revSound = comma > revStart && (text.charCodeAt(revStart) !== 0x30 || (comma === revStart + 1 && !negative))
    const srcSound = at > srcStart && (text.charCodeAt(srcStart) !== 0x30 || at === srcStart + 1)
    if (!plain || !revSound || !srcSound) return encodeStamp(this.stamp())
    this.at = at + 1
    const zig = negative ? 2 * rev - 1 : 2 * rev
    return zig < 0x100 && src < 0x100 && src > 0 ? Uint8Array.of(zig, src) : zipPair(zig, src)
  }

  /** Reads `{a,b}`, two integers: `a` within the bounds given, `b` of 64 bits without a sign. */
  pair(least: bigint, greatest: bigint): Stamp {
    this.peek()
    STAMP.lastIndex = this.at
    const match = STAMP.exec(this.text)
    if (match === null) throw this.fail(`expected {number,number}, found ${this.found()}`)
    const [whole, first, second] = match as unknown as [string, string, string]
    const rev = BigInt(first)
    const src = BigInt(second)
    if (first === '-0' || rev < least || rev > greatest || src > SRC_MAX) {
      throw this.fail(`${whole} is out of range`)
    }
    this.at += whole.length
    return { rev, src }
  }

  /** Reads an integer of at most 20 digits, within the bounds given. */
  integer(least: bigint, greatest: bigint): bigint {
    this.peek()
    NUMBER.lastIndex = this.at
    const token = NUMBER.exec(this.text)?.[0]
    if (token === undefined || isTokenChar(this.text.charCodeAt(this.at + token.length))) {
      throw this.fail(`expected an integer, found ${this.found()}`)
    }
    const value = BigInt(token)
    if (token === '-0' || value < least || value > greatest) throw this.fail(`${token} is out of range`)
    this.at += token.length
    return value
  }

  /** The error of a text that cannot be read on: `RDX_TEXT` with line and column, both from 1, in UTF-16 units. */
  fail(problem: string, at: number = this.at): CodedError {
    const before = this.text.slice(0, at)
    const line = before.split('\n').length
    const column = at - before.lastIndexOf('\n')
    return new CodedError('RDX_TEXT', `Line ${line}, column ${column}: ${problem}.`, {
      data: { line, column, offset: at, rule: problem },
    })
  }

  /** What stands at the place of an error, in words. */
  found(): string {
    const { text, at } = this
    if (at >= text.length) return 'the end'
    TOKEN.lastIndex = at
    const token = TOKEN.exec(text)?.[0] ?? String.fromCodePoint(text.codePointAt(at) as number)
    return token.length > 24 ? `${token.slice(0, 24)}...` : token
  }

  /** Reads an integer of at most 15 digits, which most values are, without making a string. */
  private smallInteger(first: number): boolean {
    const { text } = this
    const digits = first === 0x2d ? this.at + 1 : this.at
    let at = digits
    let number = 0
    let code = text.charCodeAt(at)
    while (code >= 0x30 && code <= 0x39) {
      number = number * 10 + code - 0x30
      code = text.charCodeAt(++at)
    }
    const length = at - digits
    if (length === 0 || length > 15 || isTokenChar(code)) return false
    if (length > 1 && text.charCodeAt(digits) === 0x30) return false
    if (number === 0 && digits > this.at) return false
    this.at = at
    this.letter = 'I'
    this.bytes = zipInt(first === 0x2d ? -number : number)
    return true
  }

  private token(token: string, start: number): void {
    if (!token.includes('.') && INTEGER.test(token) && token !== '-0') {
      const value = BigInt(token)
      if (value !== BigInt.asIntN(64, value)) throw this.fail(`${token} does not fit in 64 bits`, start)
      this.letter = 'I'
      this.bytes = zipInt64(value)
      return
    }
    if (token === 'inf' || token === '-inf' || FLOAT.test(token)) {
      const value = token === 'inf' ? Infinity : token === '-inf' ? -Infinity : Number(token)
      if (!Number.isFinite(value) && !token.endsWith('inf')) throw this.fail('the float is too large', start)
      this.letter = 'F'
      this.bytes = zipFloat64(value)
      return
    }
    const id = ID.exec(token)
    if (id !== null) {
      this.letter = 'R'
      this.bytes = zipUint64Pair(BigInt(`0x${id[2]}`), BigInt(`0x${id[1]}`))
      return
    }
    this.at = start
    if (!WORD.test(token)) throw this.fail(`${this.found()} is no value`)
    this.at += token.length
    this.letter = 'T'
    this.bytes = token === 'null' ? new Uint8Array(0) : encodeUtf8(token)
  }

  /** Reads a string that begins here if it is short, of ASCII and without escapes, as most are: no string is made of it. */
  private shortQuoted(): Uint8Array | undefined {
    const { text } = this
    const start = this.at + 1
    let end = start
    for (let code = text.charCodeAt(end); code !== 0x22; code = text.charCodeAt(++end)) {
      // Past the end the code is NaN.
      if (!(code >= 0x20 && code < 0x7f) || code === 0x5c || end - start === SHORT_TEXT) return undefined
    }
    const bytes = new Uint8Array(end - start)
    for (let i = start; i < end; i++) bytes[i - start] = text.charCodeAt(i)
    this.at = end + 1
    return bytes
  }

  /** Reads the JSON string that begins here. */
  private quoted(): string {
    const { text } = this
    const start = this.at
    let at = start + 1
    let escapes = false
    let odd = false
    for (;;) {
      const code = text.charCodeAt(at)
      if (code === 0x22) break
      if (code === 0x5c) {
        escapes = true
        at++
      } else if (code < 0x20) throw this.fail('a control character in a string must be escaped', at)
      else if (code >= 0xd800 && code <= 0xdfff) odd = true
      if (at >= text.length) throw this.fail('the string is not closed', start)
      at++
    }
    this.at = at + 1
    let value = text.slice(start + 1, at)
    if (escapes) {
      const escaped = unescaped(text.slice(start, at + 1))
      if (escaped === undefined) throw this.fail('the string has an escape that JSON has not', start)
      value = escaped
    }
    if ((odd || escapes) && LONE_SURROGATE.test(value)) {
      throw this.fail('the string has half of a surrogate pair', start)
    }
    return value
  }
}

/** Text of a JSON string; `undefined` when JSON has no such string. */
function unescaped(json: string): string | undefined {
  try {
    return JSON.parse(json) as string
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
