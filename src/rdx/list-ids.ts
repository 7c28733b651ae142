/**
 * Ids of list elements as small numbers.
 *
 * An id is a stamp {rev, src} with rev >= 0: 128 bits. Trees want arrays, so every id that an element has or that an
 * attachment names gets a number, counted from 0 in the order of appearance. Number 0 is always {0,0}, the start of the
 * list, which no element has.
 *
 * Ids are held as unsigned 32-bit halves in columns and found through a hash table with open addressing: 40 ns for each,
 * and no garbage, where a `Map` of `bigint`s or strings takes 300 ns.
 * @module
 */
import type { StampView } from './stamp.js'

/** Number of the start of the list. */
export const START = 0

/** No id has this number. */
export const NONE = -1

/** Table of ids by number, and of numbers by id. */
export class IdTable {
  #revHigh: Uint32Array
  #revLow: Uint32Array
  #srcHigh: Uint32Array
  #srcLow: Uint32Array
  /** Number + 1 of the id in each slot, 0 for none. A power of two of them, never more than half full. */
  #slots: Int32Array
  #count = 1

  /** @param room - Ids to set memory aside for at first. */
  constructor(room = 0) {
    // V8 keeps typed arrays of up to 64 bytes within its heap, where they cost little: enough for most patches.
    const size = 1 << (32 - Math.clz32(Math.max(room, 7)))
    this.#revHigh = new Uint32Array(size)
    this.#revLow = new Uint32Array(size)
    this.#srcHigh = new Uint32Array(size)
    this.#srcLow = new Uint32Array(size)
    this.#slots = new Int32Array(2 * size)
    this.#slots[0] = 1
  }

  /** Numbers given so far. */
  get count(): number {
    return this.#count
  }

  /** The number of |rev|, src of a stamp; a new one for a new id. */
  intern(stamp: StampView): number {
    const { absHigh, absLow, srcHigh, srcLow } = stamp
    const mask = this.#slots.length - 1
    let slot = hash(absHigh, absLow, srcHigh, srcLow) & mask
    for (let taken = this.#slots[slot] as number; taken > 0; taken = this.#slots[slot] as number) {
      const id = taken - 1
      if (
        this.#revLow[id] === absLow &&
        this.#srcLow[id] === srcLow &&
        this.#revHigh[id] === absHigh &&
        this.#srcHigh[id] === srcHigh
      ) {
        return id
      }
      slot = (slot + 1) & mask
    }
    const id = this.#count++
    if (id === this.#revLow.length) this.#growColumns()
    this.#revHigh[id] = absHigh
    this.#revLow[id] = absLow
    this.#srcHigh[id] = srcHigh
    this.#srcLow[id] = srcLow
    this.#slots[slot] = id + 1
    if (this.#count * 2 > this.#slots.length) this.#growSlots()
    return id
  }

  /** Writes the id of a number into a stamp. */
  read(id: number, into: StampView): void {
    into.absHigh = this.#revHigh[id] as number
    into.absLow = this.#revLow[id] as number
    into.dead = false
    into.srcHigh = this.#srcHigh[id] as number
    into.srcLow = this.#srcLow[id] as number
  }

  /** Orders two numbers by the age of their ids: rev, then src. The start of the list is oldest. */
  compareAge(a: number, b: number): number {
    return this.#compareRevs(a, b) || this.#compareSrcs(a, b)
  }

  /** Orders two numbers by the authors of their ids: src, then rev. */
  compareAuthor(a: number, b: number): number {
    return this.#compareSrcs(a, b) || this.#compareRevs(a, b)
  }

  #compareRevs(a: number, b: number): number {
    const [high, low] = [this.#revHigh, this.#revLow]
    return (high[a] as number) - (high[b] as number) || (low[a] as number) - (low[b] as number)
  }

  #compareSrcs(a: number, b: number): number {
    const [high, low] = [this.#srcHigh, this.#srcLow]
    return (high[a] as number) - (high[b] as number) || (low[a] as number) - (low[b] as number)
  }

  #growColumns(): void {
    const size = this.#count * 2
    this.#revHigh = grown(this.#revHigh, size)
    this.#revLow = grown(this.#revLow, size)
    this.#srcHigh = grown(this.#srcHigh, size)
    this.#srcLow = grown(this.#srcLow, size)
  }

  #growSlots(): void {
    const slots = new Int32Array(this.#slots.length * 2)
    const mask = slots.length - 1
    for (let id = 0; id < this.#count; id++) {
      let slot =
        hash(
          this.#revHigh[id] as number,
          this.#revLow[id] as number,
          this.#srcHigh[id] as number,
          this.#srcLow[id] as number,
        ) & mask
      while ((slots[slot] as number) > 0) slot = (slot + 1) & mask
      slots[slot] = id + 1
    }
    this.#slots = slots
  }
}

/** Chance that a process puts into its hashes, so that nobody can write ids that all fall into one slot. */
const SALT = Math.floor(Math.random() * 0x1_0000_0000)

/** Mixes an id into 32 bits, after MurmurHash3 by Austin Appleby. {0,0} is 0, where the table has it from the start. */
function hash(revHigh: number, revLow: number, srcHigh: number, srcLow: number): number {
  if ((revHigh | revLow | srcHigh | srcLow) === 0) return 0
  let h = SALT
  h = round(h, revLow)
  h = round(h, srcLow)
  if ((revHigh | srcHigh) !== 0) h = round(round(h, revHigh), srcHigh)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

function round(h: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51)
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593)
  const mixed = h ^ k
  return Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64
}

function grown(column: Uint32Array, size: number): Uint32Array<ArrayBuffer> {
  const more = new Uint32Array(size)
  more.set(column)
  return more
}
