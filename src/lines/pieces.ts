/**
 * A file's lines at one state with the lseqs they have, straight from its entries: what blame is made from.
 * @module
 */
import type { Lseq } from '../lseq/lseq.js'
import { endOfLines } from './split.js'
import { type OpenRun, StateWalk } from './walk.js'

/** Lines in a row that one version was the first to put: `bytes[from, to)`. Line `i` had the lseq `seq + i`. */
export interface Piece extends Lseq {
  readonly bytes: Uint8Array
  readonly from: number
  to: number
  /** Where lines were put again: the lseq that the first of them has in this state. */
  readonly again?: Lseq | undefined
}

/** Reads one file after the other. */
export class PieceReader extends StateWalk {
  #pieces: Piece[] = []
  /** The run of the last piece, which what follows may adjoin. */
  #run: OpenRun | undefined

  /** The lines of the file whose entries were taken, in file order; the next one begins. */
  finish(): Piece[] {
    this.closeAll()
    const pieces = this.#pieces
    this.#pieces = []
    this.#run = undefined
    return pieces
  }

  protected tell(run: OpenRun, from: number, to: number, line: number): void {
    const last = this.#pieces.at(-1)
    if (run.origins.length > 0) this.#trace(run, from, to, line)
    else if (last !== undefined && this.#run === run && last.to === from) last.to = to
    else this.#add(run, from, to, run.seq + line, run.stream)
    this.#run = run
  }

  /** Cuts lines at the ends of origins, which is where another version may have put them first. */
  #trace(run: OpenRun, from: number, to: number, line: number): void {
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

  #add({ bytes }: OpenRun, from: number, to: number, seq: number, stream: number, again?: Lseq): void {
    this.#pieces.push(again === undefined ? { bytes, from, to, seq, stream } : { bytes, from, to, seq, stream, again })
  }
}
