/**
 * The weave: all lines a file ever had, in file order, with who put and who deleted each.
 *
 * A file's entries, read in key order, are its runs in file order, except that a run inserted into another lies inside
 * it. `WeaveBuilder` takes the entries one by one and keeps a stack of the runs it stands in; closing or interrupting a
 * run yields a *piece*, a range of its lines that nothing interrupts:
 *
 *     entries   A (5 lines)   A.2 B (2 lines)   C (1 line)
 *     stack     A             A B               C
 *     pieces    A[0,3)  B[0,2)  A[3,5)  C[0,1)
 *
 * The state of the file at a version vector is a filter: a line is in it if its run is covered and no covered
 * tombstone names it. Nothing is searched and nothing replayed; a weave answers for every state there ever was.
 *
 * Keys here are what follows `L | file id`: a run's position, or for a tombstone the run's position, 0x00, lseq.
 * After Rochkind's weave (SCCS, 1975), with identities in place of delta numbers.
 * @module
 */
import { concatBytes, startsWith } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { LSEQ_BYTES, readSeq, readStream } from '../lseq/lseq.js'
import type { Streams, Vector } from '../lseq/vector.js'
import { decodeOrigins, holdsOrigins, type Origin } from './origin.js'
import { linesBefore } from './position.js'
import { lineStarts } from './split.js'
import { decodeRanges } from './tombstone.js'

/** What deleted lines of a run: an entry of its own, covered or not like any other. */
export interface Tombstone {
  readonly seq: number
  readonly slot: number
  /** Pairs `from, to` of line indexes of the run, half-open, ascending. */
  readonly ranges: readonly number[]
}

/** Consecutive lines put by one change. Line `i` has the lseq `seq + i`. */
export interface Run {
  readonly seq: number
  /** Slot of the stream in the reader's `Streams`. */
  readonly slot: number
  readonly position: Uint8Array
  readonly text: Uint8Array
  /** Deletions of this run's lines, in lseq order. */
  readonly tombstones: Tombstone[]
  /** Which of its lines were put before, elsewhere. */
  origins: readonly Origin[]
  /** Offsets of the lines in `text`, filled on first use. */
  starts: Uint32Array | undefined
}

/**
 * Consecutive lines of a run: `[from, to)` of the run with the number `run`. A weave's pieces may say more lines than
 * the run has, as nobody has counted them yet: counting the lines of runs that no one looks at is half of the time it takes
 * to read a weave. Clip with `lineCount`; what `aliveAt` gives is clipped.
 */
export interface Piece {
  readonly run: number
  readonly from: number
  readonly to: number
}

/** A file's runs and their order. */
export interface Weave {
  readonly runs: readonly Run[]
  /** Every line of every run exactly once, in file order. */
  readonly pieces: readonly Piece[]
}

const NONE: readonly number[] = []
const NO_ORIGINS: readonly Origin[] = []

interface Open {
  readonly run: number
  readonly position: Uint8Array
  emitted: number
}

/** The end of a run whose lines have not been counted. */
const UNCOUNTED = Number.MAX_SAFE_INTEGER

/** Builds a weave from entries in key order. */
export class WeaveBuilder {
  readonly #streams: Streams
  readonly #runs: Run[] = []
  readonly #pieces: Piece[] = []
  readonly #stack: Open[] = []

  constructor(streams: Streams) {
    this.#streams = streams
  }

