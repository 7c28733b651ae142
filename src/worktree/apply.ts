/**
 * Bringing files of the work tree from what an operation's record says they were to what it says they shall be.
 *
 * May be done any number of times: a file that is as it shall be is passed over, and one that is neither that nor what it
 * was before belongs to somebody who changed it meanwhile, and is left alone.
 * @module
 */
import { CodedError } from '../base/error.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { formatMode, kindOf } from '../repo/mode.js'
import { formatPath, parsePath } from '../repo/path-text.js'
import type { Repository } from '../repo/repository.js'
import type { SystemStat } from './file-stat.js'
import type { FileRecord, OperationRecord } from './operation-log.js'
import { type RecordedFile, recordedContents } from './recorded.js'
import { lookAt, readWorkFile, WorkFiles } from './work-files.js'

/** A file that is not as it should be. */
export interface Failure {
  /** Text, as results write it. */
  readonly path: string
  readonly reason: string
}

/** What was done. */
export interface Applied {
  readonly failures: readonly Failure[]
  /** Of the files that were written, right afterwards; by path, a binary string. */
  readonly stats: ReadonlyMap<string, SystemStat>
}

/**
 * Applies what a record says of files: first those that go, then those that come.
 *
 * @param given - Contents that are at hand, by path.
 */
export async function applyFiles(
  repo: Repository,
  { files }: OperationRecord,
  given: ReadonlyMap<string, Uint8Array | undefined>,
): Promise<Applied> {
  const { root } = repo
  const work = new WorkFiles(root)
  const failures: Failure[] = []
  const stats = new Map<string, SystemStat>()
  const attempt = (text: string, act: () => void): void => {
    try {
      act()
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      failures.push({ path: text, reason: error.message })
    }
  }
  const wanted: RecordedFile[] = []
  for (const { path: text, before, after } of files) {
    const path = parsePath(text)
    const now = stateOf(root, path)
    if (isSame(now, after) || !isSame(now, before)) continue
    if (after === null) attempt(text, () => work.remove(path))
    else wanted.push({ path, record: after })
  }
  const write = (path: string, { mode }: FileRecord, bytes: Uint8Array): void =>
    attempt(path, () => {
      work.write(path, Number.parseInt(mode, 8), bytes)
      const stat = lookAt(root, path)
      if (stat !== undefined) stats.set(path, stat)
    })
  const missing: RecordedFile[] = []
  for (const file of wanted) {
    const bytes = given.get(file.path)
    if (bytes === undefined) missing.push(file)
    else write(file.path, file.record, bytes)
  }
  const left = new Set(missing)
  try {
    for await (const { file, bytes } of recordedContents(repo, missing)) {
      left.delete(file)
      write(file.path, file.record, bytes)
    }
  } catch (error) {
    // One content that is damaged must not stand in the way of all that comes after it for ever.
    if (!(error instanceof CodedError)) throw error
    failures.push(...[...left].map(({ path }) => ({ path: formatPath(path), reason: error.message })))
  }
  return { failures, stats }
}

/** What is at a path now, as records have it. A submodule's directory counts as its link. */
function stateOf(root: string, path: string): FileRecord | null {
  const found = readWorkFile(root, path)
  return found === undefined ? null : { mode: formatMode(found.mode), sha256: crypto.sha256Hex(found.bytes) }
}

function isSame(a: FileRecord | null, b: FileRecord | null): boolean {
  if (a === null || b === null) return a === b
  return a.sha256 === b.sha256 && kindOf(Number.parseInt(a.mode, 8)) === kindOf(Number.parseInt(b.mode, 8))
}
