/**
 * A walk over a file's entries that meets the lines of one state, in file order.
 *
 * The weave (weave.ts) keeps everything of every line, to answer for any state. Whoever wants one state and nothing else
 * reads the same entries with the same stack and builds nothing: a run that is not covered costs a look at its key, and
 * one that is whole costs no look at its lines. Five times as fast.
 *
 *     stack     run            end of its position   lines told so far
 *               A (covered)    9                     3, up to byte 120 of its text
 *               B (not)        18                    -
 *
 * A run not covered is on the stack all the same: runs of other branches may have been put inside it.
 *
 * What is met is told as pieces of texts. content.ts joins them to the file's bytes, pieces.ts keeps who put them.
 * @module
 */
import { CodedError } from '../base/error.js'
import type { EntryBatch } from '../lseq/batch.js'
import { LSEQ_BYTES, readSeq, readStream } from '../lseq/lseq.js'
import type { Streams, Vector } from '../lseq/vector.js'
import { decodeOrigins, holdsOrigins, type Origin } from './origin.js'
import { linesBefore } from './position.js'
import { NEWLINE } from './split.js'
import { decodeRanges } from './tombstone.js'

/** A covered run being read. */
export interface OpenRun {
  /** The lseq of its first line. */
  readonly seq: number
  readonly stream: number
  readonly bytes: Uint8Array
  /** Where its next line starts, and what number that is. */
  at: number
  line: number
  readonly end: number
  /** Lines that covered tombstones take out: pairs `from, to`, ascending, not touching. */
  dead: readonly number[]
  /** Index into `dead`: pairs before it are behind `line`. */
  nextDead: number
  /** Which of its lines were put before, elsewhere. */
  origins: readonly Origin[]
}

const NO_LINES: readonly number[] = []
const NO_ORIGINS: readonly Origin[] = []

/** Reads one file after the other. What extends it says what is done with the lines. */
export abstract class StateWalk {
  readonly #streams: Streams
  readonly #vector: Vector
  /** The open runs: keys with the places where their positions end, and the runs that are covered. */
  readonly #keys: Uint8Array[] = []
  readonly #starts: number[] = []
  readonly #depths: number[] = []
  readonly #runs: (OpenRun | undefined)[] = []
  #stream = -1
  #slot: number | undefined

  constructor(streams: Streams, vector: Vector) {
    this.#streams = streams
    this.#vector = vector
  }

  /**
   * Some lines of a run, next in file order.
   *
   * @param from - They are `run.bytes[from, to)`.
   * @param line - Number of the first one within the run.
   */
  protected abstract tell(run: OpenRun, from: number, to: number, line: number): void

