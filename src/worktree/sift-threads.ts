/**
 * A sift in one thread, or in two where the tree is large.
 * @module
 */
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { SHARE_ENV, Worker } from 'node:worker_threads'
import type { WorkIndex } from './index-file.js'
import { type SiftTask, sift, siftRest } from './sift.js'

/** From this many files on a second thread saves more than it takes to start. */
const WORTH_A_THREAD = 25_000

/** Where the second thread's program is, seen from this module in the library, and from the bundle. */
const PLACES = ['./sift-worker.js', '../worktree/sift-worker.js']

/** Sifts the work tree at `root`. @param threads - At most this many. */
export function siftWorkTree(
  root: string,
  index: WorkIndex,
  executableBits: boolean,
  threads: number = availableParallelism(),
): SiftTask {
  const { columns } = index
  const task: SiftTask = {
    root,
    columns,
    prefixes: index.directories.prefixes,
    executableBits,
    counters: new Int32Array(new SharedArrayBuffer(8)),
    directories: new Uint8Array(new SharedArrayBuffer(columns.directories)),
    files: new Uint8Array(new SharedArrayBuffer(columns.entries)),
  }
  const program = threads > 1 && index.count >= WORTH_A_THREAD ? findProgram() : undefined
  if (program !== undefined && columns.bytes.buffer instanceof SharedArrayBuffer) startHelper(program, task)
  sift(task, false)
  siftRest(task)
  return task
}

function findProgram(): URL | undefined {
  return PLACES.map((place) => new URL(place, import.meta.url)).find((url) => existsSync(url))
}

function startHelper(program: URL, task: SiftTask): void {
  const { entries, directories, size, mtime, ctime, inode, mode, flags, nameEnd, names, parent, first, end } =
    task.columns
  const columns = { entries, directories, size, mtime, ctime, inode, mode, flags, nameEnd, names, parent, first, end }
  const worker = new Worker(program, { workerData: { ...task, columns }, env: SHARE_ENV, trackUnmanagedFds: false })
  // Whatever becomes of it, all that it does not do is done here.
  worker.on('error', () => undefined)
  worker.unref()
}
