/**
 * Looks for blocks of lines that a side took from one place and put at another: by identity where an origin tells
 * (origin.ts), else by text, if enough of it is there and not all of it is common.
 * @module
 */
import { getOrMake } from '../base/map.js'
import { TELLING_INK } from './intern.js'
import type { Span } from './merge.js'
import { inverse, matches, NONE, type Side, type ThreeWay } from './three-way.js'

/** Bytes besides white space that a block must have to be known again by its text; git's --color-moved wants as many. */
const MIN_INK = 20

/** A block of the base, and where a side has it. */
export interface Move {
  /** Lines of the base. */
  readonly from: Span
  /** Lines of the side. */
  readonly to: Span
  /** By line of `to`: the line of the base that it is, or NONE. */
  readonly lines: Int32Array
  /** The line of the base before which the block now stands. */
  readonly before: number
}

/** Looks for blocks among the lines that one side put. */
export class MovedSide {
  /** By line of the base: the line of this side that it is, or NONE. */
  readonly toSide: Int32Array
  readonly #three: ThreeWay
  readonly #side: Side
  /** Made when they are needed. */
  #puts: Puts | undefined
  /** By token: how many lines of the base have it. */
  #counts: Map<number, number> | undefined

  constructor(three: ThreeWay, name: 'left' | 'right') {
    this.#three = three
    this.#side = three[name]
    this.toSide = inverse(this.#side.inBase, three.base.tokens.length)
  }

  /** Stretches of the base in `span` that this side does not have. */
  *deleted({ from, to }: Span): Generator<Span> {
    for (let i = from; i < to; i++) {
      const start = i
      while (i < to && this.toSide[i] === NONE) i++
      if (i > start) yield { from: start, to: i }
    }
  }

  /** Whether none of some lines of the base is where it was. */
  isGone({ from, to }: Span): boolean {
    for (let i = from; i < to; i++) if (this.toSide[i] !== NONE) return false
    return true
  }

  /** Where this side put the lines of a block again, outside of `home`: all in one place, or some here and some there. */
  find(block: Span, home: Span): Move[] {
    const found: { move: Move; ink: number }[] = []
    for (const place of this.#candidates(block, home)) {
      const match = this.#match(block, place)
      if (match !== undefined) found.push(match)
    }
    // Of two places for the same lines that which has more of them; neither where that does not tell.
    const isBeaten = (one: (typeof found)[number]) =>
      found.some((other) => other !== one && other.ink >= one.ink && overlap(one.move.from, other.move.from))
    return found
      .filter((one) => !isBeaten(one))
      .sort((x, y) => y.ink - x.ink)
      .map(({ move }) => move)
  }

  /** Stretches of lines that this side put, with at least one telling line of the block. */
  #candidates({ from, to }: Span, home: Span): Span[] {
    const { base, interner } = this.#three
    this.#puts ??= putsOf(this.#side)
    const { lines, places } = this.#puts
    const found = new Set<Span>()
    for (let i = from; i < to; i++) {
      const token = base.tokens[i] as number
      if ((interner.inks[token] as number) < TELLING_INK) continue
      for (const line of lines.get(token) ?? []) {
        if (line < home.from || line >= home.to) found.add(places[line] as Span)
      }
    }
    return [...found]
  }

  /** What of a block is at a place, and how many bytes of it; undefined where that is too little to be sure. */
  #match(block: Span, place: Span): { move: Move; ink: number } | undefined {
    const { base, interner } = this.#three
    const { tokens, moved } = this.#side
    const found = matches(base.tokens.subarray(block.from, block.to), tokens.subarray(place.from, place.to), interner)
    const at = (k: number) => block.from + (found[k] as number)
    let [first, last, ink, known, lines] = [NONE, NONE, 0, false, 0]
    for (let k = 0; k < found.length; k++) {
      if (found[k] === NONE) continue
      const own = this.#ink(tokens[place.from + k] as number)
      if (own < TELLING_INK) continue
      if (first === NONE) first = k
      last = k
      lines++
      ink += own
      known ||= moved?.[place.from + k] === at(k)
    }
    if (first === NONE) return undefined
    const from = { from: at(first), to: at(last) + 1 }
    if (!known && (ink < MIN_INK || !this.#isTelling(from, lines))) return undefined
    const to = { from: place.from + first, to: place.from + last + 1 }
    const own = found.slice(first, last + 1).map((line) => (line === NONE ? NONE : block.from + line))
    return { move: { from, to, lines: own, before: this.#before(to.from) }, ink }
  }

  /** Whether so many lines are at least half of what a block says, and one of them says it alone. */
  #isTelling({ from, to }: Span, lines: number): boolean {
    const { tokens } = this.#three.base
    this.#counts ??= countsOf(tokens)
    let telling = 0
    let unique = false
    for (let i = from; i < to; i++) {
      const token = tokens[i] as number
      if (this.#ink(token) < TELLING_INK) continue
      telling++
      unique ||= this.#counts.get(token) === 1 && this.#puts?.lines.get(token)?.length === 1
    }
    return unique && lines * 2 >= telling
  }

  /** The line of the base before which a line of this side stands. */
  #before(line: number): number {
    for (let i = line - 1; i >= 0; i--) if (this.#side.inBase[i] !== NONE) return (this.#side.inBase[i] as number) + 1
    return 0
  }

  /** Bytes of a line that are not white space. */
  #ink(token: number): number {
    let ink = 0
    for (const byte of this.#three.interner.line(token)) if (byte > 32) ink++
    return ink
  }
}

/** Whether two spans have a line in common. */
export function overlap(a: Span, b: Span): boolean {
  return a.from < b.to && b.from < a.to
}

/** The lines that a side put. */
interface Puts {
  /** By token. */
  readonly lines: ReadonlyMap<number, readonly number[]>
  /** By line: the stretch of such lines that it is in; undefined for other lines. */
  readonly places: readonly (Span | undefined)[]
}

function putsOf({ tokens, inBase }: Side): Puts {
  const lines = new Map<number, number[]>()
  const places: (Span | undefined)[] = new Array(tokens.length)
  for (let from = 0; from < tokens.length; from++) {
    let to = from
    while (to < tokens.length && inBase[to] === NONE) to++
    const place = { from, to }
    for (; from < to; from++) {
      getOrMake(lines, tokens[from] as number, () => []).push(from)
      places[from] = place
    }
  }
  return { lines, places }
}

function countsOf(tokens: Int32Array): Map<number, number> {
  const counts = new Map<number, number>()
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1)
  return counts
}
