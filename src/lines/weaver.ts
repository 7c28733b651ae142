/**
 * The weaver: adds the successive states of one file to its weave.
 *
 * Each state is diffed against the one it grew out of; lines that are new become runs, lines that are gone become
 * tombstones. The weave itself is a linked list over all lines ever, because all that is asked of it is what follows a
 * line (the right neighbour of an insert) and, where states are joined, a walk over everything in order.
 *
 * States are immutable values and may be kept or dropped; any of them can be grown on, so branches need nothing
 * special. Versions are numbers in causal order: a new run or tombstone is known by the version's number until seqs are
 * given out, and its place is kept as its two neighbours until positions can be computed from them (`placeRun`).
 * @module
 */
import { compareBytes, concatBytes } from '../base/bytes.js'
import { getOrMake } from '../base/map.js'
import type { Lseq } from '../lseq/lseq.js'
import { diffContents, type Lines, NO_LINES } from './edit.js'
import { HUNK_FIELDS } from './hunk.js'
import { LineInterner, LineList } from './intern.js'
import type { Origin } from './origin.js'
import { linePosition, runPosition } from './position.js'
import { lineStarts, NEWLINE } from './split.js'
import { lineCount, type Weave } from './weave.js'

/** A run ends before the line that would make it longer than this; one long line may be a run alone. */
export const RUN_BYTES = 32 * 1024

/** A place between two lines: a run and the index of a line in it. */
interface LineRef {
  readonly run: WovenRun
  readonly index: number
}

/** A run of the weave, old or new. */
export interface WovenRun {
  readonly version: number
  readonly text: Uint8Array
  readonly count: number
  /** Neighbours at the time of the insert; undefined at the ends of the file. Unused once `position` is known. */
  readonly left: LineRef | undefined
  readonly right: LineRef | undefined
  /** Lseq and position: known from the start for a stored run, given later to a new one. */
  seq: number
  stream: number
  position: Uint8Array | undefined
  /** Which of its lines were put before, elsewhere; ascending. */
  readonly origins: readonly WovenOrigin[]
}

/** Lines `[from, to)` of a run that were put before: as lines of another run, or known by the first one's lseq. */
export interface WovenOrigin {
  readonly from: number
  readonly to: number
  readonly source: LineRef | Lseq
}

/** Lines of one run that one version deleted. */
export interface WovenTombstone {
  readonly version: number
  readonly run: WovenRun
  /** Pairs `from, to`, half-open, ascending, not touching. */
  readonly ranges: number[]
  /** Known from the start for a stored tombstone, given later to a new one. */
  seq: number
}

/** A state of the file: its lines as bytes, as tokens, and as line numbers of the weave. */
export interface FileState extends Lines {
  readonly lines: Int32Array
}

/** The state before the first version, or of a file without lines. */
export const NO_STATE: FileState = { ...NO_LINES, lines: new Int32Array(0) }

/** What one version adds to the weave. */
export interface Woven {
  readonly state: FileState
  readonly runs: readonly WovenRun[]
  readonly tombstones: readonly WovenTombstone[]
  /** New runs some of whose lines come from one of the sources. Their origin entries have seqs of their own. */
  readonly moved: readonly { readonly run: WovenRun; seq: number }[]
}

const END = -1

/** One file in the making. */
export class Weaver {
  readonly #interner = new LineInterner()
  /** By line: what follows it in the weave, its token, its run. A run's lines are numbered in a row. */
  #next = new Int32Array(256)
  #token = new Int32Array(256)
  #run = new Int32Array(256)
  #lineCount = 0
  #first = END
  readonly #runs: WovenRun[] = []
  /** By run: number of its first line. */
  readonly #firstLine: number[] = []
  /** By run: what deleted lines of it. */
  readonly #tombstones: WovenTombstone[][] = []

