/**
 * Lines that were put twice and are the same.
 *
 * An origin (origin.ts) says that a line is one that was put before: by a merge that had to order lines otherwise, or by
 * somebody who picked another branch's change. So a line has one identity and perhaps several incarnations, and two sides of
 * a merge may have a line in common though neither covers the other's incarnation of it.
 * @module
 */
import { getOrMake } from '../base/map.js'
import { readLseq } from '../lseq/lseq.js'
import type { Vector } from '../lseq/vector.js'
import { lineCount, type Run, type Weave } from './weave.js'

/** Which states cover an incarnation. `BOTH`: one and the same incarnation is covered by both. */
const [LEFT, RIGHT, BOTH] = [1, 2, 4]

/** The identities in a file's weave that have more than one incarnation. */
export class Identities {
  /** By stream and seq of the first incarnation: which states cover some incarnation. */
  readonly #known = new Map<number, Map<number, number>>()

  /** Undefined where no line that one of the states covers was put twice. */
  static of(weave: Weave, left: Vector, right: Vector): Identities | undefined {
    const covered = weave.runs.map(
      ({ slot, seq }) => (left.covers(slot, seq) ? LEFT : 0) | (right.covers(slot, seq) ? RIGHT : 0),
    )
    if (!weave.runs.some(({ origins }, i) => origins.length > 0 && covered[i] !== 0)) return undefined
    const identities = new Identities()
    weave.runs.forEach((run, i) => {
      identities.#addOrigins(run, covered[i] as number)
    })
    weave.runs.forEach((run, i) => {
      identities.#addFirst(run, covered[i] as number)
    })
    return identities
  }

  /** The identity of a line, as text. */
  name(run: Run, index: number): string {
    const { stream, seq } = firstPut(run, index)
    return `${stream} ${seq}`
  }

  /** Whether both states know a line by different incarnations, and by no common one. */
  isKnownToBoth(run: Run, index: number): boolean {
    const { stream, seq } = firstPut(run, index)
    return this.#known.get(stream)?.get(seq) === (LEFT | RIGHT)
  }

  #addOrigins({ origins }: Run, covered: number): void {
    if (covered === 0) return
    for (const { from, to, seq, stream } of origins) {
      const known = getOrMake(this.#known, stream, () => new Map<number, number>())
      for (let i = 0; i < to - from; i++) add(known, seq + i, covered)
    }
  }

  /** Adds the first incarnations of those identities that have others. */
  #addFirst(run: Run, covered: number): void {
    const known = covered === 0 ? undefined : this.#known.get(streamOf(run))
    if (known === undefined) return
    const end = run.seq + lineCount(run)
    for (let seq = run.seq; seq < end; seq++) if (known.has(seq)) add(known, seq, covered)
  }
}

function add(known: Map<number, number>, seq: number, covered: number): void {
  const both = covered === (LEFT | RIGHT) ? BOTH : 0
  known.set(seq, (known.get(seq) ?? 0) | covered | both)
}

/** Stream and seq with which a line was put at first. */
function firstPut(run: Run, index: number): { readonly stream: number; readonly seq: number } {
  const origin = run.origins.find(({ from, to }) => from <= index && index < to)
  if (origin !== undefined) return { stream: origin.stream, seq: origin.seq + index - origin.from }
  return { stream: streamOf(run), seq: run.seq + index }
}

/** The stream of a run: its position ends in its lseq. */
function streamOf({ position }: Run): number {
  return readLseq(position, position.length - 8).stream
}
