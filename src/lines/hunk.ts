/**
 * Hunks: where two versions of a file differ.
 *
 * Lines `[aStart, aEnd)` of the old version became lines `[bStart, bEnd)` of the new one; one of the two ranges may be
 * empty, not both. Everything outside of the hunks is the same lines in the same order, so the hunks alone turn the
 * token array of one version into that of the other. They are sorted, and at least one common line lies between two of
 * them.
 *
 * A diff is one flat `Int32Array`, four numbers to a hunk, because an importer makes a million of them:
 *
 *     | aStart | aEnd | bStart | bEnd | aStart | aEnd | ...
 *
 * @module
 */

/** A diff: four numbers to a hunk, `aStart, aEnd, bStart, bEnd`, half-open ranges of lines. */
export type Hunks = Int32Array

/** Numbers in one hunk. */
export const HUNK_FIELDS = 4

/** Lines taken away and lines put, in all hunks together. */
export function countChanges(hunks: Hunks): { readonly deleted: number; readonly inserted: number } {
  let deleted = 0
  let inserted = 0
  for (let i = 0; i < hunks.length; i += HUNK_FIELDS) {
    deleted += (hunks[i + 1] as number) - (hunks[i] as number)
    inserted += (hunks[i + 3] as number) - (hunks[i + 2] as number)
  }
  return { deleted, inserted }
}
