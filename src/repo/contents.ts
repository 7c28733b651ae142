/**
 * Contents of many files at one state, in one pass over the store.
 *
 * Files are taken in the order of their ids, which is the order of their lines in the store: a page that holds several
 * of them is looked at once, and one that holds none of them is not read at all.
 * @module
 */
import { compareBytes } from '../base/bytes.js'
import { linesPrefix, prefixRange } from '../history/keys.js'
import type { PathPut } from '../history/path-entry.js'
import type { PathState } from '../history/paths.js'
import { ContentReader } from '../lines/content.js'
import type { EntryBatch } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import { compareLseq, type Lseq } from '../lseq/lseq.js'
import type { Vector } from '../lseq/vector.js'
import { checkedContent, chunkedContent, type FilesContext } from './files.js'

/** A path of a state, and its bytes. */
export interface PathContent {
  readonly state: PathState<PathPut>
  readonly content: Uint8Array
}

/**
 * The contents of paths at `vector`, in the order of their files' ids. The bytes may be shared with the store's cache.
 *
 * @throws {CodedError} `CONTENT_DAMAGED` where bytes are not those that the path entry promises, `CHUNK_MISSING`.
 */
export async function* contentsOf(
  context: FilesContext,
  states: readonly PathState<PathPut>[],
  vector: Vector,
): AsyncGenerator<PathContent> {
  const inOrder = [...states].sort((a, b) => compareLseq(a.entry.file, b.entry.file))
  const last = inOrder.at(-1)
  if (last === undefined) return
  const entries = new LineEntries(context.entries, last.entry.file)
  const reader = new ContentReader(context.streams, vector)
  try {
    for (const state of inOrder) {
      const { path, entry } = state
      let content: Uint8Array
      if (entry.chunked) {
        content = await chunkedContent(context, entry.file, vector)
      } else {
        const wait = entries.read(entry.file, reader)
        if (wait !== undefined) await wait
        content = reader.finish()
      }
      yield { state, content: checkedContent(path, entry, content) }
    }
  } finally {
    await entries.close()
  }
}

/** The line entries of files, asked for in ascending order. */
class LineEntries {
  readonly #entries: EntryStore
  readonly #end: Uint8Array | undefined
  #scan: AsyncGenerator<EntryBatch> | undefined
  #batch: EntryBatch | undefined

  /** @param last - The last file that will be asked for. */
  constructor(entries: EntryStore, last: Lseq) {
    this.#entries = entries
    this.#end = prefixRange(linesPrefix(last)).lt
  }

  /** Hands a file's entries to `reader`. Most lie in the batch at hand, and then there is nothing to wait for. */
  read(file: Lseq, reader: ContentReader): Promise<void> | undefined {
    const prefix = linesPrefix(file)
    const { lt } = prefixRange(prefix)
    const batch = this.#batch
    if (batch === undefined || compareBytes(batch.key(batch.count - 1), prefix) < 0) {
      return this.#readOn(prefix, lt, reader, true)
    }
    return take(batch, prefix, lt, reader) ? undefined : this.#readOn(prefix, lt, reader, false)
  }

  /** @param afresh - Begin a scan at the file: what lies between need not be read. */
  async #readOn(
    prefix: Uint8Array,
    end: Uint8Array | undefined,
    reader: ContentReader,
    afresh: boolean,
  ): Promise<void> {
    if (afresh) {
      await this.close()
      this.#scan = this.#entries.scan({ gte: prefix, lt: this.#end })
    }
    for (;;) {
      const next = await this.#scan?.next()
      this.#batch = next?.done === false ? next.value : undefined
      if (this.#batch === undefined || take(this.#batch, prefix, end, reader)) return
    }
  }

  async close(): Promise<void> {
    await this.#scan?.return(undefined)
    this.#scan = undefined
  }
}

/** Hands on what a batch has of a file, and says whether that was the end of it. */
function take(batch: EntryBatch, prefix: Uint8Array, end: Uint8Array | undefined, reader: ContentReader): boolean {
  const to = end === undefined ? batch.count : batch.lowerBound(end)
  reader.push(batch, batch.lowerBound(prefix), to, prefix.length)
  return to < batch.count
}
