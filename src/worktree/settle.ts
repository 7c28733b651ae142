/**
 * Stats of files that were just written, for the index.
 *
 * Right after a file was written the clock of the file system may still stand at the tick of its time, so that another
 * change would not show. A few milliseconds later, if it has the same stat, it may be trusted.
 * @module
 */
import { equalBytes, fromHex } from '../base/bytes.js'
import { formatMode } from '../repo/mode.js'
import { parsePath } from '../repo/path-text.js'
import { fileClock, fileStat, isSettled, type SystemStat, sameStat } from './file-stat.js'
import type { Tracked, WorkIndex } from './index-file.js'
import type { OperationRecord } from './operation-log.js'
import { lookAt } from './work-files.js'

/** Longer than a tick of the clocks of common file systems, in milliseconds. */
const TICK = 12

/** Fewer files than this are sooner read once more by whoever looks next. */
const WORTH = 128

/** The index with the stats of the files that an operation wrote, as far as they hold what the index says. */
export function settled(
  root: string,
  index: WorkIndex,
  { files }: OperationRecord,
  stats: ReadonlyMap<string, SystemStat>,
): WorkIndex {
  if (stats.size === 0) return index
  let clock = fileClock(root)
  const latest = [...stats.values()].reduce((time, { ctimeMs }) => Math.max(time, ctimeMs), 0)
  if (clock <= latest && stats.size > WORTH) {
    sleep(TICK)
    clock = fileClock(root)
  }
  const changes = new Map<string, Tracked>()
  for (const { path: text, after } of files) {
    const path = parsePath(text)
    const written = stats.get(path)
    const tracked = index.get(path)
    if (written === undefined || tracked === undefined || after === null) continue
    const isTracked =
      equalBytes(tracked.sha256, fromHex(after.sha256) as Uint8Array) && formatMode(tracked.mode) === after.mode
    const now = lookAt(root, path)
    if (!isTracked || now === undefined) continue
    const stat = fileStat(now)
    if (sameStat(stat, fileStat(written)) && isSettled(stat, clock)) changes.set(path, { ...tracked, stat })
  }
  return index.with(index.base, changes)
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}
