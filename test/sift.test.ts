/**
 * The sift of a large work tree, shared between two threads.
 * @module
 */
import assert from 'node:assert/strict'
import { linkSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { fileStat } from '../src/worktree/file-stat.js'
import { type Tracked, WorkIndex } from '../src/worktree/index-file.js'
import { scanWorkTree } from '../src/worktree/scan.js'
import { CLEAN, type SiftTask, sift, siftRest, UNCERTAIN } from '../src/worktree/sift.js'
import type { StatusReport } from '../src/worktree/status.js'
import { ROOT, weftJson } from './support/weft.js'
import { emptyWorkTree, indexOf } from './support/work-tree.js'

/** A work tree of empty files, and a sift of it that nobody has begun. */
function taskOf(directories: number): SiftTask {
  const root = emptyWorkTree('sift')
  for (let d = 0; d < directories; d++) {
    mkdirSync(join(root, `d${d}`))
    for (const name of ['a', 'b', 'c']) writeFileSync(join(root, `d${d}`, name), '')
  }
  const index = indexOf(root)
  return {
    root,
    columns: index.columns,
    prefixes: index.directories.prefixes,
    executableBits: true,
    counters: new Int32Array(new SharedArrayBuffer(8)),
    directories: new Uint8Array(new SharedArrayBuffer(index.columns.directories)),
    files: new Uint8Array(new SharedArrayBuffer(index.count)),
  }
}

describe('a sift', () => {
  it('is done by the other thread where that has taken it all', async () => {
    const task = taskOf(50)
    rmSync(join(task.root, 'd7/b'))
    writeFileSync(join(task.root, 'd9/new'), '')
    const worker = new Worker(join(ROOT, 'dist/worktree/sift-worker.js'), { workerData: task })
    await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
    assert.equal(task.counters[1], 13)
    sift(task, false)
    siftRest(task)
    const uncertain = [...task.directories].flatMap((state, k) => (state === UNCERTAIN ? [task.prefixes[k]] : []))
    // The top holds .weft, which is for the scan to know.
    assert.deepEqual(uncertain, ['', 'd7/', 'd9/'])
    assert.equal([...task.files].filter((one) => one === 0).length, 1)
  })

  it('is done in place where the other thread took a part and went away', () => {
    const task = taskOf(20)
    Atomics.add(task.counters, 0, 8)
    sift(task, false)
    assert.equal([...task.directories].filter((state) => state === 0).length, 8)
    siftRest(task)
    assert.equal([...task.directories].filter((state) => state === CLEAN).length, 20)
  })
})

describe('a large work tree', () => {
  it('is compared by two threads, and no change is missed', async () => {
    const root = emptyWorkTree('large')
    mkdirSync(join(root, '.weft/store'))
    writeFileSync(join(root, '.weft/one'), 'content\n')
    const tracked: Tracked[] = []
    const entry = { mode: 0o100644, file: { seq: 1, stream: 1 }, size: 8, sha256: new Uint8Array(32), chunked: false }
    for (let d = 0; d < 300; d++) {
      mkdirSync(join(root, `d${d}`))
      // Names of one file, which are made in no time, and a file of its own in each directory.
      for (let f = 0; f < 90; f++) linkSync(join(root, '.weft/one'), join(root, `d${d}/f${f}`))
      writeFileSync(join(root, `d${d}/own`), 'content\n')
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
    const linked = fileStat(lstatSync(join(root, '.weft/one')))
    for (let d = 0; d < 300; d++) {
      for (let f = 0; f < 90; f++) tracked.push({ path: `d${d}/f${f}`, ...entry, stat: linked })
      tracked.push({ path: `d${d}/own`, ...entry, stat: fileStat(lstatSync(join(root, `d${d}/own`))) })
    }
    // Contents are not what the index says, so that whatever is read shows.
    WorkIndex.build(
      undefined,
      tracked.sort((a, b) => (a.path < b.path ? -1 : 1)),
    ).write(root)
    writeFileSync(join(root, '.weft/head'), 'branch main\n')
    const changes: string[] = []
    for (let d = 0; d < 300; d += 30) {
      rmSync(join(root, `d${d}/own`))
      writeFileSync(join(root, `d${d + 1}/new`), '')
      writeFileSync(join(root, `d${d + 2}/own`), 'CONTENT\n')
      changes.push(`deleted d${d}/own`, `added d${d + 1}/new`, `modified d${d + 2}/own`)
    }
    const said = (all: StatusReport['changes']): string[] => all.map(({ path, change }) => `${change} ${path}`).sort()
    const report = await weftJson<StatusReport>(['status'], { cwd: root })
    assert.deepEqual(said(report.changes), changes.sort())
    const index = WorkIndex.read(root) as WorkIndex
    for (const options of [{ threads: 1 }, { paths: ['d0', 'd1', 'd2'] }]) {
      const { changes: found } = scanWorkTree(root, index, options)
      assert.deepEqual(found.length, options.threads === 1 ? 30 : 3)
    }
  })
})
