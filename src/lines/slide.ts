/**
 * Sliding: where a hunk may stand in several places, put it where people expect it.
 *
 * When lines were put next to equal lines, a diff cannot know which of them are new. One change, three diffs (`_` is a
 * blank line):
 *
 *      }              }             +}
 *      _             +_             +_
 *     +foo() {       +foo() {       +foo() {
 *     +}             +}              }
 *     +_              _              _
 *      bar() {        bar() {        bar() {
 *
 * A range of changed lines can slide down by one when its first line equals the line behind it, and up by one when its
 * last line equals the line before it. What follows is git's way, in the same order, and comes to the same places:
 *
 * 1. Slide up as far as possible, then down as far as possible. Ranges that meet become one, which starts over.
 * 2. Where it can stand beside a changed range of the other version, it goes to the last such place: one replacement
 *    is better than a deletion and an insertion.
 * 3. Otherwise every place is scored by its two ends, and the best wins, the lowest of the best.
 *
 * The score of an end asks how good a place it is to cut the file in two: blank lines around it are good, a cut before a
 * line that is indented less than the one before it is bad, and the deeper the cut the worse. The end of the file counts
 * as a blank line.
 *
 * Ranges of one version are kept as gap and size: `gap` is the number of *unchanged* lines before the range. Both
 * versions have the same unchanged lines, so two ranges face each other if and only if their gaps are equal, and moving
 * a range by one line changes its gap by one and nothing else.
 * @see Michael Haggerty, "diff: improve positioning of add/delete blocks in diffs", git commit 433860f3d0 (2016), and
 *   https://github.com/mhagger/diff-slider-tools, the corpus that the weights below were fitted to.
 * @module
 */
import type { LineTraits } from './intern.js'

/** A cut in front of the first line of the file. */
const START_OF_FILE = 1
/** A cut behind its last line. */
const END_OF_FILE = 21
/** For each blank line around the cut. */
const BLANK_AROUND = -30
/** And for each of those that is behind it. */
const BLANK_BEHIND = 6
/** The line behind the cut is deeper than the one before it; the second is for blank lines between them. */
const INDENTED = -4
const INDENTED_BLANK = 10
/** It is less deep, and the line after it is deeper again: it may open a block. */
const OUTDENTED = 24
const OUTDENTED_BLANK = 17
/** It is less deep, and the line after it is not deeper. */
const DEDENTED = 23
const DEDENTED_BLANK = 17

/** Being less deep, by however much, is worth this many points. */
const DEPTH_WEIGHT = 60

/** Blank lines are counted up to here. */
const MAX_BLANKS = 20
/** Places scored: at most so many, the lowest. */
const MAX_PLACES = 100

/** Slides the changed ranges of one version at a time. */
export class Slider {
  /** Work done so far, in lines slid over, in all calls. */
  steps = 0
  /** What `#measure` found at the cut it looked at last. */
  #depth = 0
  #penalty = 0

  /**
   * Slides the ranges of `own` to their best places, facing those of `other`, which stay where they are.
   *
   * @param tokens - All lines of the version that `own` belongs to.
   * @param maxSteps - Ranges stay where they are when `steps` gets beyond this.
   */
  slide(own: Ranges, other: Ranges, tokens: Int32Array, traits: LineTraits, maxSteps: number): void {
    const { gaps, sizes } = own
    const length = tokens.length
    /** Ranges `[0, done)` are in place and hold `changed` lines; ranges from `next` on are still to come. */
    let done = 0
    let changed = 0
    let next = 0
    let facing = 0
    while (next < own.length) {
      let gap = gaps[next] as number
      let size = sizes[next++] as number
      let earliest: number
      let beside: number
      let sizeBefore: number
      do {
        sizeBefore = size
        beside = -1
        while (gap + changed > 0 && tokens[gap + changed - 1] === tokens[gap + changed + size - 1]) {
          if (this.steps > maxSteps) break
          this.steps++
          gap--
          if (done > 0 && gaps[done - 1] === gap) {
            changed -= sizes[--done] as number
            size += sizes[done] as number
          }
        }
        earliest = gap
        facing = other.seek(gap, facing)
        if (other.gaps[facing] === gap && facing < other.length) beside = gap
        while (gap + changed + size < length && tokens[gap + changed] === tokens[gap + changed + size]) {
          if (this.steps > maxSteps) break
          this.steps++
          gap++
          if (next < own.length && gaps[next] === gap) size += sizes[next++] as number
          facing = other.seek(gap, facing)
          if (other.gaps[facing] === gap && facing < other.length) beside = gap
        }
      } while (size !== sizeBefore)
      if (beside >= 0) gap = beside
      else if (gap > earliest) {
        const lowest = Math.max(earliest, gap - size - 1, gap - MAX_PLACES)
        gap = this.#bestStart(tokens, lowest + changed, gap + changed, size, traits) - changed
      }
      gaps[done] = gap
      sizes[done++] = size
      changed += size
    }
    own.length = done
  }

