/**
 * The sieve: which lines take part in the search for common lines.
 *
 * A line without a counterpart in the other version cannot be common. Leaving it out makes the search shorter by as much
 * as the versions differ, which is where the search is slow.
 *
 * Weak lines are left out too where they would mislead. A blank line is weak, and so is a line that the other version has
 * very often, such as a lone brace. In a block that was written anew the search would keep some of them, and the diff
 * would fall into splinters that claim the new block's blank lines for the old one. So in a run of lines that are weak or
 * have no counterpart, the weak ones between two lines without counterpart are left out if they are few:
 *
 *     others > 3 * (weak + 1)
 *
 * This is git's rule (there only frequent lines are weak, and the run is looked at through a window of 100 lines).
 * And where two ranges have nothing in common but weak lines and lines almost without ink, and half of both or more has
 * no counterpart, all of them are left out: two texts are not related by their blank lines and braces.
 *
 * Both rules leave out less than is changed anyhow, so a diff is at most twice the shortest.
 * @see Davide Libenzi, LibXDiff, `xdl_cleanup_records` in git's xdiff/xprepare.c.
 * @module
 */
import { type LineTraits, TELLING_INK } from './intern.js'

/** A line that the other version has more often than this is weak, however long the versions. */
const MAX_FREQUENT = 1024

/** Lines without counterpart that one weak line must have around it to be left out. */
const OTHERS_PER_WEAK = 3

const NONE: Int32Array = new Int32Array(0)

/** One of the two versions in a diff, and the room to work on it, kept from diff to diff. */
export class Side {
  /** All lines of the version. */
  tokens: Int32Array = NONE
  /** By line: 1 for a changed line, 0 for a common one. */
  changed = new Uint8Array(256)
  /** The lines that take part, as tokens, and where they are in `tokens`. */
  kept = new Int32Array(256)
  index = new Int32Array(256)
  /** By token: how often it is in the version; all 0 until counted and after `forget`. */
  total = new Int32Array(256)
  /** By token: how often it is in the range at hand; all 0 between ranges. */
  nearby = new Int32Array(256)
  /** Of the range sifted last: lines without counterpart, and lines that have one and say something. */
  others = 0
  telling = 0
  #counted = false

  /** Makes ready for a diff of this version, with `[start, end)` changed until found otherwise. */
  reset(tokens: Int32Array, start: number, end: number, traits: LineTraits): void {
    this.tokens = tokens
    if (end > this.changed.length) this.changed = new Uint8Array(end * 2)
    if (end - start > this.kept.length) {
      this.kept = new Int32Array((end - start) * 2)
      this.index = new Int32Array((end - start) * 2)
    }
    if (traits.size > this.total.length) {
      this.total = new Int32Array(traits.size * 2)
      this.nearby = new Int32Array(traits.size * 2)
    }
    this.changed.fill(1, start, end)
  }

  /** Counts all lines into `total`. */
  countAll(): void {
    if (!this.#counted) add(this.total, this.tokens, 0, this.tokens.length)
    this.#counted = true
  }

  /** Ends a diff: forgets the version and the counts. */
  forget(): void {
    if (this.#counted) clear(this.total, this.tokens, 0, this.tokens.length)
    this.#counted = false
    this.tokens = NONE
  }

  /** Counts the lines `[start, end)` into `nearby`. */
  countNearby(start: number, end: number): void {
    add(this.nearby, this.tokens, start, end)
  }

  /** Undoes `countNearby`. */
  forgetNearby(start: number, end: number): void {
    clear(this.nearby, this.tokens, start, end)
  }

  /**
   * Puts those of the lines `[start, end)` that take part into `kept` and `index`.
   *
   * @param counterparts - By token: how often the other version, or a range of it, has the line.
   * @param totals - By token: how often the whole other version has it.
   * @returns How many take part.
   */
  sift(start: number, end: number, counterparts: Int32Array, totals: Int32Array, traits: LineTraits): number {
    const { tokens, kept, index } = this
    const indents = traits.indents
    const frequent = frequentFrom(tokens.length)
    this.others = this.telling = 0
    let count = 0
    let line = start
    while (line < end) {
      const runStart = line
      let others = 0
      let firstOther = end
      let lastOther = start
      for (; line < end; line++) {
        const token = tokens[line] as number
        if (counterparts[token] === 0) {
          if (others++ === 0) firstOther = line
          lastOther = line
        } else if ((indents[token] as number) >= 0 && (totals[token] as number) < frequent) break
      }
      this.others += others
      const weak = line - runStart - others
      const strict = others > OTHERS_PER_WEAK * (weak + 1)
      for (let i = runStart; i < line; i++) {
        const token = tokens[i] as number
        if (counterparts[token] === 0 || (strict && i > firstOther && i < lastOther)) continue
        kept[count] = token
        index[count++] = i
      }
      for (; line < end; line++) {
        const token = tokens[line] as number
        if (counterparts[token] === 0 || (indents[token] as number) < 0 || (totals[token] as number) >= frequent) break
        if ((traits.inks[token] as number) >= TELLING_INK) this.telling++
        kept[count] = token
        index[count++] = line
      }
    }
    return count
  }
}

/** The least power of two over the square root of `lines`. */
function frequentFrom(lines: number): number {
  let power = 1
  for (let rest = lines; rest > 0; rest >>= 2) power <<= 1
  return Math.min(power, MAX_FREQUENT)
}

function add(counts: Int32Array, tokens: Int32Array, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    const token = tokens[i] as number
    counts[token] = (counts[token] as number) + 1
  }
}

function clear(counts: Int32Array, tokens: Int32Array, start: number, end: number): void {
  for (let i = start; i < end; i++) counts[tokens[i] as number] = 0
}
