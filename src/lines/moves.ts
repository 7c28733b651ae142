/**
 * Blocks of lines that one side moved and the other changed.
 *
 * A block that was cut in one place and pasted in another is deleted lines and put lines. Merged as such, a change that the
 * other side made within the block meets nothing but the deletion. So where a merge comes to deleted lines that the other
 * side has changed, this looks for the same lines elsewhere among what the deleting side put: by identity where an origin
 * tells (origin.ts), else by text, if enough of it is there and not all of it is common. If it is found, the move is made in
 * the base and on the other side too:
 *
 *     base    A B C D          base'   C D A B
 *     left    C D A B          left    C D A B          as if the block had always been there
 *     right   A X C D          right'  C D A X
 *
 * after which the merge is like any other. Nothing is done where it is not clear which of the other side's lines belong to
 * the block, or where it changed the place to which the block was moved: that stays a conflict. A block that both sides
 * moved to different places is disputed: a conflict, though each side's change would merge cleanly by itself.
 * @module
 */
import { getOrMake } from '../base/map.js'
import { TELLING_INK } from './intern.js'
import { isDisputed, mergeParts, type Part, type Span, size } from './merge.js'
import { inverse, matches, NONE, type Side, type ThreeWay, type Version } from './three-way.js'

/** Bytes besides white space that a block must have to be known again by its text; git's --color-moved wants as many. */
const MIN_INK = 20

/** A block of the base, and where a side has it. */
interface Move {
  /** Lines of the base. */
  readonly from: Span
  /** Lines of the side. */
  readonly to: Span
  /** By line of `to`: the line of the base that it is, or NONE. */
  readonly lines: Int32Array
  /** The line of the base before which the block now stands. */
  readonly before: number
}

type SideName = 'left' | 'right'

/** Blocks that a merge tries to follow. Each try costs another merge; nobody moves so many at once. */
const MOST_TRIES = 32

/** Three versions and the parts that they merge to. */
interface Merged {
  readonly three: ThreeWay
  readonly parts: readonly Part[]
}

/** The three versions, with moves made that stood in the way of a clean merge, and the parts that they merge to. */
export function mergeLines(three: ThreeWay): Merged {
  // Which move is tried first must not depend on which side is merged into which.
  return isInOrder(three) ? followMoves(three) : swapped(followMoves(swapped({ three, parts: [] }).three))
}

function followMoves(three: ThreeWay): Merged {
  const budget = { tries: MOST_TRIES }
  let best: Merged = { three, parts: mergeParts(three) }
  for (let next: Merged | undefined = best; next !== undefined; next = bestMove(best, budget)) best = next
  return best
}

/** Whether the left side's text comes before the right one's, or is the same. */
function isInOrder({ interner, left, right }: ThreeWay): boolean {
  const count = Math.min(left.tokens.length, right.tokens.length)
  for (let i = 0; i < count; i++) {
    const [a, b] = [left.tokens[i] as number, right.tokens[i] as number]
    if (a !== b) return Buffer.compare(interner.line(a), interner.line(b)) <= 0
  }
  return left.tokens.length <= right.tokens.length
}

/** The same with the sides' names changed. */
function swapped({ three, parts }: Merged): Merged {
  const kinds = { left: 'right', right: 'left' } as const
  return {
    three: { ...three, left: three.right, right: three.left },
    parts: parts.map(({ kind, base, left, right }) => ({
      kind: kind === 'left' || kind === 'right' ? kinds[kind] : kind,
      base,
      left: right,
      right: left,
    })),
  }
}

/**
 * The merge with one more block moved: that which leaves least in conflict. If none leaves less, one by which a dispute comes
 * to light.
 */
