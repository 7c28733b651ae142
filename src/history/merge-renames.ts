/**
 * Files that were moved without anybody saying so.
 *
 * A file keeps its id when it is moved, if the version that moves it says so. Somebody may have put the copy in one version
 * and deleted the original in another, or changed so much on the way that nobody recognised it. That matters where the other
 * side changed the original: then the files that the deleting side added are compared with it, as git does it. The most
 * alike is taken for the moved one, if half of the larger of the two is common lines.
 * @module
 */
import { LineInterner, LineList } from '../lines/intern.js'
import { contentAt } from '../lines/weave.js'
import type { FileCase, Placed, SideName } from './merge-cases.js'
import { isEdited, isText } from './merge-file.js'
import { type LinesContext, readWeave } from './merge-lines.js'

/** Files compared with each other at most: beyond this nobody is searched for. */
const MOST_PAIRS = 1000

/** Sizes compared at most, to find those pairs. */
const MOST_CANDIDATES = 100_000

/** A file that a side deleted and the other changed, and one that the deleting side added. */
interface Pair {
  readonly gone: FileCase
  readonly added: FileCase
  readonly side: SideName
  readonly likeness: number
}

/** The cases, with those joined that are one file on the move. */
export async function findRenames(context: LinesContext, cases: readonly FileCase[]): Promise<readonly FileCase[]> {
  const pairs = (['left', 'right'] as const).flatMap((side) => {
    const gone = cases.filter((one) => isGone(one, side))
    const added = gone.length === 0 ? [] : cases.filter((one) => isAdded(one, side))
    if (gone.length * added.length > MOST_CANDIDATES) return []
    return gone.flatMap((one) => added.map((other) => ({ gone: one, added: other, side })))
  })
  const likely = pairs.filter(({ gone, added, side }) => mayBeAlike(gone.base as Placed, added[side] as Placed))
  if (likely.length === 0 || likely.length > MOST_PAIRS) return cases
  const contents = new Contents(context)
  const found: Pair[] = []
  for (const pair of likely) {
    const likeness = await contents.likeness(pair.gone.base as Placed, pair.added[pair.side] as Placed, pair.side)
    if (likeness >= 0.5) found.push({ ...pair, likeness })
  }
  const joined = new Map<FileCase, FileCase>()
  const used = new Set<FileCase>()
  for (const { gone, added, side } of found.sort((a, b) => b.likeness - a.likeness)) {
    if (joined.has(gone) || used.has(added)) continue
    joined.set(gone, { ...gone, [side]: added[side] as Placed })
    used.add(added)
  }
  return cases.filter((one) => !used.has(one)).map((one) => joined.get(one) ?? one)
}

/** Whether `side` deleted a text that the other changed. */
function isGone({ base, left, right }: FileCase, side: SideName): boolean {
  const [own, other] = side === 'left' ? [left, right] : [right, left]
  if (base === undefined || own !== undefined || other === undefined) return false
  return isText(base) && isText(other) && isEdited(base, other)
}

/** Whether `side` added a text, and nobody else has it. */
function isAdded({ base, left, right }: FileCase, side: SideName): boolean {
  const [own, other] = side === 'left' ? [left, right] : [right, left]
  return base === undefined && other === undefined && own !== undefined && isText(own)
}

function mayBeAlike(a: Placed, b: Placed): boolean {
  return Math.min(a.size, b.size) * 2 >= Math.max(a.size, b.size) && a.size > 0
}

/** Contents as counts of their lines. */
class Contents {
  readonly #context: LinesContext
  readonly #interner = new LineInterner()
  readonly #known = new Map<Placed, Int32Array>()

  constructor(context: LinesContext) {
    this.#context = context
  }

  /** Bytes of common lines, as a share of the larger of the two. */
  async likeness(base: Placed, other: Placed, side: SideName): Promise<number> {
    if (Buffer.compare(base.sha256, other.sha256) === 0) return 1
    const [a, b] = [await this.#lines(base, 'base'), await this.#lines(other, side)]
    const counts = new Map<number, number>()
    for (const token of a) counts.set(token, (counts.get(token) ?? 0) + 1)
    let common = 0
    for (const token of b) {
      const count = counts.get(token) ?? 0
      if (count === 0) continue
      counts.set(token, count - 1)
      common += this.#interner.line(token).length
    }
    return common / Math.max(base.size, other.size)
  }

  async #lines(placed: Placed, version: 'base' | SideName): Promise<Int32Array> {
    const known = this.#known.get(placed)
    if (known !== undefined) return known
    const bytes = contentAt(await readWeave(this.#context, placed.file), this.#context[version])
    const list = new LineList()
    this.#interner.internRange(bytes, 0, bytes.length, list)
    const tokens = list.tokens.slice(0, list.length)
    this.#known.set(placed, tokens)
    return tokens
  }
}
