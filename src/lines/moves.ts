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
import { isDisputed, mergeParts, type Part, type Span, size } from './merge.js'
import { moveBoth, movedByBoth } from './move-block.js'
import { type Move, MovedSide, overlap } from './moved-blocks.js'
import { NONE, type ThreeWay } from './three-way.js'

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