function bestMove(merged: Merged, budget: { tries: number }): Merged | undefined {
  let least = inConflict(merged.parts)
  let best: Merged | undefined
  let disputed: Merged | undefined
  for (const three of withMoves(merged)) {
    if (budget.tries-- <= 0) break
    const next = { three, parts: mergeParts(three) }
    const left = inConflict(next.parts)
    if ((three.disputed?.size ?? 0) > (merged.three.disputed?.size ?? 0)) disputed ??= next
    else if (left < least) {
      least = left
      best = next
    }
  }
  return best ?? disputed
}

/** Lines that conflict. */
function inConflict(parts: readonly Part[]): number {
  let lines = 0
  for (const { kind, base, left, right } of parts)
    if (kind === 'conflict') lines += size(base) + size(left) + size(right)
  return lines
}

/** The three versions with one block moved, for each block that was moved and that the other side changed. */
function* withMoves({ three, parts }: Merged): Generator<ThreeWay> {
  const sides = { left: new MovedSide(three, 'left'), right: new MovedSide(three, 'right') }
  for (const part of parts) {
    if ((part.kind !== 'conflict' && part.kind !== 'same') || size(part.base) === 0) continue
    for (const [name, other] of [
      ['left', 'right'],
      ['right', 'left'],
    ] as const) {
      for (const block of sides[name].deleted(part.base)) {
        for (const move of sides[name].find(block, part[name])) {
          if (isDisputed(three, move.from)) continue
          const [others] = sides[other].find(move.from, part[other])
          const moved =
            others === undefined
              ? moveBoth(three, name, other, move, sides[other].toSide)
              : movedByBoth(three, name, other, ...agreed(move, others, sides[other], block, part[other]))
          if (moved !== undefined) yield moved
        }
      }
    }
  }
}

function overlap(a: Span, b: Span): boolean {
  return a.from < b.to && b.from < a.to
}

/** The least span that holds both. */
function hull(a: Span, b: Span): Span {
  return { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) }
}

/**
 * The moves of both sides, of the same lines of the base: all that either moved where both went to one place, for one may
 * have changed its ends; else what both moved.
 */
function agreed(own: Move, others: Move, other: MovedSide, block: Span, home: Span): [own: Move, others: Move] | [] {
  const isSame = ({ before, from }: Move) => before === own.before && overlap(from, own.from)
  const wider = isSame(others) ? other.find(block, home).find(isSame) : undefined
  if (wider !== undefined) {
    const from = hull(own.from, wider.from)
    if (other.isGone(from)) {
      return [
        { ...own, from },
        { ...wider, from },
      ]
    }
  }
  const from = {
    from: Math.max(own.from.from, others.from.from),
    to: Math.min(own.from.to, others.from.to),
  }
  return size(from) > 0 && other.isGone(from) ? [within(own, from), within(others, from)] : []
}

/** The same move, of fewer lines. */
function within(move: Move, from: Span): Move {
  return { ...move, from, lines: move.lines.map((line) => (line >= from.from && line < from.to ? line : NONE)) }
}

/** Looks for blocks among the lines that one side put. */
class MovedSide {
  /** By line of the base: the line of this side that it is, or NONE. */
  readonly toSide: Int32Array
  readonly #three: ThreeWay
  readonly #side: Side
  /** Made when they are needed. */
  #puts: Puts | undefined
  /** By token: how many lines of the base have it. */
  #counts: Map<number, number> | undefined

