/**
 * The paths at which two states differ, with what their common past had there. One pass over all path entries.
 * @module
 */
import { toLatin1 } from '../base/bytes.js'
import type { EntryStore } from '../lseq/entries.js'
import { LSEQ_BYTES, readSeq, readStream } from '../lseq/lseq.js'
import type { Streams, Vector } from '../lseq/vector.js'
import { kindRange } from './keys.js'
import { decodePathEntry, type PathPut } from './path-entry.js'

/** A path at which two states differ. */
export interface PathSides {
  /** Binary string. */
  readonly path: string
  readonly base: PathPut | undefined
  readonly left: PathPut | undefined
  readonly right: PathPut | undefined
  /** False where the states that the two have in common do not agree on the path, and `base` is only one of them. */
  readonly settled: boolean
}

/** Bytes behind the path in a path entry's key: NUL and lseq. */
const TAIL = 1 + LSEQ_BYTES

/**
 * The paths last touched by different versions in the two states, in byte order.
 *
 * @param bases - The latest states that both have in common: one, but for histories merged criss-cross.
 */
export async function differingPaths(
  entries: EntryStore,
  streams: Streams,
  left: Vector,
  right: Vector,
  bases: readonly Vector[],
): Promise<PathSides[]> {
  const vectors = [left, right, ...bases]
  const pass = new Pass(vectors.length)
  for await (const batch of entries.scan(kindRange('P'))) {
    const { count, keys, keyStarts, keyEnds } = batch
    for (let i = 0; i < count; i++) {
      const end = (keyEnds[i] as number) - TAIL
      const slot = streams.find(readStream(keys, end + 1))
      if (slot === undefined) continue
      const seq = readSeq(keys, end + 1)
      let covered = 0
      for (let v = 0; v < vectors.length; v++) if (vectors[v]?.covers(slot, seq)) covered |= 1 << v
      if (covered === 0) continue
      pass.push(toLatin1(keys, (keyStarts[i] as number) + 1, end), covered, batch.value(i))
    }
  }
  return pass.finish()
}

/** A path entry, made once for each. */
interface Touch {
  readonly value: Uint8Array
  /** Bit i: state i covers it. */
  readonly covered: number
}

/** Takes the covered path entries in key order. */
class Pass {
  readonly #found: PathSides[] = []
  #path: string | undefined
  /** By state: the last entry that it covers. */
  #last: (Touch | undefined)[]

  constructor(count: number) {
    this.#last = new Array(count).fill(undefined)
  }

  push(path: string, covered: number, value: Uint8Array): void {
    if (path !== this.#path) {
      this.#close()
      this.#path = path
      this.#last.fill(undefined)
    }
    const touch = { value, covered }
    for (let v = 0; v < this.#last.length; v++) if (covered & (1 << v)) this.#last[v] = touch
  }

  finish(): PathSides[] {
    this.#close()
    return this.#found
  }

  #close(): void {
    const [left, right, ...bases] = this.#last
    if (this.#path === undefined || left === right) return
    // A touch that another base went on from is not the latest that both have in common.
    const latest = bases.filter(
      (touch) =>
        touch !== undefined &&
        !bases.some((other, i) => other !== undefined && other !== touch && (touch.covered & (1 << (i + 2))) !== 0),
    )
    const [base] = latest
    this.#found.push({
      path: this.#path,
      base: putOf(base),
      left: putOf(left),
      right: putOf(right),
      settled: latest.every((other) => other === base),
    })
  }
}

function putOf(touch: Touch | undefined): PathPut | undefined {
  if (touch === undefined) return undefined
  const entry = decodePathEntry(touch.value)
  return 'file' in entry ? entry : undefined
}
