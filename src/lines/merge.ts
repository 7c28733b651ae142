/**
 * Merging three versions of a text file.
 *
 * Lines that all three share (three-way.ts says which those are) divide the file into *parts*. Between two of them:
 *
 *     only one side changed something      its lines are taken
 *     both made the same text              it is taken, once
 *     both changed something               looked at again by text, see below; what remains is a conflict
 *
 * So two changes conflict where they meet, and where they are neighbours with no shared line between them. What is taken is
 * what the join of both states holds: merging adds nothing of its own, except that a text that both sides put is there once.
 *
 * By text: somebody may have deleted lines and put them again, and then identity says they are others. Only where both sides
 * changed something, and only between lines whose identity is known, lines that are equal count as the same, if they say
 * anything: blank lines and braces alone do not. So nothing is attracted by an equal line elsewhere.
 * @module
 */
import { TELLING_INK } from './intern.js'
import { inverse, matches, NONE, type ThreeWay } from './three-way.js'

/** Lines `[from, to)`. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** Who changed a part: nobody, one side, both in the same way, or both in different ways. */
export type PartKind = 'shared' | 'left' | 'right' | 'same' | 'conflict'

/** A part of the merged file: lines of the three versions that correspond. */
export interface Part {
  readonly kind: PartKind
  readonly base: Span
  readonly left: Span
  readonly right: Span
}

/** The parts of the merged file, in order. Together they hold every line of each version once. */
export function mergeParts(three: ThreeWay): Part[] {
  const merge = new Merge(three)
  merge.divide(merge.whole(), true)
  return merge.parts
}

/** Lines of all three versions. */
interface Stretch {
  readonly base: Span
  readonly left: Span
  readonly right: Span
}

class Merge {
  readonly parts: Part[] = []
  readonly #three: ThreeWay
  /** By line of the base: the line of a side that it is, or NONE. */
  readonly #toLeft: Int32Array
  readonly #toRight: Int32Array

  constructor(three: ThreeWay) {
    this.#three = three
    this.#toLeft = inverse(three.left.inBase, three.base.tokens.length)
    this.#toRight = inverse(three.right.inBase, three.base.tokens.length)
  }

  whole(): Stretch {
    const { base, left, right } = this.#three
    return { base: all(base.tokens), left: all(left.tokens), right: all(right.tokens) }
  }

  /** Adds the parts of a stretch, divided by the lines that all three share. */
  divide({ base, left, right }: Stretch, again: boolean): void {
    let [b, l, r] = [base.from, left.from, right.from]
    for (let i = base.from; i < base.to; i++) {
      const x = this.#toLeft[i] as number
      const y = this.#toRight[i] as number
      if (x === NONE || y === NONE) continue
      this.#changed({ base: { from: b, to: i }, left: { from: l, to: x }, right: { from: r, to: y } }, again)
      this.#push('shared', { base: one(i), left: one(x), right: one(y) })
      b = i + 1
      l = x + 1
      r = y + 1
    }
    const rest = {
      base: { from: b, to: base.to },
      left: { from: l, to: left.to },
      right: { from: r, to: right.to },
    }
    this.#changed(rest, again)
  }

