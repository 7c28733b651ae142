/**
 * Interning of lines: every distinct line of a file becomes a small integer, its token.
 *
 * Diffing compares a line many times, so it compares tokens and never bytes. Two lines have one token if and only if
 * they are the same bytes, newline included. Tokens count up from 0 in the order of first sight and are never reused, so
 * the token arrays of all versions of a file can be kept and compared for as long as the interner lives.
 *
 * One interner serves one file and its whole history. Memory is one copy of each distinct line, in one arena, and about
 * 20 bytes beside it; there is no object per line.
 *
 *     table   slot -> token + 1     open addressing, linear probing, at most half full, 0 is empty
 *     hashes  token -> 32-bit FNV-1a of the line
 *     ends    token + 1 -> end of the line in the arena; the line starts where the one before it ends
 *     indents, inks  token -> traits, see LineTraits
 *
 * Reading, hashing and splitting is one pass over the bytes (1.0 ns per byte; four bytes at a time through a DataView
 * gave 0.7 and twice the code).
 * @see Fowler, Noll, Vo: FNV-1a, 32 bit, http://www.isthe.com/chongo/tech/comp/fnv/
 * @module
 */
import { NEWLINE } from './split.js'

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

const SPACE = 32
const TAB = 9
const RETURN = 13

/** Indents from here on are all the same to anyone who judges them. */
const MAX_INDENT = 200

/** Nobody asks for more ink than this. */
const MAX_INK = 8

/** A line with less ink than this says nothing about its place: `}`, `{`, `);`, a blank line. */
export const TELLING_INK = 3

/** What diffing wants to know about a line besides its identity, by token. The arrays may be longer than needed. */
export interface LineTraits {
  /** Number of tokens: all are below it. */
  readonly size: number
  /** Columns of leading white space, a tab reaching to the next multiple of 8, at most 200; -1 for a blank line. */
  readonly indents: Int16Array
  /** Number of bytes that are not white space, counted up to 8. */
  readonly inks: Uint8Array
}

/** Lines in the making: tokens and start offsets, growing. */
export class LineList {
  length = 0
  tokens = new Int32Array(256)
  starts = new Uint32Array(256)

  push(token: number, start: number): void {
    if (this.length === this.tokens.length) this.#reserve(this.length + 1)
    this.tokens[this.length] = token
    this.starts[this.length++] = start
  }

  /** Appends the lines `[from, to)` of other lines, their starts moved by `shift` bytes. */
  pushAll(tokens: Int32Array, starts: Uint32Array, from: number, to: number, shift: number): void {
    const length = this.length + to - from
    if (length > this.tokens.length) this.#reserve(length)
    this.tokens.set(tokens.subarray(from, to), this.length)
    const own = this.starts
    for (let i = from, at = this.length; i < to; i++, at++) own[at] = (starts[i] as number) + shift
    this.length = length
  }

  #reserve(room: number): void {
    const size = Math.max(room, this.tokens.length * 2)
    this.tokens = widen(this.tokens, new Int32Array(size))
    this.starts = widen(this.starts, new Uint32Array(size))
  }
}

/** The lines of one file, seen so far. */
export class LineInterner implements LineTraits {
  size = 0
  indents = new Int16Array(32)
  inks = new Uint8Array(32)
  #hashes = new Int32Array(32)
  #ends = new Uint32Array(33)
  #table = new Int32Array(64)
  #arena = new Uint8Array(1024)
  readonly #seed: number

  /**
   * @param seed - Any 32-bit integer; tokens do not depend on it. A random one denies whoever writes the lines the
   *   choice of lines that all fall into one slot, which would make every look-up slow.
   */
  constructor(seed = 0) {
    this.#seed = seed ^ FNV_OFFSET
  }

  /** Bytes of memory held. */
  get byteLength(): number {
    const { indents, inks } = this
    const own = this.#hashes.byteLength + this.#ends.byteLength + this.#table.byteLength + this.#arena.byteLength
    return own + indents.byteLength + inks.byteLength
  }

