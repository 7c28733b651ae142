/**
 * The contents that records of operations speak of: of a path at a version, or kept.
 * @module
 */
import { toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { getOrMake } from '../base/map.js'
import type { PathPut } from '../history/path-entry.js'
import { type PathState, pathAt, pathsAt } from '../history/paths.js'
import { contentsOf } from '../repo/contents.js'
import { formatPath } from '../repo/path-text.js'
import type { Repository } from '../repo/repository.js'
import { keptContent } from './kept.js'
import type { FileRecord } from './operation-log.js'

/** A path and what is recorded of it. */
export interface RecordedFile {
  /** Binary string. */
  readonly path: string
  readonly record: FileRecord
}

/** More paths than this of one version are not looked up one by one. */
const SINGLY = 256

/**
 * The contents of files, in any order.
 *
 * @throws {CodedError} `CONTENT_UNKNOWN` where a version does not have what the record says; as reading contents.
 */
export async function* recordedContents(
  repo: Repository,
  files: readonly RecordedFile[],
): AsyncGenerator<{ readonly file: RecordedFile; readonly bytes: Uint8Array }> {
  const byVersion = new Map<string, Map<string, RecordedFile>>()
  for (const file of files) {
    const { at, sha256 } = file.record
    if (at === undefined) yield { file, bytes: keptContent(repo.root, sha256) }
    else getOrMake(byVersion, at, () => new Map<string, RecordedFile>()).set(file.path, file)
  }
  const { entries, versions } = repo
  for (const [at, wanted] of byVersion) {
    const { vector } = await repo.resolve(at)
    const states: PathState<PathPut>[] = []
    if (wanted.size > SINGLY) {
      for await (const state of pathsAt(entries, versions.streams, vector))
        if (wanted.has(state.path)) states.push(state)
    } else {
      for (const path of wanted.keys()) {
        const state = await pathAt(entries, versions.streams, vector, path)
        if (state !== undefined && 'file' in state.entry) states.push(state as PathState<PathPut>)
      }
    }
    const found = states.filter(({ path, entry }) => toHex(entry.sha256) === wanted.get(path)?.record.sha256)
    if (found.length < wanted.size) throw unknownContent(at, wanted, found)
    for await (const { state, content } of contentsOf({ entries, streams: versions.streams }, found, vector)) {
      yield { file: wanted.get(state.path) as RecordedFile, bytes: content }
    }
  }
}

function unknownContent(
  at: string,
  wanted: ReadonlyMap<string, RecordedFile>,
  found: readonly PathState<PathPut>[],
): CodedError {
  const there = new Set(found.map(({ path }) => path))
  const missing = [...wanted.keys()].filter((path) => !there.has(path)).map(formatPath)
  return new CodedError(
    'CONTENT_UNKNOWN',
    `The version ${at} does not have ${missing.slice(0, 3).join(', ')} as recorded.`,
    {
      hint: 'Run `weft verify` to see what is damaged.',
      data: { paths: missing },
    },
  )
}
