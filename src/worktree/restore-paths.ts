/**
 * Restore in the work tree: paths get what a version has there.
 *
 * Within the paths tracked files that the version does not have are removed, as git does; files that no version has yet
 * are left alone, unless they stand where the version has a directory, or in a directory where it has a file. Contents that
 * are replaced and were never committed are kept for undo.
 * @module
 */
import { toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { kindOf } from '../repo/mode.js'
import { formatPath } from '../repo/path-text.js'
import type { Failure } from './apply.js'
import { filesBelow } from './files-below.js'
import type { WorkIndex } from './index-file.js'
import { type FileMove, storedContent } from './operation.js'
import { rebuildIndex } from './rebuild.js'
import { lookAt } from './work-files.js'
import type { Worktree } from './worktree.js'

export interface RestorePathsOptions {
  /** Files and directories, the empty path for everything. Binary strings. */
  readonly paths: readonly string[]
  /** Anything that names a version; by default the one that the work tree stands on. */
  readonly at?: string | undefined
}

export interface RestorePathsReport {
  /** Hex id. */
  readonly at: string
  /** Files that were written. */
  readonly written: readonly string[]
  /** Files that the version does not have. */
  readonly removed: readonly string[]
  /** Those of both that held something that was never committed: undo brings it back. */
  readonly unsaved: readonly string[]
  readonly failures: readonly Failure[]
}

/** @throws {CodedError} `PATH_UNKNOWN`, `PATH_BLOCKED`, `V_*`. */
export async function restorePaths(work: Worktree, options: RestorePathsOptions): Promise<RestorePathsReport> {
  const { index } = work
  const { paths } = options
  const source = await sourceOf(work, options.at)
  const at = source.base && toHex(source.base.id)
  if (at === undefined) throw new CodedError('V_UNKNOWN', 'There is no version yet from which to restore.')
  for (const path of paths) assertKnown(path, source, index, at)
  const unsaved = new Set<string>()
  const wanted = new Map<string, FileMove>()
  const scan = work.scan({ paths })
  const changes = new Map(scan.changes.map((change) => [change.path, change]))
  for (const path of paths) {
    for (const tracked of index.below(path)) {
      if (source.find(tracked.path) < 0) wanted.set(tracked.path, { path: tracked.path, to: undefined })
    }
    for (const tracked of source.below(path)) {
      const { path: file, mode, sha256 } = tracked
      const there = changes.get(file)?.found ?? (changes.has(file) ? undefined : index.get(file))
      const isSame = there?.sha256 !== undefined && toHex(there.sha256) === toHex(sha256)
      if (isSame && kindOf(there.mode) === kindOf(mode)) continue
      wanted.set(file, { path: file, to: { mode, sha256: toHex(sha256), stored: storedContent(tracked, at) } })
    }
  }
  for (const path of inTheWay(work.root, wanted)) {
    wanted.set(path, { path, to: undefined })
    unsaved.add(path)
  }
  for (const path of wanted.keys()) if (changes.get(path)?.found !== undefined) unsaved.add(path)
  if (wanted.size === 0) return { at, written: [], removed: [], unsaved: [], failures: [] }
  const { record, failures } = await work.perform({
    command: 'restore',
    summary: `${paths.map((path) => formatPath(path) || 'everything').join(', ')} of ${at.slice(0, 12)}`,
    files: [...wanted.values()],
  })
  return {
    at,
    written: record.files.flatMap(({ path, after }) => (after === null ? [] : [path])),
    removed: record.files.flatMap(({ path, after }) => (after === null ? [path] : [])),
    unsaved: [...unsaved].sort().map(formatPath),
    failures,
  }
}

/** Files that stand where a directory has to be, or in a directory where a file has to be. */
function inTheWay(root: string, wanted: ReadonlyMap<string, FileMove>): Set<string> {
  const found = new Set<string>()
  const seen = new Set<string>()
  for (const { path, to } of wanted.values()) {
    if (to === undefined || kindOf(to.mode) === 'submodule') continue
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const parent = path.slice(0, slash)
      if (seen.has(parent)) continue
      seen.add(parent)
      if (lookAt(root, parent)?.isDirectory() === false && !wanted.has(parent)) found.add(parent)
    }
    if (lookAt(root, path)?.isDirectory() !== true) continue
    for (const file of filesBelow(root, path).files) if (!wanted.has(file)) found.add(file)
  }
  return found
}

/** The index of the version to take from. */
async function sourceOf({ repo, index }: Worktree, at: string | undefined): Promise<WorkIndex> {
  if (at === undefined) return index
  const { version } = await repo.resolve(at)
  if (version === undefined) {
    throw new CodedError('V_NOT_ONE', `${at} is the join of several versions.`, {
      hint: `Name one of them, or \`weft restore --at ${at} --to <dir>\`.`,
    })
  }
  return rebuildIndex(repo, toHex(version.id), undefined)
}

function assertKnown(path: string, source: WorkIndex, index: WorkIndex, at: string): void {
  if (path === '') return
  for (const known of [source, index]) for (const _ of known.below(path)) return
  throw new CodedError('PATH_UNKNOWN', `There is no ${formatPath(path)} at ${at.slice(0, 12)}.`, {
    hint: `\`weft ls --at ${at.slice(0, 12)}\` shows the paths there are; \`weft clean\` removes files that no version has.`,
  })
}