  /**
   * Takes the next entry.
   *
   * @param key - The key behind `L | file id`. Kept: hand over bytes that stay.
   * @param value - Raw lines of a run, or a tombstone's ranges. Kept.
   * @throws {CodedError} `BAD_WEAVE` for a key or value that no writer makes.
   */
  push(key: Uint8Array, value: Uint8Array): void {
    if (key.length <= LSEQ_BYTES) throw new CodedError('BAD_WEAVE', 'A line entry has a key too short for a position.')
    const seq = readSeq(key, key.length - LSEQ_BYTES)
    const slot = this.#streams.slot(readStream(key, key.length - LSEQ_BYTES))
    const stack = this.#stack
    let top = stack.at(-1)
    while (top !== undefined && !startsWith(key, top.position)) {
      this.#emit(top, UNCOUNTED)
      stack.pop()
      top = stack.at(-1)
    }
    const depth = top === undefined ? 0 : top.position.length
    // No position's digits end in 0: this is beside a run.
    if (key[key.length - LSEQ_BYTES - 1] === 0) {
      if (top === undefined || key.length !== depth + 1 + LSEQ_BYTES) {
        throw new CodedError('BAD_WEAVE', 'A tombstone stands without its run.')
      }
      const run = this.#runs[top.run] as Run
      if (!holdsOrigins(value)) run.tombstones.push({ seq, slot, ranges: decodeRanges(value) })
      else if (slot === run.slot && run.origins.length === 0) run.origins = decodeOrigins(value)
      else if (slot === run.slot) throw new CodedError('BAD_WEAVE', 'A run has two lists of origins.')
      else throw new CodedError('BAD_WEAVE', 'The origins of a run are of another stream than the run.')
      return
    }
    if (top !== undefined) this.#emit(top, linesBefore(key, depth))
    if (value.length === 0) throw new CodedError('BAD_WEAVE', 'A run has no lines.')
    stack.push({ run: this.#runs.length, position: key, emitted: 0 })
    this.#runs.push({ seq, slot, position: key, text: value, tombstones: [], origins: NO_ORIGINS, starts: undefined })
  }

  /** The weave of all entries taken. */
  finish(): Weave {
    for (let top = this.#stack.pop(); top !== undefined; top = this.#stack.pop()) this.#emit(top, UNCOUNTED)
    return { runs: this.#runs, pieces: this.#pieces }
  }

  #emit(open: Open, to: number): void {
    if (to <= open.emitted) return
    this.#pieces.push({ run: open.run, from: open.emitted, to })
    open.emitted = to
  }
}

/** Offsets of a run's lines in its text, and its length. */
export function runStarts(run: Run): Uint32Array {
  run.starts ??= lineStarts(run.text)
  return run.starts
}

/** How many lines a run has. */
export function lineCount(run: Run): number {
  return runStarts(run).length - 1
}

/** The bytes of lines `[from, to)` of a run. */
export function linesOf(run: Run, from: number, to: number): Uint8Array {
  const starts = runStarts(run)
  return run.text.subarray(starts[from], starts[to])
}

/** The pieces of the state at `vector`, in file order. */
export function* aliveAt(weave: Weave, vector: Vector): Generator<Piece> {
  // Undefined: not covered. Empty: all lines alive. Else the dead ranges of the run at this vector.
  const deadOf: (readonly number[] | undefined)[] = new Array(weave.runs.length)
  weave.runs.forEach((run, i) => {
    if (vector.covers(run.slot, run.seq)) deadOf[i] = deadRanges(run, vector)
  })
  for (const piece of weave.pieces) {
    const dead = deadOf[piece.run]
    if (dead === undefined) continue
    let from = piece.from
    const to = Math.min(piece.to, lineCount(weave.runs[piece.run] as Run))
    for (let i = 0; i < dead.length && from < to; i += 2) {
      const gapFrom = dead[i] as number
      const gapTo = dead[i + 1] as number
      if (gapTo <= from) continue
      if (gapFrom >= to) break
      if (gapFrom > from) yield { run: piece.run, from, to: gapFrom }
      from = gapTo
    }
    if (from < to) yield { run: piece.run, from, to }
  }
}

/** The union of the ranges that covered tombstones take out of a run. */
function deadRanges(run: Run, vector: Vector): readonly number[] {
  const covered = run.tombstones.filter((t) => vector.covers(t.slot, t.seq))
  if (covered.length <= 1) return covered[0]?.ranges ?? NONE
  const ranges: [from: number, to: number][] = []
  for (const { ranges: own } of covered) {
    for (let i = 0; i < own.length; i += 2) ranges.push([own[i] as number, own[i + 1] as number])
  }
  ranges.sort((a, b) => a[0] - b[0])
  const union: number[] = []
  for (const [from, to] of ranges) {
    const end = union.at(-1)
    if (end === undefined || end < from) union.push(from, to)
    else if (end < to) union[union.length - 1] = to
  }
  return union
}

/** The file's bytes at `vector`. */
export function contentAt(weave: Weave, vector: Vector): Uint8Array {
  const parts: Uint8Array[] = []
  for (const { run, from, to } of aliveAt(weave, vector)) parts.push(linesOf(weave.runs[run] as Run, from, to))
  return parts.length === 1 ? (parts[0] as Uint8Array) : concatBytes(...parts)
}
