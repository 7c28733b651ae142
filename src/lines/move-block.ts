/**
 * Makes a side's move of a block in the base and on the other side too, as if the block had always been there.
 * @module
 */
import { type Span, size } from './merge.js'
import type { Move } from './moved-blocks.js'
import { NONE, type Side, type ThreeWay, type Version } from './three-way.js'

export type SideName = 'left' | 'right'

/** Makes a side's move in the base and on the other side. */
export function moveBoth(
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
export function movedByBoth(
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
