/**
 * Anchors: rare lines that two ranges share, in the same order in both.
 *
 * A line that occurs once here and once there almost surely is the same line, and a longest chain of such pairs that
 * runs forward in both splits a large diff into small ones (patience diff). Where no line is unique, lines that occur
 * twice in both are tried, then four times, and so on: the first of the old with the first of the new, and so on
 * (the idea of histogram diff, rarest first, without its search for every pair of occurrences).
 *
 * Blank lines and lone braces say nothing about where they belong, however rare they happen to be; they never anchor.
 * @see Bram Cohen, "Patience Diff Advantages", 2010, https://bramcohen.livejournal.com/73318.html
 * @see Fredman, "On computing the length of longest increasing subsequences", Discrete Mathematics 11 (1975).
 * @module
 */
import { type LineTraits, TELLING_INK } from './intern.js'

/** Lines that occur more often than this on either side are no anchors. */
const MAX_OCCURRENCES = 8

/** Finds anchors. Its arrays are kept from call to call, so one object serves many diffs, one at a time. */
export class AnchorSearch {
  /** The anchors that the last call of `find` found, `a[xs[i]] === b[ys[i]]`, both ascending. */
  xs = new Int32Array(64)
  ys = new Int32Array(64)
  /** Work done so far, in lines looked at over all calls. */
  steps = 0
  /** By token. The counts are all zero between calls. */
  #countA = new Int32Array(64)
  #countB = new Int32Array(64)
  #first = new Int32Array(64)
  /** By line of `a`, from the start of the range: the next line with the same token. */
  #next = new Int32Array(64)
  /** Of the candidates, in the order of `b`: the one before it in the longest chain that ends with it, or -1. */
  #previous = new Int32Array(64)
  /** Of the chains by length: the candidate that ends the one with the smallest end. */
  #ends = new Int32Array(64)

  /**
   * Finds the anchors of the ranges `[x0, x1)` of `a` and `[y0, y1)` of `b`.
   *
   * @returns How many there are in `xs` and `ys`; 0 when no line is rare.
   */
  find(a: Int32Array, x0: number, x1: number, b: Int32Array, y0: number, y1: number, traits: LineTraits): number {
    this.#reserve(x1 - x0, y1 - y0, traits.size)
    this.steps += 4 * (x1 - x0 + (y1 - y0))
    const countA = this.#countA
    const countB = this.#countB
    for (let x = x0; x < x1; x++) countA[a[x] as number] = (countA[a[x] as number] as number) + 1
    for (let y = y0; y < y1; y++) countB[b[y] as number] = (countB[b[y] as number] as number) + 1
    const occurrences = this.#rarest(a, x0, x1, traits)
    const candidates = occurrences === 0 ? 0 : this.#pair(a, x0, x1, b, y0, y1, traits, occurrences)
    for (let x = x0; x < x1; x++) countA[a[x] as number] = 0
    for (let y = y0; y < y1; y++) countB[b[y] as number] = 0
    return this.#longestChain(candidates)
  }

  /** The least number of times that a line with ink occurs in both; 0 if none occurs equally and seldom enough. */
  #rarest(a: Int32Array, x0: number, x1: number, traits: LineTraits): number {
    const countA = this.#countA
    const countB = this.#countB
    const inks = traits.inks
    let rarest = MAX_OCCURRENCES + 1
    for (let x = x0; x < x1 && rarest > 1; x++) {
      const token = a[x] as number
      const count = countA[token] as number
      if (count < rarest && count === countB[token] && (inks[token] as number) >= TELLING_INK) rarest = count
    }
    return rarest > MAX_OCCURRENCES ? 0 : rarest
  }

  /** Collects the pairs of lines that occur `occurrences` times in both, in the order of `b`. */
  #pair(
    a: Int32Array,
    x0: number,
    x1: number,
    b: Int32Array,
    y0: number,
    y1: number,
    traits: LineTraits,
    occurrences: number,
  ): number {
    const countA = this.#countA
    const countB = this.#countB
    const first = this.#first
    const next = this.#next
    const { xs, ys } = this
    const inks = traits.inks
    for (let x = x1 - 1; x >= x0; x--) {
      const token = a[x] as number
      next[x - x0] = first[token] as number
      first[token] = x
    }
    let count = 0
    for (let y = y0; y < y1; y++) {
      const token = b[y] as number
      if (countB[token] !== occurrences || countA[token] !== occurrences) continue
      if ((inks[token] as number) < TELLING_INK) continue
      const x = first[token] as number
      first[token] = next[x - x0] as number
      xs[count] = x
      ys[count++] = y
    }
    return count
  }

  /** Keeps of the first `count` pairs, sorted by `ys`, a longest chain with rising `xs`; returns its length. */
  #longestChain(count: number): number {
    const { xs, ys } = this
    const previous = this.#previous
    const ends = this.#ends
    let length = 0
    for (let i = 0; i < count; i++) {
      const x = xs[i] as number
      // Most lines come in order, so the longest chain is tried before the binary search.
      let at = length
      if (length > 0 && (xs[ends[length - 1] as number] as number) > x) {
        let low = 0
        at = length - 1
        while (low < at) {
          const middle = (low + at) >>> 1
          if ((xs[ends[middle] as number] as number) > x) at = middle
          else low = middle + 1
        }
      }
      previous[i] = at === 0 ? -1 : (ends[at - 1] as number)
      ends[at] = i
      if (at === length) length++
    }
    // The chain is read from its end and written to its place, which is never behind where it is read from.
    let i = length === 0 ? -1 : (ends[length - 1] as number)
    for (let at = length - 1; at >= 0; at--) {
      ends[at] = i
      i = previous[i] as number
    }
    for (let at = 0; at < length; at++) {
      xs[at] = xs[ends[at] as number] as number
      ys[at] = ys[ends[at] as number] as number
    }
    return length
  }

  #reserve(linesA: number, linesB: number, tokens: number): void {
    if (tokens > this.#countA.length) {
      const size = Math.max(tokens, this.#countA.length * 2)
      this.#countA = new Int32Array(size)
      this.#countB = new Int32Array(size)
      this.#first = new Int32Array(size)
    }
    if (linesA > this.#next.length) this.#next = new Int32Array(Math.max(linesA, this.#next.length * 2))
    if (linesB > this.xs.length) {
      const size = Math.max(linesB, this.xs.length * 2)
      this.xs = new Int32Array(size)
      this.ys = new Int32Array(size)
      this.#previous = new Int32Array(size)
      this.#ends = new Int32Array(size)
    }
  }
}
