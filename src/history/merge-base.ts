/**
 * What two states have in common.
 * @module
 */
import type { Lseq } from '../lseq/lseq.js'
import { Vector } from '../lseq/vector.js'
import type { Versions } from './versions.js'

/**
 * The latest states that both states cover, newest first: mostly one, the merge base; several where the history was merged
 * criss-cross; the empty state where there is nothing in common.
 */
export async function commonPast(versions: Versions, left: Vector, right: Vector): Promise<Vector[]> {
  const common: Lseq[] = []
  for (const [slot, seq] of left.entries()) {
    // Vectors of states end at versions, so the lesser of two seqs is a version's, too.
    const both = Math.min(seq, right.seqAt(slot))
    if (both > 0) common.push({ seq: both, stream: versions.streams.id(slot) })
  }
  common.sort((a, b) => b.seq - a.seq)
  const bases: Vector[] = []
  for (const version of common) {
    const slot = versions.streams.slot(version.stream)
    if (bases.some((base) => base.covers(slot, version.seq))) continue
    bases.push(await versions.vectorOf(version))
  }
  return bases.length > 0 ? bases : [Vector.empty]
}
