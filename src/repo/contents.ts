/**
 * Contents of many files at one state, in one pass over the store.
 * @module
 */
import { FILE_PREFIX_BYTES } from '../history/keys.js'
import type { PathPut } from '../history/path-entry.js'
import type { PathState } from '../history/paths.js'
import { ContentReader } from '../lines/content.js'
import { contentInKernel, type Slice } from '../lines/walk-kernel.js'
import { Coverage } from '../lseq/coverage.js'
import { compareLseq } from '../lseq/lseq.js'
import type { Vector } from '../lseq/vector.js'
import { checkedContent, chunkedContent, type FilesContext } from './files.js'
import { LineEntries, walkSlices } from './line-entries.js'

/** A file of a state. */
export type FileAt = Pick<PathState<PathPut>, 'path' | 'entry'>

/** A path of a state, and its bytes. */
export interface PathContent<S extends FileAt> {
  readonly state: S
  readonly content: Uint8Array
}

/**
 * The contents of paths at `vector`, in the order of their files' ids. The bytes may be shared with the store's cache.
 * @throws {CodedError} `CONTENT_DAMAGED` where bytes are not those that the path entry promises, `CHUNK_MISSING`.
 */
export async function* contentsOf<S extends FileAt>(
  context: FilesContext,
  states: readonly S[],
  vector: Vector,
): AsyncGenerator<PathContent<S>> {
  const inOrder = byFile(states)
  const last = inOrder.at(-1)
  if (last === undefined) return
  const covered = new Coverage(vector, context.streams)
  await using entries = new LineEntries(context.entries, last.entry.file, covered)
  const reader = new ContentReader(context.streams, vector)
  for (const state of inOrder) {
    const { path, entry } = state
    let content: Uint8Array
    if (entry.chunked) {
      content = await chunkedContent(context, entry.file, vector)
    } else {
      const found = entries.read(entry.file)
      const slices = Array.isArray(found) ? found : await found
      content = contentInKernel(slices, FILE_PREFIX_BYTES, covered) ?? contentHere(slices, reader)
    }
    yield { state, content: checkedContent(path, entry, content) }
  }
}

function contentHere(slices: readonly Slice[], reader: ContentReader): Uint8Array {
  walkSlices(slices, reader)
  return reader.finish()
}

/** Paths in the order of their files' ids. */
export function byFile<S extends FileAt>(states: readonly S[]): S[] {
  return states.toSorted((a, b) => compareLseq(a.entry.file, b.entry.file))
}
