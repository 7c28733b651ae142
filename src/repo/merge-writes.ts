/**
 * From the outcome of a merge to what the version that commits it says of paths.
 * @module
 */
import type { ComposeWrite } from '../history/compose.js'
import type { MergeOutcome, TakenContent } from '../history/merge-outcome.js'
import type { Vector } from '../lseq/vector.js'
import { contentOf, type FilesContext } from './files.js'

/** The states that were merged. */
export interface MergedSides {
  readonly left: Vector
  readonly right: Vector
}

/** What the merge version writes, relative to the left state. Contents that are a side's own are read when wanted. */
export function mergeWrites(context: FilesContext, { paths }: MergeOutcome, sides: MergedSides): ComposeWrite[] {
  return paths.flatMap(({ path, left, put }): ComposeWrite[] => {
    if (put === undefined) return left === undefined ? [] : [{ path, deleted: left.file }]
    const { mode, file, content } = put
    if (!('put' in content)) return [{ path, put: { mode, file, content: async () => content } }]
    const { sha256 } = content.put
    return [{ path, put: { mode, file, sha256, content: () => takenContent(context, path, content, sides) } }]
  })
}

/** The bytes of a content that is a side's own. */
function takenContent(
  context: FilesContext,
  path: string,
  { from, put }: TakenContent,
  sides: MergedSides,
): Promise<Uint8Array> {
  return contentOf(context, path, put, sides[from])
}