  /** Best place for the start of a range of `size` lines, of `[first, last]`. */
  #bestStart(tokens: Int32Array, first: number, last: number, size: number, traits: LineTraits): number {
    this.steps += last - first
    let best = -1
    let bestDepth = 0
    let bestPenalty = 0
    for (let start = first; start <= last; start++) {
      this.#measure(tokens, start, traits)
      let depth = this.#depth
      let penalty = this.#penalty
      this.#measure(tokens, start + size, traits)
      depth += this.#depth
      penalty += this.#penalty
      if (best >= 0 && DEPTH_WEIGHT * Math.sign(depth - bestDepth) + penalty - bestPenalty > 0) continue
      best = start
      bestDepth = depth
      bestPenalty = penalty
    }
    return best
  }

  /** How bad it is to cut the file in front of line `cut`: sets `#depth`, the indent of what follows, and `#penalty`. */
  #measure(tokens: Int32Array, cut: number, traits: LineTraits): void {
    const indents = traits.indents
    const length = tokens.length
    let blanksBefore = 0
    let before = -1
    for (let i = cut - 1; i >= 0 && before < 0; i--) {
      before = indents[tokens[i] as number] as number
      if (before < 0 && ++blanksBefore === MAX_BLANKS) before = 0
    }
    // `here` is the first line with ink from the cut on, `after` the one behind the line at the cut.
    let here = cut < length ? (indents[tokens[cut] as number] as number) : -1
    let blanksBehind = here < 0 ? 1 : 0
    let after = -1
    let blanks = 0
    for (let i = cut + 1; i < length && after < 0; i++) {
      after = indents[tokens[i] as number] as number
      if (after < 0 && ++blanks === MAX_BLANKS) after = 0
    }
    if (blanksBehind > 0) {
      blanksBehind += blanks
      here = after
    }
    const anyBlank = blanksBefore + blanksBehind > 0
    let penalty = BLANK_AROUND * (blanksBefore + blanksBehind) + BLANK_BEHIND * blanksBehind
    if (before < 0 && blanksBefore === 0) penalty += START_OF_FILE
    if (cut >= length) penalty += END_OF_FILE
    if (here >= 0 && before >= 0 && here !== before) {
      if (here > before) penalty += anyBlank ? INDENTED_BLANK : INDENTED
      else if (after > here) penalty += anyBlank ? OUTDENTED_BLANK : OUTDENTED
      else penalty += anyBlank ? DEDENTED_BLANK : DEDENTED
    }
    this.#depth = here
    this.#penalty = penalty
  }
}

/** The changed ranges of one version, by gap, ascending, and size. */
export class Ranges {
  length = 0
  gaps = new Int32Array(64)
  sizes = new Int32Array(64)

  push(gap: number, size: number): void {
    if (this.length === this.gaps.length) {
      const { gaps, sizes } = this
      this.gaps = new Int32Array(gaps.length * 2)
      this.sizes = new Int32Array(gaps.length * 2)
      this.gaps.set(gaps)
      this.sizes.set(sizes)
    }
    this.gaps[this.length] = gap
    this.sizes[this.length++] = size
  }

  /** Index of the first range whose gap is not below `gap`, looked for from index `near`. */
  seek(gap: number, near: number): number {
    const { gaps, length } = this
    let at = Math.min(near, length)
    while (at > 0 && (gaps[at - 1] as number) >= gap) at--
    while (at < length && (gaps[at] as number) < gap) at++
    return at
  }
}