  /**
   * Takes the entries `[from, to)` of a batch, all of the same file, in key order.
   *
   * @param prefix - Bytes of a key before the position.
   * @throws {CodedError} `BAD_WEAVE`, `BAD_RECORD` for what no writer makes.
   */
  push(batch: EntryBatch, from: number, to: number, prefix: number): void {
    const { keys, keyStarts, keyEnds } = batch
    for (let i = from; i < to; i++) {
      const start = (keyStarts[i] as number) + prefix
      const length = (keyEnds[i] as number) - start
      if (length <= LSEQ_BYTES) throw new CodedError('BAD_WEAVE', 'A line entry has a key too short for a position.')
      const depth = this.#close(keys, start, length)
      const top = this.#runs.length - 1
      const at = start + length - LSEQ_BYTES
      if (length === depth + 1 + LSEQ_BYTES && keys[start + depth] === 0) {
        if (top < 0) throw new CodedError('BAD_WEAVE', 'A tombstone stands without its run.')
        const run = this.#runs[top]
        if (run !== undefined) {
          const value = batch.value(i)
          if (holdsOrigins(value)) run.origins = decodeOrigins(value)
          else if (this.#covers(keys, at)) bury(run, decodeRanges(value))
        }
        continue
      }
      if (top >= 0) {
        const run = this.#runs[top]
        if (run !== undefined) this.#tell(run, linesBefore(keys, start + depth))
      }
      this.#keys.push(keys)
      this.#starts.push(start)
      this.#depths.push(length)
      this.#runs.push(this.#covers(keys, at) ? opened(batch, i, readSeq(keys, at), this.#stream) : undefined)
    }
  }

  /** The file whose entries were taken ends; the next one begins. */
  protected closeAll(): void {
    while (this.#runs.length > 0) this.#pop()
  }

  /** Closes the runs that a key does not lie in, and returns how long the position of the last one left is. */
  #close(keys: Uint8Array, start: number, length: number): number {
    const depths = this.#depths
    let depth = 0
    let level = 0
    for (; level < depths.length; level++) {
      const end = depths[level] as number
      const other = this.#keys[level] as Uint8Array
      const otherStart = this.#starts[level] as number
      if (end > length) break
      let k = depth
      while (k < end && keys[start + k] === other[otherStart + k]) k++
      if (k < end) break
      depth = end
    }
    while (depths.length > level) this.#pop()
    return depth
  }

  #pop(): void {
    const run = this.#runs.pop()
    this.#keys.pop()
    this.#starts.pop()
    this.#depths.pop()
    if (run !== undefined) this.#tell(run, Number.POSITIVE_INFINITY)
  }

  #covers(keys: Uint8Array, at: number): boolean {
    const stream = readStream(keys, at)
    if (stream !== this.#stream) {
      this.#stream = stream
      this.#slot = this.#streams.find(stream)
    }
    return this.#slot !== undefined && this.#vector.covers(this.#slot, readSeq(keys, at))
  }

  /** Tells a run's lines before line `to`, but for those that are dead. */
  #tell(run: OpenRun, to: number): void {
    const { dead } = run
    while (run.line < to && run.at < run.end) {
      const deadFrom = dead[run.nextDead] ?? Number.POSITIVE_INFINITY
      if (deadFrom > run.line) {
        const { at, line } = run
        skip(run, Math.min(deadFrom, to))
        this.tell(run, at, run.at, line)
      } else {
        const deadTo = dead[run.nextDead + 1] as number
        skip(run, Math.min(deadTo, to))
        if (run.line >= deadTo) run.nextDead += 2
      }
    }
  }
}

function opened({ values, valueStarts, valueEnds }: EntryBatch, i: number, seq: number, stream: number): OpenRun {
  const at = valueStarts[i] as number
  const end = valueEnds[i] as number
  return { seq, stream, bytes: values, at, line: 0, end, dead: NO_LINES, nextDead: 0, origins: NO_ORIGINS }
}

/** Goes on to the start of line `to`, or the end. */
function skip(run: OpenRun, to: number): void {
  if (to === Number.POSITIVE_INFINITY) {
    run.at = run.end
    return
  }
  const { bytes, end } = run
  let { at, line } = run
  while (line < to && at < end) if (bytes[at++] === NEWLINE) line++
  run.at = at
  run.line = line
}

/** Takes lines out of a run, before any of it has been told. */
function bury(run: OpenRun, ranges: readonly number[]): void {
  run.dead = run.dead.length === 0 ? ranges : union(run.dead, ranges)
}

/** The union of two lists of ranges. */
function union(a: readonly number[], b: readonly number[]): number[] {
  const joined: number[] = []
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const fromA = j >= b.length || (i < a.length && (a[i] as number) <= (b[j] as number))
    const from = (fromA ? a[i] : b[j]) as number
    const to = (fromA ? a[i + 1] : b[j + 1]) as number
    if (fromA) i += 2
    else j += 2
    const last = joined.length - 1
    if (last >= 0 && (joined[last] as number) >= from) joined[last] = Math.max(joined[last] as number, to)
    else joined.push(from, to)
  }
  return joined
}
