/**
 * Three versions of a file about to be merged, and which lines of either side are lines of the base.
 *
 * The base is what both sides have in common: the lines that both cover, less those of them whose deletion both cover; and
 * lines of which each has an incarnation of its own (identity.ts).
 * For histories that were merged criss-cross that is a state nobody ever had, and still the right one.
 *
 * Mostly identity says which lines are the same (`threeFromWeave`): one walk over the weave, with three flags for each line
 * (in base, in left, in right). Where the versions are of different files (both sides added one at the same path), text
 * has to say it (`threeFromTexts`).
 * @module
 */
import type { Lseq } from '../lseq/lseq.js'
import type { Streams, Vector } from '../lseq/vector.js'
import { diffTokens } from './diff.js'
import { HUNK_FIELDS } from './hunk.js'
import { Identities } from './identity.js'
import { LineInterner, LineList } from './intern.js'
import { lineCount, type Run, runStarts, type Weave } from './weave.js'

/** A version of a file as lines. */
export interface Version {
  /** One token per line, of the interner that all three versions share. */
  readonly tokens: Int32Array
  /** Where line `i` was put: number of its run, -1 where that is not known, and which line of the run it is. */
  readonly runs: Int32Array
  readonly indexes: Int32Array
  /** The number that each line really has; undefined where none was moved (moves.ts). */
  readonly numbers?: Int32Array
}

/** One side. */
export interface Side extends Version {
  /** By line: the line of the base that it is, or NONE. Ascending, but for NONE. */
  readonly inBase: Int32Array
  /** By line: the line of the base that was moved here, or NONE; undefined where nothing is known to have been moved. */
  readonly moved: Int32Array | undefined
}

/** Three versions of a file. */
export interface ThreeWay {
  readonly interner: LineInterner
  readonly base: Version
  readonly left: Side
  readonly right: Side
  /** Lines of the base about which the sides do not agree, whatever is there. */
  readonly disputed?: ReadonlySet<number>
}

/** No line. */
export const NONE = -1

const [LEFT, RIGHT, BASE] = [1, 2, 4]

/**
 * The three versions in a weave.
 *
 * @param given - The base, where it is not what both sides have in common.
 */
export function threeFromWeave(weave: Weave, left: Vector, right: Vector, given?: Vector): ThreeWay {
  const interner = new LineInterner()
  const versions = { base: new VersionBuilder(), left: new VersionBuilder(), right: new VersionBuilder() }
  const inBase = { left: [] as number[], right: [] as number[] }
  const flagsOf = weave.runs.map((run) => flagsAt(run, left, right, given))
  const identities = Identities.of(weave, left, right)
  const common = given === undefined && identities !== undefined ? commonLines(weave, identities, flagsOf) : NO_NAMES
  const line = new LineList()
  for (const { run: number, from, to } of weave.pieces) {
    const flags = flagsOf[number]
    if (flags === undefined) continue
    const run = weave.runs[number] as Run
    const starts = runStarts(run)
    const end = Math.min(to, flags.length)
    for (let i = from; i < end; i++) {
      let flag = flags[i] as number
      if (flag === 0) continue
      if ((flag & BASE) === 0 && common.size > 0 && common.delete((identities as Identities).name(run, i))) flag |= BASE
      line.length = 0
      interner.internLine(run.text, starts[i] as number, starts[i + 1] as number, line)
      const token = line.tokens[0] as number
      const base = flag & BASE ? versions.base.push(token, number, i) : NONE
      if (flag & LEFT) {
        versions.left.push(token, number, i)
        inBase.left.push(base)
      }
      if (flag & RIGHT) {
        versions.right.push(token, number, i)
        inBase.right.push(base)
      }
    }
  }
  const base = versions.base.finish()
  const sideOf = (name: 'left' | 'right'): Side => {
    const side = { ...versions[name].finish(), inBase: Int32Array.from(inBase[name]), moved: undefined }
    return identities === undefined ? side : followOrigins(weave, identities, base, side)
  }
  return { interner, base, left: sideOf('left'), right: sideOf('right') }
}

/** Three texts that do not share a weave. Lines are the same where a diff says so. */
export function threeFromTexts(base: Uint8Array, left: Uint8Array, right: Uint8Array): ThreeWay {
  const interner = new LineInterner()
  const [baseTokens, leftTokens, rightTokens] = [base, left, right].map((bytes) => {
    const list = new LineList()
    interner.internRange(bytes, 0, bytes.length, list)
    return list.tokens.slice(0, list.length)
  }) as [Int32Array, Int32Array, Int32Array]
  const side = (tokens: Int32Array): Side => ({
    ...unplaced(tokens),
    inBase: matches(baseTokens, tokens, interner),
    moved: undefined,
  })
  return { interner, base: unplaced(baseTokens), left: side(leftTokens), right: side(rightTokens) }
}

/** For each line of `b` the line of `a` that it is by their diff, or NONE. */
export function matches(a: Int32Array, b: Int32Array, interner: LineInterner): Int32Array {
  const found = new Int32Array(b.length).fill(NONE)
  const hunks = diffTokens(a, b, interner)
  let [x, y] = [0, 0]
  for (let h = 0; h <= hunks.length; h += HUNK_FIELDS) {
    const end = h < hunks.length ? (hunks[h + 2] as number) : b.length
    while (y < end) found[y++] = x++
    x = hunks[h + 1] as number
    y = hunks[h + 3] as number
  }
  return found
}

