/**
 * Clean: files that are not tracked are removed. Undo brings them back.
 *
 * Repositories within the work tree are never touched, nor are pipes, sockets and devices, which no undo could bring back.
 * @module
 */
import { CodedError } from '../base/error.js'
import { formatPath } from '../repo/path-text.js'
import type { Failure } from './apply.js'
import { filesBelow } from './files-below.js'
import { movesOf } from './move.js'
import { lookAt } from './work-files.js'
import type { Worktree } from './worktree.js'

export interface CleanOptions {
  /** Files and directories; everything where there are none. Binary strings. */
  readonly paths?: readonly string[] | undefined
  /** Also what is ignored. */
  readonly ignored?: boolean | undefined
  /** Only say what would be removed. */
  readonly dryRun?: boolean | undefined
}

export interface CleanReport {
  /** What was removed, or would be. */
  readonly removed: readonly string[]
  /** What is not tracked either and was left alone: repositories, pipes, what cannot be read. */
  readonly left: readonly string[]
  readonly dryRun: boolean
  readonly failures: readonly Failure[]
}

/** @throws {CodedError} `PATH_UNKNOWN` for a path at which nothing is. */
export async function clean(work: Worktree, options: CleanOptions = {}): Promise<CleanReport> {
  const { root, state } = work
  const { paths, ignored = false, dryRun = false } = options
  for (const path of paths ?? []) {
    if (path !== '' && lookAt(root, path) === undefined) {
      throw new CodedError('PATH_UNKNOWN', `There is nothing at ${formatPath(path)}.`)
    }
  }
  const scan = work.scan({ paths, ignored })
  const moved = movesOf(state)
  const files = scan.changes.flatMap(({ path, change }) => (change === 'added' && !moved.has(path) ? [path] : []))
  const left = [...scan.nested, ...scan.special.map(({ path }) => path), ...scan.unreadable.map(({ path }) => path)]
  for (const path of scan.ignored) {
    const below = filesBelow(root, path.replace(/\/$/, ''))
    files.push(...below.files)
    left.push(...below.nested, ...below.special)
  }
  files.sort()
  const report = { removed: files.map(formatPath), left: left.sort().map(formatPath), dryRun }
  if (dryRun || files.length === 0) return { ...report, failures: [] }
  const { failures } = await work.perform({
    command: 'clean',
    summary: files.length === 1 ? (report.removed[0] as string) : `${files.length} files`,
    files: files.map((path) => ({ path, to: undefined })),
  })
  return { ...report, failures }
}