  /** Token of the one line `[start, end)` of `bytes`. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    let hash = this.#seed
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), FNV_PRIME)
    const token = this.#find(bytes, start, end, hash)
    return token < 0 ? this.#add(bytes, start, end, hash) : token
  }

  /**
   * Splits `[start, end)` of `bytes` into lines and appends token and start offset of each to `out`.
   *
   * `start` must be the start of a line.
   */
  internRange(bytes: Uint8Array, start: number, end: number, out: LineList): void {
    for (let at = start; at < end; ) at = this.internLine(bytes, at, end, out)
  }

  /**
   * Appends token and start of the line at `start`, which ends behind the next newline or else at `end`.
   *
   * @returns Where the line ends.
   */
  internLine(bytes: Uint8Array, start: number, end: number, out: LineList): number {
    let hash = this.#seed
    let at = start
    let byte: number
    do {
      byte = bytes[at++] as number
      hash = Math.imul(hash ^ byte, FNV_PRIME)
    } while (byte !== NEWLINE && at < end)
    const known = this.#find(bytes, start, at, hash)
    out.push(known < 0 ? this.#add(bytes, start, at, hash) : known, start)
    return at
  }

  /** Bytes of a line, as a view that stays valid only until the next line is interned. */
  line(token: number): Uint8Array {
    if (!(token >= 0 && token < this.size)) throw new RangeError(`token: expected 0..${this.size - 1}, got ${token}`)
    return this.#arena.subarray(this.#ends[token], this.#ends[token + 1])
  }

  /** Token of a line that is known, or -1. */
  #find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const table = this.#table
    const hashes = this.#hashes
    const ends = this.#ends
    const arena = this.#arena
    const mask = table.length - 1
    const length = end - start
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const token = (table[slot] as number) - 1
      if (token < 0) return -1
      if (hashes[token] !== hash) continue
      const at = ends[token] as number
      if ((ends[token + 1] as number) - at !== length) continue
      let i = 0
      while (i < length && arena[at + i] === bytes[start + i]) i++
      if (i === length) return token
    }
  }

  #add(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const token = this.size++
    if (token === this.#hashes.length) this.#growTokens()
    if (this.size * 2 > this.#table.length) this.#growTable()
    const at = this.#ends[token] as number
    const arenaEnd = at + end - start
    if (arenaEnd > this.#arena.length) this.#growArena(arenaEnd)
    const arena = this.#arena
    for (let i = start, to = at; i < end; i++, to++) arena[to] = bytes[i] as number
    this.#hashes[token] = hash
    this.#ends[token + 1] = arenaEnd
    this.#place(token, hash)
    this.#measure(token, at, arenaEnd)
    return token
  }

  #place(token: number, hash: number): void {
    const table = this.#table
    const mask = table.length - 1
    let slot = (hash ^ (hash >>> 15)) & mask
    while (table[slot] !== 0) slot = (slot + 1) & mask
    table[slot] = token + 1
  }

  #measure(token: number, start: number, end: number): void {
    const arena = this.#arena
    let indent = 0
    let ink = 0
    for (let i = start; i < end && ink < MAX_INK; i++) {
      const byte = arena[i] as number
      if (byte !== SPACE && byte !== TAB && byte !== NEWLINE && byte !== RETURN) ink++
      else if (ink > 0) continue
      else if (byte === SPACE) indent++
      else if (byte === TAB) indent += 8 - (indent % 8)
    }
    this.indents[token] = ink === 0 ? -1 : Math.min(indent, MAX_INDENT)
    this.inks[token] = ink
  }

  #growTokens(): void {
    const room = this.#hashes.length * 2
    this.#hashes = widen(this.#hashes, new Int32Array(room))
    this.#ends = widen(this.#ends, new Uint32Array(room + 1))
    this.indents = widen(this.indents, new Int16Array(room))
    this.inks = widen(this.inks, new Uint8Array(room))
  }

  #growArena(wanted: number): void {
    this.#arena = widen(this.#arena, new Uint8Array(Math.max(wanted, this.#arena.length * 2)))
  }

  /** Doubles the table. The token that it grows for is not placed yet. */
  #growTable(): void {
    this.#table = new Int32Array(this.#table.length * 2)
    for (let token = 0; token < this.size - 1; token++) this.#place(token, this.#hashes[token] as number)
  }
}

/** Copies `from` into the longer `to` and returns it. */
function widen<T extends Int16Array | Int32Array | Uint8Array | Uint32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
