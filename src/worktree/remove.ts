/**
 * Remove: tracked files are taken out of the work tree, and so out of the next version.
 *
 * What they held that was never committed is kept, so undo brings it back; nobody has to be asked.
 * @module
 */
import { CodedError } from '../base/error.js'
import { formatPath } from '../repo/path-text.js'
import type { Failure } from './apply.js'
import { movesOf, withMoves } from './move.js'
import { lookAt } from './work-files.js'
import type { Worktree } from './worktree.js'

export interface RemoveReport {
  /** Files that were removed. */
  readonly removed: readonly string[]
  /** Those of them that held something that was never committed. */
  readonly unsaved: readonly string[]
  readonly failures: readonly Failure[]
}

/**
 * Removes tracked files, and all of them below directories.
 *
 * @param paths - Binary strings.
 * @throws {CodedError} `PATH_UNKNOWN` for a path at which no tracked file is.
 */
export async function removePaths(work: Worktree, paths: readonly string[]): Promise<RemoveReport> {
  const { root, index } = work
  const moves = movesOf(work.state)
  const removed = new Set<string>()
  for (const path of paths) {
    const tracked = [...index.below(path)].map((entry) => entry.path)
    const moved = [...moves.keys()].filter((to) => path === '' || to === path || to.startsWith(`${path}/`))
    if (tracked.length + moved.length === 0) throw notTracked(work, path)
    for (const file of [...tracked, ...moved]) removed.add(file)
  }
  const unsaved = work.scan({ paths }).changes.filter(({ path, found }) => found !== undefined && removed.has(path))
  const there = [...removed].filter((path) => lookAt(root, path)?.isDirectory() === false).sort()
  const { failures } = await work.perform({
    command: 'rm',
    summary: paths.map(formatPath).join(', '),
    files: there.map((path) => ({ path, to: undefined })),
    state: withMoves(work.state, new Map([...moves].filter(([to]) => !removed.has(to)))),
  })
  return { removed: there.map(formatPath), unsaved: unsaved.map(({ path }) => formatPath(path)), failures }
}

function notTracked({ root }: Worktree, path: string): CodedError {
  const isThere = lookAt(root, path) !== undefined
  return new CodedError(
    'PATH_UNKNOWN',
    `${formatPath(path)} ${isThere ? 'is in no version yet' : 'is not in the version that the work tree stands on'}.`,
    { hint: isThere ? '`weft clean` removes such files.' : '`weft status` shows what there is.' },
  )
}