/** By line of the base: the line of a side that it is, or NONE. */
export function inverse(inBase: Int32Array, count: number): Int32Array {
  const to = new Int32Array(count).fill(NONE)
  for (let i = 0; i < inBase.length; i++) if (inBase[i] !== NONE) to[inBase[i] as number] = i
  return to
}

/** The lseq with which a line was put; undefined where the weave does not have it. */
export function lseqOfLine(weave: Weave, streams: Streams, { runs, indexes }: Version, line: number): Lseq | undefined {
  const run = weave.runs[runs[line] as number]
  return run && { seq: run.seq + (indexes[line] as number), stream: streams.id(run.slot) }
}

/** The lseqs of the tombstones by which a state deleted a line. */
export function deletersOf(weave: Weave, streams: Streams, version: Version, line: number, vector: Vector): Lseq[] {
  const run = weave.runs[version.runs[line] as number]
  if (run === undefined) return []
  const index = version.indexes[line] as number
  return run.tombstones
    .filter(({ slot, seq, ranges }) => vector.covers(slot, seq) && holds(ranges, index))
    .map(({ slot, seq }) => ({ seq, stream: streams.id(slot) }))
}

function holds(ranges: readonly number[], index: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (index < (ranges[i] as number)) return false
    if (index < (ranges[i + 1] as number)) return true
  }
  return false
}

/** Which lines of a run are in which version; undefined for a run of which none is. */
function flagsAt(run: Run, left: Vector, right: Vector, given: Vector | undefined): Uint8Array | undefined {
  const coveredBy = (slot: number, seq: number): number => {
    const byLeft = left.covers(slot, seq)
    const byRight = right.covers(slot, seq)
    const byBase = given === undefined ? byLeft && byRight : given.covers(slot, seq)
    return (byLeft ? LEFT : 0) | (byRight ? RIGHT : 0) | (byBase ? BASE : 0)
  }
  const alive = coveredBy(run.slot, run.seq)
  if (alive === 0) return undefined
  const flags = new Uint8Array(lineCount(run)).fill(alive)
  for (const { slot, seq, ranges } of run.tombstones) {
    const gone = coveredBy(slot, seq)
    if (gone === 0) continue
    for (let r = 0; r < ranges.length; r += 2) {
      for (let i = ranges[r] as number; i < (ranges[r + 1] as number); i++) flags[i] = (flags[i] as number) & ~gone
    }
  }
  return flags
}

const NO_NAMES = new Set<string>()

/** Names of lines that are in both sides, by different incarnations: the first of them counts as the base's. */
function commonLines(weave: Weave, identities: Identities, flagsOf: readonly (Uint8Array | undefined)[]): Set<string> {
  const sides = new Map<string, number>()
  weave.runs.forEach((run, number) => {
    const flags = flagsOf[number]
    flags?.forEach((flag, i) => {
      if (flag === 0 || (flag & BASE) !== 0 || !identities.isKnownToBoth(run, i)) return
      const name = identities.name(run, i)
      sides.set(name, (sides.get(name) ?? 0) | flag)
    })
  })
  return new Set([...sides].filter(([, flag]) => flag === (LEFT | RIGHT)).map(([name]) => name))
}

/**
 * Lines that a side put again, by an origin entry, are the lines they were at first: at the same place the very same line,
 * elsewhere a moved one.
 */
function followOrigins(weave: Weave, identities: Identities, base: Version, side: Side): Side {
  const nameOf = ({ runs, indexes }: Version, line: number) =>
    identities.name(weave.runs[runs[line] as number] as Run, indexes[line] as number)
  const known = new Set(side.inBase)
  const lineOf = new Map<string, number>()
  for (let i = 0; i < base.tokens.length; i++) {
    if (!known.has(i)) lineOf.set(nameOf(base, i), i)
  }
  const inBase = side.inBase.slice()
  const after = nextMatches(inBase)
  let moved: Int32Array | undefined
  let before = NONE
  for (let i = 0; i < inBase.length; i++) {
    if (inBase[i] === NONE) {
      const name = nameOf(side, i)
      const line = lineOf.get(name)
      if (line === undefined || base.tokens[line] !== side.tokens[i]) continue
      lineOf.delete(name)
      if (line > before && line < (after[i] as number)) inBase[i] = line
      else {
        moved ??= new Int32Array(inBase.length).fill(NONE)
        moved[i] = line
        continue
      }
    }
    before = inBase[i] as number
  }
  return { ...side, inBase, moved }
}

/** For each line the next line of the base that is matched behind it. */
function nextMatches(inBase: Int32Array): Float64Array {
  const after = new Float64Array(inBase.length)
  let next = Number.POSITIVE_INFINITY
  for (let i = inBase.length - 1; i >= 0; i--) {
    if (inBase[i] !== NONE) next = inBase[i] as number
    after[i] = next
  }
  return after
}

function unplaced(tokens: Int32Array): Version {
  const nowhere = new Int32Array(tokens.length).fill(NONE)
  return { tokens, runs: nowhere, indexes: nowhere }
}

class VersionBuilder {
  readonly #tokens: number[] = []
  readonly #runs: number[] = []
  readonly #indexes: number[] = []

  /** Adds a line and returns its number. */
  push(token: number, run: number, index: number): number {
    this.#runs.push(run)
    this.#indexes.push(index)
    return this.#tokens.push(token) - 1
  }

  finish(): Version {
    return {
      tokens: Int32Array.from(this.#tokens),
      runs: Int32Array.from(this.#runs),
      indexes: Int32Array.from(this.#indexes),
    }
  }
}