  /** Adds a stretch in which no line is shared by all three. */
  #changed(stretch: Stretch, again: boolean): void {
    const { base, left, right } = stretch
    if (size(base) + size(left) + size(right) === 0) return
    if (isDisputed(this.#three, base)) this.#push('conflict', stretch)
    else if (!isChanged(base, left, this.#toLeft)) this.#push('right', stretch)
    else if (!isChanged(base, right, this.#toRight)) this.#push('left', stretch)
    else if (this.#isSame(stretch)) this.#push('same', stretch)
    else if (again) {
      this.#matchByText(base, left, this.#toLeft, this.#three.left.tokens)
      this.#matchByText(base, right, this.#toRight, this.#three.right.tokens)
      this.divide(stretch, false)
    } else this.#conflict(stretch)
  }

  /** Adds a conflict, without what both sides put at its ends. */
  #conflict(stretch: Stretch): void {
    const { base, left, right } = stretch
    const { left: a, right: b } = this.#three
    let head = 0
    let tail = 0
    const most = Math.min(size(left), size(right))
    while (head < most && a.tokens[left.from + head] === b.tokens[right.from + head]) head++
    while (head + tail < most && a.tokens[left.to - 1 - tail] === b.tokens[right.to - 1 - tail]) tail++
    const begin = { base: empty(base.from), left: first(left, head), right: first(right, head) }
    const end = { base: empty(base.to), left: last(left, tail), right: last(right, tail) }
    if (head > 0) this.#push('same', begin)
    this.#push('conflict', {
      base,
      left: { from: left.from + head, to: left.to - tail },
      right: { from: right.from + head, to: right.to - tail },
    })
    if (tail > 0) this.#push('same', end)
  }

  #isSame({ left, right }: Stretch): boolean {
    const { left: a, right: b } = this.#three
    if (size(left) !== size(right)) return false
    for (let i = 0; i < size(left); i++) if (a.tokens[left.from + i] !== b.tokens[right.from + i]) return false
    return true
  }

  /** Matches equal lines of the base and a side between lines that are matched already. */
  #matchByText(base: Span, side: Span, toSide: Int32Array, tokens: Int32Array): void {
    let [b, s] = [base.from, side.from]
    for (let i = base.from; i <= base.to; i++) {
      const match = i < base.to ? (toSide[i] as number) : side.to
      if (match === NONE) continue
      if (i > b && match > s) {
        const found = this.#tellingMatches(this.#three.base.tokens.subarray(b, i), tokens.subarray(s, match))
        for (let k = 0; k < found.length; k++) if (found[k] !== NONE) toSide[b + (found[k] as number)] = s + k
      }
      b = i + 1
      s = match + 1
    }
  }

  /** For each line of `b` the line of `a` that it is by their diff; of stretches that say nothing, NONE. */
  #tellingMatches(a: Int32Array, b: Int32Array): Int32Array {
    const { interner } = this.#three
    const found = matches(a, b, interner)
    for (let start = 0; start < found.length; ) {
      let end = start + 1
      const { [start]: line = NONE } = found
      if (line !== NONE) while (end < found.length && found[end] === line + end - start) end++
      const tells = (token: number) => (interner.inks[token] as number) >= TELLING_INK
      if (!b.subarray(start, end).some(tells)) found.fill(NONE, start, end)
      start = end
    }
    return found
  }

  #push(kind: PartKind, { base, left, right }: Stretch): void {
    const before = this.parts.at(-1)
    if (before?.kind !== kind || kind === 'conflict') {
      this.parts.push({ kind, base, left, right })
      return
    }
    this.parts[this.parts.length - 1] = {
      kind,
      base: { from: before.base.from, to: base.to },
      left: { from: before.left.from, to: left.to },
      right: { from: before.right.from, to: right.to },
    }
  }
}

/** Whether the sides disagree about one of some lines of the base, whatever is there. */
export function isDisputed({ disputed }: ThreeWay, { from, to }: Span): boolean {
  if (disputed !== undefined) for (let i = from; i < to; i++) if (disputed.has(i)) return true
  return false
}

/** Whether a side's lines are other lines than the base's. */
function isChanged(base: Span, side: Span, toSide: Int32Array): boolean {
  if (size(base) !== size(side)) return true
  for (let i = 0; i < size(base); i++) if (toSide[base.from + i] !== side.from + i) return true
  return false
}

/** How many lines a span has. */
export function size({ from, to }: Span): number {
  return to - from
}

function all(tokens: Int32Array): Span {
  return { from: 0, to: tokens.length }
}

function one(line: number): Span {
  return { from: line, to: line + 1 }
}

function empty(line: number): Span {
  return { from: line, to: line }
}

function first({ from }: Span, count: number): Span {
  return { from, to: from + count }
}

function last({ to }: Span, count: number): Span {
  return { from: to - count, to }
}
