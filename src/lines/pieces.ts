/**
 * A file's lines at one state with the lseqs they have, straight from its entries: what blame is made from.
 * @module
 */
import { getOrMake } from '../base/map.js'
import type { EntryBatch } from '../lseq/batch.js'
import type { Coverage } from '../lseq/coverage.js'
import { type Lseq, lseqOfKey } from '../lseq/lseq.js'
import { decodeOrigins, type Origin } from './origin.js'
import { endOfLines } from './split.js'
import { type OpenRun, StateWalk } from './walk.js'
import { type FileRecords, type Placed, RECORD, recordsInKernel, type Slice } from './walk-kernel.js'

/** Lines in a row that one version was the first to put: `bytes[from, to)`. Line `i` had the lseq `seq + i`. */
export interface Piece extends Lseq {
  readonly bytes: Uint8Array
  readonly from: number
  to: number
  /** Where lines were put again: the lseq that the first of them has in this state. */
  readonly again?: Lseq | undefined
}

/** What is looked at of a run. */
type RunOfLines = Pick<OpenRun, 'seq' | 'stream' | 'bytes' | 'origins'>

/** A run, and what to take off addresses in its text. */
interface Told {
  readonly run: RunOfLines
  readonly shift: number
}

const NO_ORIGINS: readonly Origin[] = []

/** Reads one file after the other. */
export class PieceReader extends StateWalk {
  #pieces: Piece[] = []
  /** The run of the last piece, which what follows may adjoin. */
  #run: RunOfLines | undefined

  /** The lines of the file whose entries were taken, in file order; the next one begins. */
  finish(): Piece[] {
    this.closeAll()
    const pieces = this.#pieces
    this.#pieces = []
    this.#run = undefined
    return pieces
  }

  /**
   * Takes all entries of the file at once, by WebAssembly.
   *
   * @param slices, prefix - See `recordsInKernel`.
   * @returns Whether it did; if not, they are for `push`.
   */
  pushAll(slices: readonly Slice[], prefix: number, covered: Coverage): boolean {
    const found = recordsInKernel(slices, prefix, covered)
    if (found === undefined) return false
    const { records } = found
    const runs = new Map<number, Told>()
    for (let i = 0; i < records.length; i += RECORD) {
      const number = records[i] as number
      const { run, shift } = getOrMake(runs, number, () => runOf(found, number))
      this.tell(run, (records[i + 1] as number) - shift, (records[i + 2] as number) - shift, records[i + 3] as number)
    }
    return true
  }

  protected tell(run: RunOfLines, from: number, to: number, line: number): void {
    const last = this.#pieces.at(-1)
    if (run.origins.length > 0) this.#trace(run, from, to, line)
    else if (last !== undefined && this.#run === run && last.to === from) last.to = to
    else this.#add(run, from, to, run.seq + line, run.stream)
    this.#run = run
  }

  /** Cuts lines at the ends of origins, which is where another version may have put them first. */
  #trace(run: RunOfLines, from: number, to: number, line: number): void {
    let at = from
    let next = line
    const cut = (upTo: number, seq: number, stream: number, again?: Lseq): void => {
      const end = endOfLines(run.bytes, at, to, upTo - next)
      if (end > at) this.#add(run, at, end, seq, stream, again)
      at = end
      next = Math.max(next, upTo)
    }
    for (const origin of run.origins) {
      cut(origin.from, run.seq + next, run.stream)
      cut(origin.to, origin.seq + next - origin.from, origin.stream, { seq: run.seq + next, stream: run.stream })
    }
    cut(Number.POSITIVE_INFINITY, run.seq + next, run.stream)
  }

  #add({ bytes }: RunOfLines, from: number, to: number, seq: number, stream: number, again?: Lseq): void {
    this.#pieces.push(again === undefined ? { bytes, from, to, seq, stream } : { bytes, from, to, seq, stream, again })
  }
}

/** The run whose entry has this number. */
function runOf({ slices, origins }: FileRecords, number: number): Told {
  const { batch, shift, at } = entryOf(slices, number)
  const traced = origins[number] as number
  const beside = traced === 0 ? undefined : entryOf(slices, traced - 1)
  const run = {
    ...lseqOfKey(batch.key(at)),
    bytes: batch.values,
    origins: beside === undefined ? NO_ORIGINS : decodeOrigins(beside.batch.value(beside.at)),
  }
  return { run, shift }
}

function entryOf(slices: readonly Placed[], number: number): { batch: EntryBatch; shift: number; at: number } {
  const { batch, shift, from, first } = slices.findLast((slice) => slice.first <= number) as Placed
  return { batch, shift, at: from + number - first }
}