  constructor(three: ThreeWay, name: SideName) {
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

/** Makes a side's move in the base and on the other side. */
function moveBoth(
  three: ThreeWay,
  name: SideName,
  other: SideName,
  move: Move,
  toOther: Int32Array,
): ThreeWay | undefined {
  const theirs = blockOf(move, toOther, three[other].tokens.length)
  if (theirs === undefined) return undefined
  const base = reordered(three.base, move.from, move.before)
  const moved = reordered(three[other], theirs.block, theirs.before)
  const inBase = permuted(rebased(three[other], base.at).inBase, moved.at)
  const side = matched(three[name], move, base.at)
  return {
    ...three,
    base: base.version,
    disputed: disputedAt(three, base.at),
    ...sides(name, side, { ...moved.version, inBase, moved: undefined }),
  }
}

/** Makes a move in the base that both sides made, and disputes it where they went to different places. */
function movedByBoth(
  three: ThreeWay,
  name: SideName,
  other: SideName,
  own?: Move,
  others?: Move,
): ThreeWay | undefined {
  if (own === undefined || others === undefined) return undefined
  const { version: base, at } = reordered(three.base, own.from, own.before)
  const disputed = disputedAt(three, at)
  const side = matched(three[name], own, at)
  if (own.before === others.before) {
    return { ...three, base, disputed, ...sides(name, side, matched(three[other], others, at)) }
  }
  for (let i = own.from.from; i < own.from.to; i++) disputed.add(at[i] as number)
  return { ...three, base, disputed, ...sides(name, side, rebased(three[other], at)) }
}

function disputedAt({ disputed }: ThreeWay, at: Int32Array): Set<number> {
  return new Set([...(disputed ?? [])].map((line) => at[line] as number))
}

function sides(name: SideName, one: Side, other: Side): Pick<ThreeWay, SideName> {
  return name === 'left' ? { left: one, right: other } : { left: other, right: one }
}

/** Which lines of the other side are the block, and where they have to go; undefined where that is not clear. */
function blockOf(
  { from, before }: Move,
  toOther: Int32Array,
  count: number,
): { block: Span; before: number } | undefined {
  const lineAt = (line: number) => (line < 0 ? NONE : line >= toOther.length ? count : (toOther[line] as number))
  const isKnown = (line: number) => line < 0 || lineAt(line) !== NONE
  // A change at the block's edge belongs to it if the line beyond the edge is as it was.
  if (!isKnown(from.from) && !isKnown(from.from - 1)) return undefined
  if (!isKnown(from.to - 1) && !isKnown(from.to)) return undefined
  const start = lineAt(from.from) === NONE ? lineAt(from.from - 1) + 1 : lineAt(from.from)
  const end = lineAt(from.to - 1) === NONE ? lineAt(from.to) : lineAt(from.to - 1) + 1
  // Where the block goes nothing may have changed.
  const [above, below] = [before - 1, before]
  if (!isKnown(above) || lineAt(below) === NONE || lineAt(below) !== lineAt(above) + 1) return undefined
  return { block: { from: start, to: end }, before: lineAt(below) }
}

/** A version with a block moved before another line of it, and where each line is afterwards. */
function reordered(version: Version, block: Span, before: number): { version: Version; at: Int32Array } {
  const count = version.tokens.length
  const lines = Array.from({ length: count }, (_, i) => i)
  const cut = lines.splice(block.from, size(block))
  lines.splice(before > block.from ? before - size(block) : before, 0, ...cut)
  const at = new Int32Array(count)
  for (let i = 0; i < count; i++) at[lines[i] as number] = i
  const { tokens, runs, indexes, numbers } = version
  const own = numbers ?? Int32Array.from({ length: count }, (_, i) => i)
  return {
    version: {
      tokens: permuted(tokens, at),
      runs: permuted(runs, at),
      indexes: permuted(indexes, at),
      numbers: permuted(own, at),
    },
    at,
  }
}

function permuted(values: Int32Array, at: Int32Array): Int32Array {
  const out = new Int32Array(values.length)
  for (let i = 0; i < values.length; i++) out[at[i] as number] = values[i] as number
  return out
}

/** A side, told in lines of a base whose line `i` is now at `at[i]`. */
function rebased(side: Side, at: Int32Array): Side {
  return { ...side, inBase: side.inBase.map((line) => (line === NONE ? NONE : (at[line] as number))), moved: undefined }
}

/** The same, with the lines of a moved block known to be the base's. */
function matched(side: Side, { to, lines }: Move, at: Int32Array): Side {
  const known = rebased(side, at)
  for (let k = 0; k < lines.length; k++) {
    if (lines[k] !== NONE) known.inBase[to.from + k] = at[lines[k] as number] as number
  }
  return known
}