  /**
   * Takes over a stored weave, before anything else is done.
   *
   * @param versionOf - Number of the version that holds an lseq.
   */
  load(weave: Weave, versionOf: (slot: number, seq: number) => number, streamOf: (slot: number) => number): void {
    for (const stored of weave.runs) {
      const { seq, slot, position, text, tombstones } = stored
      const count = lineCount(stored)
      const version = versionOf(slot, seq)
      const run: WovenRun = {
        version,
        text,
        count,
        left: undefined,
        right: undefined,
        seq,
        stream: streamOf(slot),
        position,
        origins: stored.origins.map(({ from, to, ...lseq }) => ({ from, to, source: lseq })),
      }
      this.#addLines(run, lineTokens(text, this.#interner), 0, count)
      for (const tombstone of tombstones) {
        const by = versionOf(tombstone.slot, tombstone.seq)
        this.#tombstones.at(-1)?.push({ version: by, run, ranges: [...tombstone.ranges], seq: tombstone.seq })
      }
    }
    let last = END
    for (const { run, from, to: uncounted } of weave.pieces) {
      const to = Math.min(uncounted, (this.#runs[run] as WovenRun).count)
      if (from >= to) continue
      const start = (this.#firstLine[run] as number) + from
      if (last === END) this.#first = start
      else this.#next[last] = start
      for (let line = start; line < start + to - from - 1; line++) this.#next[line] = line + 1
      last = start + to - from - 1
    }
    if (last !== END) this.#next[last] = END
  }

  /** The state in which exactly the versions count that `covers` says yes to. Walks the whole weave. */
  stateAt(covers: (version: number) => boolean): FileState {
    const dead: (Uint8Array | undefined)[] = this.#runs.map((run, i) => {
      if (!covers(run.version)) return undefined
      const flags = new Uint8Array(run.count)
      for (const { version, ranges } of this.#tombstones[i] as WovenTombstone[]) {
        if (!covers(version)) continue
        for (let r = 0; r < ranges.length; r += 2) flags.fill(1, ranges[r], ranges[r + 1])
      }
      return flags
    })
    const lines: number[] = []
    for (let line = this.#first; line !== END; line = this.#next[line] as number) {
      const run = this.#run[line] as number
      if (dead[run]?.[line - (this.#firstLine[run] as number)] === 0) lines.push(line)
    }
    return this.#stateOf(Int32Array.from(lines))
  }

  /**
   * Adds the state `bytes` as version `version`, grown out of `from`.
   *
   * @param bytes - The new content; not kept beyond the returned state.
   * @param sources - Other states, in order of preference, from which lines that are new to `from` may have come.
   */
  weave(from: FileState, bytes: Uint8Array, version: number, sources: readonly FileState[] = []): Woven {
    const { tokens, starts, hunks } = diffContents(from, bytes, this.#interner)
    const come = hunks.length > 0 ? this.#whence(bytes, sources) : undefined
    const lines = new Int32Array(tokens.length)
    const runs: WovenRun[] = []
    const gone = new Map<number, WovenTombstone>()
    let kept = 0
    for (let h = 0; h < hunks.length; h += HUNK_FIELDS) {
      const aStart = hunks[h] as number
      const aEnd = hunks[h + 1] as number
      const bStart = hunks[h + 2] as number
      const bEnd = hunks[h + 3] as number
      lines.set(from.lines.subarray(kept, aStart), bStart - (aStart - kept))
      kept = aEnd
      for (let i = aStart; i < aEnd; i++) this.#delete(from.lines[i] as number, version, gone)
      let left = aEnd > 0 ? (from.lines[aEnd - 1] as number) : END
      for (let start = bStart; start < bEnd; ) {
        const end = runEnd(starts, start, bEnd)
        const first = this.#insert(left, version, bytes, tokens, starts, start, end, come)
        runs.push(this.#runs.at(-1) as WovenRun)
        for (let i = start; i < end; i++) lines[i] = first + i - start
        left = first + end - start - 1
        start = end
      }
    }
    lines.set(from.lines.subarray(kept), tokens.length - (from.lines.length - kept))
    const tombstones = [...gone.values()]
    for (const [run, tombstone] of gone) (this.#tombstones[run] as WovenTombstone[]).push(tombstone)
    const moved = runs.filter(({ origins }) => origins.length > 0).map((run) => ({ run, seq: 0 }))
    return { state: { bytes, tokens, starts, lines }, runs, tombstones, moved }
  }

  /** For each line of a content the line of the weave that it is in the first source that has it; END for none. */
  #whence(bytes: Uint8Array, sources: readonly FileState[]): Int32Array | undefined {
    let come: Int32Array | undefined
    for (const source of sources) {
      const { tokens, hunks } = diffContents(source, bytes, this.#interner)
      come ??= new Int32Array(tokens.length).fill(END)
      // Between two hunks both sides run in step.
      let a = 0
      let b = 0
      for (let h = 0; h <= hunks.length; h += HUNK_FIELDS) {
        const end = h < hunks.length ? (hunks[h + 2] as number) : tokens.length
        for (; b < end; a++, b++) if (come[b] === END) come[b] = source.lines[a] as number
        a = hunks[h + 1] as number
        b = hunks[h + 3] as number
      }
    }
    return come
  }

  /** The origins of lines `[start, end)` of a content. */
  #origins(come: Int32Array | undefined, start: number, end: number): WovenOrigin[] {
    const origins: WovenOrigin[] = []
    if (come === undefined) return origins
    for (let i = start; i < end; ) {
      const line = come[i] as number
      const run = this.#run[line]
      let length = 1
      if (line !== END) {
        while (i + length < end && come[i + length] === line + length && this.#run[line + length] === run) length++
        origins.push({ from: i - start, to: i - start + length, source: this.#refTo(line) as LineRef })
      }
      i += length
    }
    return origins
  }

  #insert(
    left: number,
    version: number,
    bytes: Uint8Array,
    tokens: Int32Array,
    starts: Uint32Array,
    start: number,
    end: number,
    come: Int32Array | undefined,
  ): number {
    const right = left === END ? this.#first : (this.#next[left] as number)
    const run: WovenRun = {
      version,
      // A copy: a view would keep the whole content alive for as long as the run.
      text: Buffer.from(bytes.subarray(starts[start], starts[end])),
      count: end - start,
      left: this.#refTo(left),
      right: this.#refTo(right),
      seq: 0,
      stream: 0,
      position: undefined,
      origins: this.#origins(come, start, end),
    }
    const first = this.#addLines(run, tokens, start, end)
    if (left === END) this.#first = first
    else this.#next[left] = first
    this.#next[first + run.count - 1] = right
    return first
  }

  /** Numbers a run's lines in a row, linked to each other, and returns the first. */
  #addLines(run: WovenRun, tokens: Int32Array, start: number, end: number): number {
    const first = this.#lineCount
    const count = end - start
    this.#reserve(first + count)
    for (let i = 0; i < count; i++) this.#next[first + i] = first + i + 1
    this.#token.set(tokens.subarray(start, end), first)
    this.#run.fill(this.#runs.length, first, first + count)
    this.#lineCount = first + count
    this.#runs.push(run)
    this.#firstLine.push(first)
    this.#tombstones.push([])
    return first
  }

  #delete(line: number, version: number, gone: Map<number, WovenTombstone>): void {
    const run = this.#run[line] as number
    const index = line - (this.#firstLine[run] as number)
    const tombstone = gone.get(run)
    if (tombstone === undefined) {
      gone.set(run, { version, run: this.#runs[run] as WovenRun, ranges: [index, index + 1], seq: 0 })
    } else if (tombstone.ranges.at(-1) === index) {
      tombstone.ranges[tombstone.ranges.length - 1] = index + 1
    } else tombstone.ranges.push(index, index + 1)
  }

  #refTo(line: number): LineRef | undefined {
    if (line === END) return undefined
    const run = this.#run[line] as number
    return { run: this.#runs[run] as WovenRun, index: line - (this.#firstLine[run] as number) }
  }

  #stateOf(lines: Int32Array): FileState {
    const parts: Uint8Array[] = []
    const tokens = new Int32Array(lines.length)
    const starts = new Uint32Array(lines.length + 1)
    const startsOf = new Map<number, Uint32Array>()
    let offset = 0
    let ragged = false
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i] as number
      const number = this.#run[line] as number
      const run = this.#runs[number] as WovenRun
      const within = getOrMake(startsOf, number, () => lineStarts(run.text))
      const index = line - (this.#firstLine[number] as number)
      const text = run.text.subarray(within[index], within[index + 1])
      parts.push(text)
      tokens[i] = this.#token[line] as number
      starts[i] = offset
      offset += text.length
      if (text.at(-1) !== NEWLINE && i < lines.length - 1) ragged = true
    }
    starts[lines.length] = offset
    return { bytes: concatBytes(...parts), tokens, starts, lines, ragged }
  }

  #reserve(count: number): void {
    if (count <= this.#next.length) return
    const size = Math.max(count, 2 * this.#next.length)
    const grow = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const grown = new Int32Array(size)
      grown.set(old)
      return grown
    }
    this.#next = grow(this.#next)
    this.#token = grow(this.#token)
    this.#run = grow(this.#run)
  }
}

/** The position of a new run, whose neighbours have theirs. Call in the order in which the runs were woven. */
export function placeRun(run: WovenRun): Uint8Array {
  const { left, right } = run
  const leftPosition = left && linePosition(positionOf(left.run), left.index)
  const rightPosition = right && rightBound(right, leftPosition)
  const newer = left !== undefined && right !== undefined && isNewer(right.run, left.run) ? 'right' : 'left'
  const edge = left === undefined ? 'right' : newer
  run.position = runPosition(leftPosition, rightPosition, edge, run.seq, run.stream)
  return run.position
}

/**
 * What a run put before a line has to stay below: for a run's first line the run's own position, so that nothing gets
 * between the two. Somebody who did not know the run may by chance have chosen its very position for digits, with streams
 * whose ids are neighbours; then there is something between the two already, and more of it may follow.
 */
function rightBound({ run, index }: LineRef, left: Uint8Array | undefined): Uint8Array {
  const position = positionOf(run)
  const before = index === 0 && (left === undefined || compareBytes(left, position) < 0)
  return before ? position : linePosition(position, index)
}

/** A new run's origins, once the runs that they come from have their seqs: each stretch back to where it was first put. */
export function originsOf(run: WovenRun): Origin[] {
  return run.origins.flatMap(({ from, to, source }) => traced(source, from, to))
}

/** Lines `[from, to)`, which are those from `source` on, by the lseqs they were first put with. */
function traced(source: LineRef | Lseq, from: number, to: number): Origin[] {
  if ('seq' in source) return [{ from, to, seq: source.seq, stream: source.stream }]
  const { run, index } = source
  const end = index + to - from
  const found: Origin[] = []
  let at = index
  const own = (until: number): void => {
    if (at < until)
      found.push({ from: from + at - index, to: from + until - index, seq: run.seq + at, stream: run.stream })
    at = Math.max(at, until)
  }
  for (const origin of run.origins) {
    const start = Math.max(origin.from, index)
    const stop = Math.min(origin.to, end)
    if (start >= stop) continue
    own(start)
    const skipped = start - origin.from
    const { source: before } = origin
    const shifted =
      'seq' in before
        ? { seq: before.seq + skipped, stream: before.stream }
        : { run: before.run, index: before.index + skipped }
    found.push(...traced(shifted, from + start - index, from + stop - index))
    at = stop
  }
  own(end)
  return found
}

function isNewer(a: WovenRun, b: WovenRun): boolean {
  return a.seq - b.seq > 0
}

function positionOf(run: WovenRun): Uint8Array {
  if (run.position === undefined) throw new TypeError('placeRun: expected a neighbour with a position, got one without')
  return run.position
}

/** Where the run that begins with line `start` ends. */
function runEnd(starts: Uint32Array, start: number, limit: number): number {
  let end = start + 1
  const most = (starts[start] as number) + RUN_BYTES
  while (end < limit && (starts[end + 1] as number) <= most) end++
  return end
}

function lineTokens(text: Uint8Array, interner: LineInterner): Int32Array {
  const list = new LineList()
  interner.internRange(text, 0, text.length, list)
  return list.tokens.subarray(0, list.length)
}
