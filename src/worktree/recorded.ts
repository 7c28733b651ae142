/**
 * The contents that records of operations speak of: stored with a version, or kept; or still at hand.
 * @module
 */
import { fromHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { getOrMake } from '../base/map.js'
import type { PathPut } from '../history/path-entry.js'
import type { PathState } from '../history/paths.js'
import { parseLseq } from '../lseq/lseq.js'
import { contentsOf } from '../repo/contents.js'
import { formatPath } from '../repo/path-text.js'
import type { Repository } from '../repo/repository.js'
import { ContentCache } from './content-cache.js'
import { keptContent } from './kept.js'
import type { FileRecord, StoredContent } from './operation-log.js'

/** A path and what is recorded of it. */
export interface RecordedFile {
  /** Binary string. */
  readonly path: string
  readonly record: FileRecord
}

/**
 * The contents of files, in any order.
 *
 * @throws {CodedError} `CONTENT_UNKNOWN`, `CONTENT_DAMAGED`, `V_UNKNOWN`; as reading contents.
 */
export async function* recordedContents(
  repo: Repository,
  files: readonly RecordedFile[],
): AsyncGenerator<{ readonly file: RecordedFile; readonly bytes: Uint8Array }> {
  const byVersion = new Map<string, { state: PathState<PathPut>; file: RecordedFile }[]>()
  const cache = new ContentCache(repo.root)
  for (const file of files) {
    const { stored, sha256 } = file.record
    const bytes = stored === undefined ? keptContent(repo.root, sha256) : cache.get(sha256)
    if (bytes !== undefined) yield { file, bytes }
    else if (stored !== undefined) {
      getOrMake(byVersion, stored.at, () => [] as { state: PathState<PathPut>; file: RecordedFile }[]).push({
        state: stateOf(file, stored),
        file,
      })
    }
  }
  const context = { entries: repo.entries, streams: repo.versions.streams }
  for (const [at, found] of byVersion) {
    const { vector } = await repo.resolve(at)
    const fileOf = new Map(found.map(({ state, file }) => [state, file]))
    for await (const { state, content } of contentsOf(context, [...fileOf.keys()], vector)) {
      yield { file: fileOf.get(state) as RecordedFile, bytes: content }
    }
  }
}

function stateOf({ path, record }: RecordedFile, { file, size, chunked }: StoredContent): PathState<PathPut> {
  const id = parseLseq(file)
  const sha256 = fromHex(record.sha256)
  if (id === undefined || sha256 === undefined) {
    throw new CodedError('OPERATION_DAMAGED', `The record of ${formatPath(path)} in an operation makes no sense.`)
  }
  return { path, ...id, entry: { mode: Number.parseInt(record.mode, 8), file: id, size, sha256, chunked } }
}
