/**
 * From what a scan found to what a version says: a write for each path, and what the index then knows.
 * @module
 */
import { CodedError } from '../base/error.js'
import type { Composed, ComposeWrite } from '../history/compose.js'
import { type Lseq, parseLseq } from '../lseq/lseq.js'
import { formatPath } from '../repo/path-text.js'
import { type FileStat, fileClock, fileStat, isSettled } from './file-stat.js'
import type { Tracked } from './index-file.js'
import { renamesOf } from './renamed.js'
import type { Scan, WorkChange } from './scan.js'
import { readWorkFile } from './work-files.js'
import type { Worktree } from './worktree.js'

/** What a commit did to a path. */
export interface CommittedPath {
  readonly path: string
  readonly change: 'added' | 'deleted' | 'modified' | 'renamed' | 'mode' | 'type'
  /** Where the file was before, for `renamed`. */
  readonly from?: string
}

/** The changes of a version to be. */
export interface CommitChanges {
  readonly writes: readonly ComposeWrite[]
  readonly committed: readonly CommittedPath[]
  /** Stats that the files had when they were read, by path; filled while the version is composed. */
  readonly stats: ReadonlyMap<string, FileStat>
}

/** What to commit of a file instead of what is in the work tree. */
export interface ChosenContent {
  readonly bytes: Uint8Array
  /** Whether the mode stays what it was. */
  readonly keepsMode: boolean
}

/**
 * The writes that a scan comes to.
 *
 * @param contents - What to take instead of what is in the work tree, by path.
 */
export async function changesOf(
  work: Worktree,
  scan: Scan,
  contents: ReadonlyMap<string, ChosenContent> = new Map(),
): Promise<CommitChanges> {
  const renames = await renamesOf(work, scan)
  const moved = new Set([...renames.values()].map(({ path }) => path))
  const stats = new Map<string, FileStat>()
  // Before any file is read, so that a change after that does not have the same time.
  const clock = fileClock(work.root)
  const writes: ComposeWrite[] = []
  const committed: CommittedPath[] = []
  for (const change of scan.changes) {
    const { path, tracked, found } = change
    const from = renames.get(path)
    if (found === undefined) {
      if (tracked === undefined) continue
      writes.push({ path, deleted: tracked.file })
      if (!moved.has(path)) committed.push({ path: formatPath(path), change: 'deleted' })
      continue
    }
    const chosen = contents.get(path)
    const mode = chosen?.keepsMode === true ? ((from ?? tracked)?.mode ?? found.mode) : found.mode
    const read = async (): Promise<Uint8Array> =>
      chosen?.bytes ?? readForCommit(work.root, path, found.mode, stats, clock)
    // Where the file that was here has another path now, this is a new one.
    const file = from?.file ?? (moved.has(path) ? undefined : tracked?.file) ?? mergedFile(work, path)
    writes.push({ path, put: { mode, file, content: read } })
    committed.push({
      path: formatPath(path),
      ...(from === undefined ? { change: change.change } : { change: 'renamed', from: formatPath(from.path) }),
    })
  }
  return { writes, committed, stats }
}

/** The file that a merge under way put at a path that the base version does not have. */
function mergedFile({ state }: Worktree, path: string): Lseq | undefined {
  return parseLseq(state.files?.[formatPath(path)] ?? '')
}

function readForCommit(
  root: string,
  path: string,
  mode: number,
  stats: Map<string, FileStat>,
  clock: number,
): Uint8Array {
  const file = readWorkFile(root, path)
  if (file !== undefined && (file.mode & 0o170000) === (mode & 0o170000)) {
    const stat = fileStat(file.stat)
    if (isSettled(stat, clock)) stats.set(path, stat)
    return file.bytes
  }
  throw new CodedError('FILE_CHANGING', `The file ${formatPath(path)} was there a moment ago and is not any more.`, {
    hint: 'Nothing was committed. Run the same command again.',
    data: { path: formatPath(path) },
  })
}

/** What the index knows after a version was made of changes. */
export function trackedAfter({ writes, stats }: CommitChanges, { puts }: Composed): Map<string, Tracked | undefined> {
  const after = new Map<string, Tracked | undefined>()
  for (const { path } of writes) {
    const put = puts.get(path)
    after.set(path, put === undefined ? undefined : { path, ...put, stat: stats.get(path) })
  }
  return after
}

/** Refuses what cannot be committed as it is. */
export function assertFit({ unreadable, clashes, changes }: Scan): void {
  const [first] = unreadable
  if (first !== undefined) {
    throw new CodedError('FILE_UNREADABLE', `${formatPath(first.path)} cannot be read (${first.code}).`, {
      hint: 'Nothing was committed. Make it readable, or name the paths to commit.',
      data: { paths: unreadable.map(({ path }) => formatPath(path)) },
    })
  }
  const clash = clashes.find(({ path }) => changes.some((change) => change.path === path))
  if (clash === undefined) return
  throw new CodedError(
    'PATH_COLLISION',
    `The file system cannot tell ${formatPath(clash.path)} from ${formatPath(clash.with)}.`,
    { hint: 'Nothing was committed. Rename one of them.' },
  )
}

/** Whether a change is of a new file larger than so many bytes. */
export function isLarge({ change, found }: WorkChange, limit: number): boolean {
  return change === 'added' && found !== undefined && found.size > limit
}
