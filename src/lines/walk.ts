/**
 * A walk over a file's entries that meets the lines of one state, in file order.
 *
 * The weave (weave.ts) keeps everything of every line, to answer for any state. Whoever wants one state and nothing else
 * reads the same entries with the same stack and builds nothing: an entry that is not covered costs a look at its lseq,
 * and a run that is whole costs no look at its lines. Five times as fast.
 *
 * Only covered runs are on the stack. A covered run inside one that is not (another branch's) lies inside whatever that
 * one lies in, behind the same line, as its position begins the same.
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
  /** The open runs, each inside the one before, and where their positions are. */
  readonly #runs: OpenRun[] = []
  readonly #keys: Uint8Array[] = []
  readonly #starts: number[] = []
  readonly #lengths: number[] = []
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
    const { keys, keyStarts, keyEnds, values, valueStarts } = batch
    for (let i = from; i < to; i++) {
      const start = (keyStarts[i] as number) + prefix
      const at = (keyEnds[i] as number) - LSEQ_BYTES
      if (at <= start) throw new CodedError('BAD_WEAVE', 'A line entry has a key too short for a position.')
      // No position's digits end in 0: this is beside a run, the top one unless that is not covered.
      const beside = keys[at - 1] === 0
      const origins = beside && holdsOrigins(values, valueStarts[i])
      if (!origins && !this.#covers(keys, at)) continue
      const length = at + LSEQ_BYTES - start
      const depth = this.#close(keys, start, length)
      const top = this.#runs.at(-1)
      if (beside) {
        if (top === undefined || length !== depth + 1 + LSEQ_BYTES) continue
        if (!origins) bury(top, decodeRanges(values, undefined, valueStarts[i], batch.valueEnds[i]))
        else if (readStream(keys, at) === top.stream) top.origins = decodeOrigins(batch.value(i))
        else throw new CodedError('BAD_WEAVE', 'The origins of a run are of another stream than the run.')
        continue
      }
      if (top !== undefined) this.#tell(top, linesBefore(keys, start + depth))
      this.#runs.push(opened(batch, i, readSeq(keys, at), this.#stream))
      this.#keys.push(keys)
      this.#starts.push(start)
      this.#lengths.push(length)
    }
  }

  /** The file whose entries were taken ends; the next one begins. */
  protected closeAll(): void {
    while (this.#runs.length > 0) this.#pop()
  }

  /** Closes the runs that a key does not lie in, and returns how long the position of the last one left is. */
  #close(keys: Uint8Array, start: number, length: number): number {
    const lengths = this.#lengths
    let depth = 0
    let level = 0
    for (; level < lengths.length; level++) {
      const end = lengths[level] as number
      const other = this.#keys[level] as Uint8Array
      const shift = (this.#starts[level] as number) - start
      if (end > length) break
      let k = start + depth
      while (k < start + end && keys[k] === other[k + shift]) k++
      if (k < start + end) break
      depth = end
    }
    while (lengths.length > level) this.#pop()
    return depth
  }

  #pop(): void {
    const run = this.#runs.pop()
    this.#keys.pop()
    this.#starts.pop()
    this.#lengths.pop()
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
